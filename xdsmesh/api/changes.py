"""Which revision last changed each thing that can be read."""

from collections import OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from xdsmesh.catalog.view import destination
from xdsmesh.model.catalog import Instance
from xdsmesh.model.facts import Batch, Fact

Topic = tuple[str, ...]
"""Something that a read depends on: a thing, or all things of a sort, also while there are none."""

ALL_NODES: Final[Topic] = ("nodes",)
ALL_INSTANCES: Final[Topic] = ("instances",)
"""All registrations; whether an instance is healthy does not matter."""
ALL_CHECKS: Final[Topic] = ("checks",)

_KEEP: Final = 10_000
"""Of how many topics the last change is remembered; older changes share one revision."""


def entry_topic(kind: str, name: str) -> Topic:
    """A config entry."""
    return ("entry", kind, name)


def entries_topic(kind: str) -> Topic:
    """All config entries of a kind."""
    return ("entries", kind)


def node_topic(name: str) -> Topic:
    """A node with all that is on it, by its name in any case."""
    return ("node", name.casefold())


def instance_topic(instance_id: str) -> Topic:
    """The service instances with an id."""
    return ("instance", instance_id)


def service_topic(name: str) -> Topic:
    """All instances of a service with their checks, by its name in any case."""
    return ("service", name.casefold())


def destination_topic(name: str) -> Topic:
    """All that receives the mesh's calls to a service, by its name in any case."""
    return ("destination", name.casefold())


class Changes:
    """The last revision of each topic, up to the last batch that was taken in.

    A topic that has not changed since the start, or so long ago that it was forgotten, counts as changed at
    the latest revision that this can have been. So an index only ever grows, also over a restart, where
    deletions of before leave no trace.
    """

    def __init__(self) -> None:
        self._first = True
        self._floor = 0
        self._last: OrderedDict[Topic, int] = OrderedDict()  # oldest change first

    def index(self, topics: Collection[Topic]) -> int:
        """The last revision that changed one of these."""
        return max(self._floor, max((self._last.get(topic, 0) for topic in topics), default=0))

    def take(self, batch: Batch) -> Collection[Topic]:
        """Note what a batch changes; these topics."""
        if self._first:
            self._first = False
            self._floor = batch.revision
            return ()
        topics = {topic for fact in batch.facts for topic in _topics(fact)}
        for topic in topics:
            self._last[topic] = batch.revision
            self._last.move_to_end(topic)
        while len(self._last) > _KEEP:
            _, self._floor = self._last.popitem(last=False)
        return topics


def _topics(fact: Fact) -> Iterator[Topic]:
    match fact.key:
        case ("entry", kind, name):
            yield entry_topic(kind, name)
            yield entries_topic(kind)
        case ("node", name):
            yield ALL_NODES
            yield node_topic(name)
        case ("check", node, _):
            yield ALL_CHECKS
            yield node_topic(node)
        case ("instance", node, instance_id):
            yield instance_topic(instance_id)
            yield node_topic(node)
            yield from _topics_of_instance(fact)


def _topics_of_instance(fact: Fact) -> Iterator[Topic]:
    states = [each for each in (fact.before, fact.value) if isinstance(each, Instance)]
    if len(states) == 1 or _registered(states[0]) != _registered(states[-1]):
        yield ALL_INSTANCES
    for instance in states:
        yield service_topic(instance.service)
        called = destination(instance)
        if called is not None:
            yield destination_topic(called)


def _registered(instance: Instance) -> Instance:
    """The instance without what is found out about it."""
    return replace(instance, checks=())
