"""The embedded store: one SQLite file, many writers, one fsync for all that wait (group commit).

Reads and watches are served from memory. Commits that arrive while the file is being written gather in
a batch, which is then planned, written in one transaction, and only after that shown and acknowledged.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Self

from xdsmesh.model.origin import Origin
from xdsmesh.store.base import CommitFailedError, Conflict, Record, Revision, Txn
from xdsmesh.store.database import Database
from xdsmesh.store.plan import Commit
from xdsmesh.store.state import KEEP, State

_Outcomes = tuple[int | Conflict, ...]


class SQLiteStore:
    """Keeps the store's contract in a file that it shares with no other process.

    ``transactions`` counts the SQLite transactions that were written.
    """

    def __init__(self, database: Database, state: State, writer: ThreadPoolExecutor, keep: int) -> None:
        self.transactions = 0
        self._database = database
        self._state = state
        self._writer = writer
        self._keep = keep
        self._turn = asyncio.Lock()
        self._gathering: list[Commit] = []
        self._batch: asyncio.Task[_Outcomes] | None = None

    @classmethod
    async def open(cls, path: Path, keep: int = KEEP) -> Self:
        """Open the file, or make it with its folder; a watch may start at most ``keep`` revisions ago.

        Raises:
            RefusedError: the file is in use, of a newer format, not ours, damaged, or can't be reached.
        """
        writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        try:
            loaded = asyncio.get_running_loop().run_in_executor(writer, _load, path, keep)
            database, state = await loaded
        except BaseException:
            writer.shutdown(wait=False)
            raise
        return cls(database, state, writer, keep)

    async def get(self, key: str) -> Record | None:
        """See `Store.get`."""
        return self._state.get(key)

    async def list(self, prefix: str) -> tuple[int, tuple[Record, ...]]:
        """See `Store.list`."""
        return self._state.list(prefix)

    async def commit(self, txn: Txn, origin: Origin) -> int | Conflict:
        """See `Store.commit`. A commit whose caller is cancelled may still happen."""
        self._state.check_open()
        commit = Commit(txn, origin)
        if self._batch is None or not self._gathering:
            self._batch = asyncio.create_task(self._write_batch())
        batch, place = self._batch, len(self._gathering)
        self._gathering.append(commit)
        outcomes = await asyncio.shield(batch)
        return outcomes[place]

    def watch(self, prefix: str, after: int) -> AsyncIterator[Revision]:
        """See `Store.watch`."""
        return self._state.watch(prefix, after)

    async def erase(self, key: str) -> None:
        """See `Store.erase`. The file is written anew."""
        async with self._turn:
            await self._execute(partial(self._database.erase, key))
            self._state.erase(key)

    async def close(self) -> None:
        """See `Store.close`. Commits that were asked for before are finished."""
        if self._state.closed:
            return
        self._state.close()
        if self._batch:
            await asyncio.wait([self._batch])
        await asyncio.get_running_loop().run_in_executor(self._writer, self._database.close)
        self._writer.shutdown()

    async def _write_batch(self) -> _Outcomes:
        async with self._turn:
            commits, self._gathering = self._gathering, []
            plan = self._state.plan(commits)
            if plan.revisions:
                await self._write(plan.revisions)
                self._state.advance(plan.revisions)
            return plan.outcomes

    async def _write(self, revisions: tuple[Revision, ...]) -> None:
        oldest = revisions[-1].number - self._keep + 1
        await self._execute(partial(self._database.write, revisions, oldest))
        self.transactions += 1

    async def _execute(self, write: Callable[[], None]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._writer, write)
        except sqlite3.Error as error:
            raise CommitFailedError(f"the store could not write: {error}") from error


def _load(path: Path, keep: int) -> tuple[Database, State]:
    database = Database(path)
    try:
        return database, State(*database.load(), keep)
    except BaseException:
        database.close()
        raise
