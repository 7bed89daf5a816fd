"""A store that lives as long as its process: for tests, and for trying things out."""

from collections.abc import AsyncIterator

from xdsmesh.model.origin import Origin
from xdsmesh.store.base import Conflict, Record, Revision, Txn
from xdsmesh.store.plan import Commit
from xdsmesh.store.state import KEEP, State


class MemoryStore:
    """Keeps the store's contract in memory; a watch may start at most ``keep`` revisions ago."""

    def __init__(self, keep: int = KEEP) -> None:
        self._state = State(keep=keep)

    async def get(self, key: str) -> Record | None:
        """See `Store.get`."""
        return self._state.get(key)

    async def list(self, prefix: str) -> tuple[int, tuple[Record, ...]]:
        """See `Store.list`."""
        return self._state.list(prefix)

    async def commit(self, txn: Txn, origin: Origin) -> int | Conflict:
        """See `Store.commit`."""
        self._state.check_open()
        plan = self._state.plan([Commit(txn, origin)])
        self._state.advance(plan.revisions)
        return plan.outcomes[0]

    def watch(self, prefix: str, after: int) -> AsyncIterator[Revision]:
        """See `Store.watch`."""
        return self._state.watch(prefix, after)

    async def erase(self, key: str) -> None:
        """See `Store.erase`."""
        self._state.erase(key)

    async def close(self) -> None:
        """See `Store.close`."""
        self._state.close()
