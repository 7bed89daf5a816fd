"""What a store holds, in memory: the current records, the latest revisions, and who waits for more.

It is used from one event loop. A store plans commits, makes the planned revisions durable in its own
way, and then advances the state; readers and watchers see only what the state has advanced to.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from itertools import takewhile
from typing import Final

from sortedcontainers import SortedDict

from xdsmesh.store.base import Change, CompactedError, Record, Revision, StoreClosedError
from xdsmesh.store.plan import Commit, Plan, plan_commits

KEEP: Final = 10_000
"""How many of the latest revisions are kept for watchers."""


class State:
    """The records at the current revision, and the latest ``keep`` revisions."""

    def __init__(
        self, records: Iterable[Record] = (), log: Iterable[Revision] = (), keep: int = KEEP
    ) -> None:
        # In the order of the keys, at a cost that hardly grows with their number.
        self._records: SortedDict[str, Record] = SortedDict({record.key: record for record in records})
        self._log = {revision.number: revision for revision in log}
        self._keep = keep
        self._advanced = asyncio.Event()
        self.closed = False
        self.revision = max(self._log, default=0)

    @property
    def oldest(self) -> int:
        """The oldest revision that is kept; when there is none yet, the one that comes first."""
        return self.revision - len(self._log) + 1

    def check_open(self) -> None:
        """Refuse what comes after closing.

        Raises:
            StoreClosedError: the state was closed.
        """
        if self.closed:
            raise StoreClosedError

    def get(self, key: str) -> Record | None:
        """The record of a key, or None."""
        self.check_open()
        return self._records.get(key)

    def list(self, prefix: str) -> tuple[int, tuple[Record, ...]]:
        """The current revision, and the records under a prefix, sorted by key."""
        self.check_open()
        under = takewhile(lambda key: key.startswith(prefix), self._records.irange(minimum=prefix))
        return self.revision, tuple([self._records[key] for key in under])

    def plan(self, commits: Iterable[Commit]) -> Plan:
        """What these commits come to on top of the current revision; nothing changes."""
        return plan_commits(self._records, self.revision, commits)

    def advance(self, revisions: Iterable[Revision]) -> None:
        """Make planned revisions, which are durable by now, visible to readers and watchers."""
        for revision in revisions:
            for change in revision.changes:
                self._change(change)
            self._log[revision.number] = revision
            self.revision = revision.number
            while len(self._log) > self._keep:
                del self._log[self.oldest]
        self._wake()

    def erase(self, key: str) -> None:
        """Empty what earlier revisions hold under a key."""
        current = self._records.get(key)
        kept = current.modified if current else 0
        for number, revision in self._log.items():
            if number != kept and any(change.key == key for change in revision.changes):
                changes = tuple(
                    [_emptied(change) if change.key == key else change for change in revision.changes]
                )
                self._log[number] = replace(revision, changes=changes)

    async def watch(self, prefix: str, after: int) -> AsyncIterator[Revision]:
        """Yield later revisions as far as they touch the prefix; a watcher holds nothing but its place."""
        while not self.closed:
            if after < self.oldest - 1:
                raise CompactedError(after, self.oldest)
            if after >= self.revision:
                await self._advanced.wait()
                continue
            after += 1
            if seen := _under(prefix, self._log[after]):
                yield seen

    def close(self) -> None:
        """Refuse readers from now on, and end the watches."""
        self.closed = True
        self._wake()

    def _change(self, change: Change) -> None:
        if change.record is None:
            del self._records[change.key]
        else:
            self._records[change.key] = change.record

    def _wake(self) -> None:
        self._advanced.set()
        self._advanced = asyncio.Event()


def _emptied(change: Change) -> Change:
    return replace(change, record=replace(change.record, value=b"")) if change.record else change


def _under(prefix: str, revision: Revision) -> Revision | None:
    changes = tuple([change for change in revision.changes if change.key.startswith(prefix)])
    if len(changes) == len(revision.changes):
        return revision
    return Revision(revision.number, revision.origin, changes) if changes else None
