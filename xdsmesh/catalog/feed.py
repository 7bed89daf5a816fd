"""The one way in: the store's revisions, whoever wrote them, as joined facts for all who live on them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

import structlog

from xdsmesh.catalog.view import CatalogView
from xdsmesh.model.facts import Batch
from xdsmesh.store.base import Change, CompactedError, Store

log = structlog.get_logger(__name__)

Listener = Callable[[Batch], object]

_NO_KEY: Final = "\U0010ffff"
"""No key of the store begins with this: a list of nothing, to learn the store's revision."""


class Feed:
    """Follows the store without pause: first the ``view``, then the listeners, in one step of the event loop.

    ``revision`` is the store's revision up to which the view and all listeners have everything.
    """

    def __init__(self, store: Store) -> None:
        self.revision = -1
        self.view: Final = CatalogView()
        self._store = store
        self._known: set[str] = set()
        self._listeners: list[Listener] = []
        self._moved = asyncio.Event()
        self._ended = False

    def listen(self, listener: Listener) -> None:
        """Pass every batch on to a listener, which must be quick; the first one is everything there is."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Follow until the store is closed, or this is cancelled."""
        try:
            async for revision, changes in self._revisions():
                self._pass_on(revision, changes)
        finally:
            self._ended = True
            self._moved.set()

    async def latest(self) -> int:
        """The store's revision; what it changed may still be on its way to us."""
        revision, _ = await self._store.list(_NO_KEY)
        return revision

    async def reach(self, revision: int) -> None:
        """Return once everything up to a revision of the store is in."""
        await self.until(lambda: self.revision >= revision)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once a condition holds of the view."""
        while not condition() and not self._ended:
            await self._moved.wait()

    async def catch_up(self) -> None:
        """Return once everything is in that the store has acknowledged by now."""
        await self.reach(await self.latest())

    def _pass_on(self, revision: int, changes: Iterable[Change]) -> None:
        batch = Batch(revision, self.view.take(changes))
        self.revision = revision
        for listener in self._listeners:
            listener(batch)
        self._moved.set()
        self._moved = asyncio.Event()

    async def _revisions(self) -> AsyncIterator[tuple[int, tuple[Change, ...]]]:
        """Everything, then each revision; where the store no longer keeps the next one, everything again."""
        while True:
            revision, records = await self._store.list("")
            changes = [Change(record.key, record) for record in records]
            keys = {record.key for record in records}
            gone = [Change(key, None) for key in sorted(self._known - keys)]
            self._known = keys
            yield revision, (*gone, *changes)
            try:
                async for each in self._store.watch("", revision):
                    self._remember(each.changes)
                    yield each.number, each.changes
            except CompactedError as error:
                log.warning("store was compacted: listing again", reason=str(error))
                continue
            return

    def _remember(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.record:
                self._known.add(change.key)
            else:
                self._known.discard(change.key)
