"""Which revision last changed each thing that can be read; fed by the store's watch."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from typing import Final

from xdsmesh.catalog.feed import batches
from xdsmesh.model.catalog import Instance
from xdsmesh.model.facts import Batch, Fact
from xdsmesh.store.base import Store

Topic = tuple[str, ...]
"""Something that a read depends on: a thing, or all things of a sort, also while there are none."""

ALL_INSTANCES: Final[Topic] = ("instances",)

_KEEP: Final = 10_000
"""Of how many topics the last change is remembered; older changes share one revision."""

_NO_KEY: Final = "\U0010ffff"
"""No key of the store begins with this: a list of nothing, to learn the store's revision."""


def entry_topic(kind: str, name: str) -> Topic:
    """A config entry."""
    return ("entry", kind, name)


def entries_topic(kind: str) -> Topic:
    """All config entries of a kind."""
    return ("entries", kind)


def instance_topic(instance_id: str) -> Topic:
    """A service instance."""
    return ("instance", instance_id)


def service_topic(name: str) -> Topic:
    """All instances of a service, by its name in any case."""
    return ("service", name.casefold())


class Changes:
    """The last revision of each topic, up to ``revision``; it follows the store without pause.

    A topic that has not changed since the start, or so long ago that it was forgotten, counts as changed at
    the latest revision that this can have been. So an index only ever grows, also over a restart, where
    deletions of before leave no trace.
    """

    def __init__(self, store: Store) -> None:
        self.revision = -1
        self._store = store
        self._floor = 0
        self._last: dict[Topic, int] = {}
        self._members = _Members()
        self._moved = asyncio.Event()
        self._ended = False

    def index(self, topics: Collection[Topic]) -> int:
        """The last revision that changed one of these."""
        return max(self._floor, max((self._last.get(topic, 0) for topic in topics), default=0))

    def ids_of(self, service: str) -> tuple[str, ...]:
        """The ids of the instances of a service, by its name in any case, sorted."""
        return self._members.ids_of(service)

    async def catch_up(self) -> None:
        """Return once everything is in that the store has acknowledged by now."""
        await self.reach(await self.latest())

    async def latest(self) -> int:
        """The store's revision; what it changed may still be on its way to us."""
        revision, _ = await self._store.list(_NO_KEY)
        return revision

    async def reach(self, revision: int) -> None:
        """Return once everything up to a revision of the store is in."""
        while self.revision < revision and not self._ended:
            await self._moved.wait()

    async def follow(self, changed: Callable[[Collection[Topic]], None]) -> None:
        """Take in what the store has and what changes in it, and pass on which topics, until it is closed."""
        try:
            async for batch in batches(self._store):
                changed(self._take_in(batch))
                self._moved.set()
                self._moved = asyncio.Event()
        finally:
            self._ended = True
            self._moved.set()

    def _take_in(self, batch: Batch) -> Collection[Topic]:
        first = self.revision < 0
        self.revision = batch.revision
        topics = {topic for fact in batch.facts for topic in self._topics(fact)}
        if first:
            self._floor = batch.revision
            return ()
        for topic in topics:
            self._last.pop(topic, None)  # the dict stays in the order of the changes
            self._last[topic] = batch.revision
        while len(self._last) > _KEEP:
            self._floor = self._last.pop(next(iter(self._last)))
        return topics

    def _topics(self, fact: Fact) -> Iterator[Topic]:
        match fact.key:
            case ("entry", kind, name):
                yield entry_topic(kind, name)
                yield entries_topic(kind)
            case ("instance", instance_id):
                yield instance_topic(instance_id)
                yield ALL_INSTANCES
                service = fact.value.service if isinstance(fact.value, Instance) else None
                for name in self._members.move(instance_id, service):
                    yield service_topic(name)


class _Members:
    """Which instances each service has. Only names are kept; the store has the rest."""

    def __init__(self) -> None:
        self._service: dict[str, str] = {}
        self._ids: defaultdict[str, set[str]] = defaultdict(set)

    def ids_of(self, service: str) -> tuple[str, ...]:
        return tuple(sorted(self._ids.get(service.casefold(), ())))

    def move(self, instance_id: str, service: str | None) -> set[str]:
        """Note whose instance this is now, None: nobody's; the services that it changes."""
        before = self._service.pop(instance_id, None)
        if before is not None:
            self._ids[before].discard(instance_id)
            if not self._ids[before]:
                del self._ids[before]
        if service is None:
            return {before} if before is not None else set()
        now = service.casefold()
        self._service[instance_id] = now
        self._ids[now].add(instance_id)
        return {now} if before is None else {before, now}
