"""The catalog in memory, joined and by the groups in which it is looked up: what all reads are made of.

In the store nodes, instances, checks and what checks last said are records of their own, since each has a
writer of its own. Here an instance has its node and the checks that decide about it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from operator import attrgetter
from typing import Final, TypeVar

from xdsmesh.catalog import codec, keys
from xdsmesh.catalog.keys import Key
from xdsmesh.catalog.remote import PREFIXES, RemoteView
from xdsmesh.catalog.stored import Stored
from xdsmesh.config.entry import Entry
from xdsmesh.model.catalog import Instance, Kind, Node
from xdsmesh.model.checks import Check, CheckStatus
from xdsmesh.model.facts import Fact, FactKey
from xdsmesh.model.origin import Source
from xdsmesh.model.token import Token
from xdsmesh.store.base import Change

T = TypeVar("T")
V = TypeVar("V")

_NODE_LEVEL: Final = ""
"""The service id of the checks of a node."""


class Groups:
    """Members by the name of their group, in any case."""

    def __init__(self) -> None:
        self._members: defaultdict[str, dict[Key, None]] = defaultdict(dict)

    def of(self, name: str) -> tuple[Key, ...]:
        """The members of a group, sorted by id and then by node."""
        return tuple(sorted(self._members.get(name.casefold(), ()), key=_by_id))

    def names(self) -> Iterable[str]:
        """The groups that have members, in lower case."""
        return self._members.keys()

    def move(self, key: Key, before: str | None, after: str | None) -> None:
        """Take a member out of one group and into another; None is no group."""
        if before == after:
            return
        if before is not None:
            members = self._members[before.casefold()]
            members.pop(key, None)
            if not members:
                del self._members[before.casefold()]
        if after is not None:
            self._members[after.casefold()][key] = None


class CatalogView:
    """All values of the catalog at one revision of the store. ``take`` brings it to the next."""

    def __init__(self) -> None:
        self.entries: dict[Key, Stored[Entry]] = {}
        self.nodes: dict[str, Stored[Node]] = {}
        self.instances: dict[Key, Stored[Instance]] = {}
        self.checks: dict[Key, Stored[Check]] = {}
        self.tokens: dict[str, Stored[Token]] = {}
        self.remote: Final = RemoteView()
        self.by_service: Final = Groups()
        """Instances by the service that they are of."""
        self.by_destination: Final = Groups()
        """Instances by the service whose calls from the mesh they receive: sidecars, and native ones."""
        self._of_kind: defaultdict[str, dict[Key, None]] = defaultdict(dict)
        self._by_id: Final = Groups()
        self._on_node: Final = Groups()
        self._groups: Final[tuple[tuple[Groups, Callable[[Instance], str | None]], ...]] = (
            (self.by_service, attrgetter("service")),
            (self.by_destination, destination),
            (self._by_id, attrgetter("id")),
            (self._on_node, attrgetter("node.name")),
        )
        self._checks_of: defaultdict[Key, dict[str, None]] = defaultdict(dict)
        self._bare: dict[Key, Stored[Instance]] = {}
        self._definitions: dict[Key, Stored[Check]] = {}
        self._statuses: dict[Key, Stored[CheckStatus]] = {}

    def entries_of(self, kind: str) -> list[Stored[Entry]]:
        """The config entries of a kind, sorted by name."""
        return [self.entries[key] for key in sorted(self._of_kind.get(kind, ()))]

    def node(self, name: str) -> Stored[Node] | None:
        """A node by its name, in any case."""
        exact = self.nodes.get(name)
        if exact:
            return exact
        folded = name.casefold()
        return next((each for each in self.nodes.values() if each.value.name.casefold() == folded), None)

    def own_node(self) -> str:
        """The name of the server's own node; empty before it is known."""
        own = (each.value.name for each in self.nodes.values() if each.origin.source is Source.SERVER)
        return next(own, "")

    def node_of(self, instance: Stored[Instance]) -> Stored[Node]:
        """The node of an instance. One that nobody has registered has the instance's revisions."""
        node = instance.value.node
        known = self.nodes.get(node.name)
        return known or Stored(node, instance.origin, instance.created, instance.modified)

    def instances_on(self, node: str) -> list[Stored[Instance]]:
        """The instances on a node, sorted by id."""
        return [self.instances[key] for key in self._on_node.of(node)]

    def instances_of(self, service: str) -> list[Stored[Instance]]:
        """The instances of a service, by its name in any case, sorted by id."""
        return [self.instances[key] for key in self.by_service.of(service)]

    def instances_before(self, service: str) -> list[Stored[Instance]]:
        """The instances that receive the mesh's calls to a service, sorted by id."""
        return [self.instances[key] for key in self.by_destination.of(service)]

    def instances_with(self, instance_id: str) -> list[Stored[Instance]]:
        """The instances that have an id, in any case, on whichever node."""
        return [self.instances[key] for key in self._by_id.of(instance_id)]

    def checks_of(self, node: str, service_id: str = _NODE_LEVEL) -> list[Stored[Check]]:
        """The checks of an instance alone, or those of the node itself, sorted by id."""
        return [self.checks[node, each] for each in sorted(self._checks_of.get((node, service_id), ()))]

    def deciding_checks(self, instance: Instance) -> list[Stored[Check]]:
        """The checks that decide about an instance: its node's, and its own."""
        node = instance.node.name
        return [*self.checks_of(node), *self.checks_of(node, instance.id)]

    def take(self, changes: Iterable[Change]) -> tuple[Fact, ...]:
        """Take in what a revision changed; the facts that are different now, joined."""
        facts: list[Fact] = []
        checks: dict[Key, None] = {}
        instances: dict[Key, None] = {}
        for change in changes:
            prefix = change.key.partition("/")[0] + "/"
            match prefix:
                case keys.ENTRIES:
                    facts.append(self._take_entry(change))
                case keys.NODES:
                    facts.append(self._take_node(change))
                    instances.update(dict.fromkeys(self._on_node.of(keys.node_name(change.key))))
                case keys.INSTANCES:
                    key = keys.instance_id(change.key)
                    _set(self._bare, key, change, codec.decode_instance)
                    instances[key] = None
                case keys.CHECKS:
                    key = keys.check_id(change.key)
                    _set(self._definitions, key, change, codec.decode_check)
                    checks[key] = None
                case keys.STATUSES:
                    key = keys.check_id(change.key)
                    _set(self._statuses, key, change, codec.decode_status)
                    checks[key] = None
                case keys.TOKENS:
                    facts.append(self._take_token(change))
                case other if other in PREFIXES:
                    facts.extend(filter(None, [self.remote.take(change)]))
        for key in checks:
            facts.extend(self._join_check(key, instances))
        there = [key for key in instances if key in self._bare or key in self.instances]  # not just checks
        facts.extend([self._join_instance(key) for key in there])
        return tuple(facts)

    def _take_entry(self, change: Change) -> Fact:
        key = keys.entry_name(change.key)
        before = self.entries.pop(key, None)
        self._of_kind[key[0]].pop(key, None)
        if change.record:
            self.entries[key] = codec.stored_entry(change.record)
            self._of_kind[key[0]][key] = None
        return _fact(("entry", *key), before, self.entries.get(key))

    def _take_node(self, change: Change) -> Fact:
        name = keys.node_name(change.key)
        before = self.nodes.get(name)
        _set(self.nodes, name, change, codec.decode_node)
        return _fact(("node", name), before, self.nodes.get(name))

    def _take_token(self, change: Change) -> Fact:
        accessor = keys.token_accessor(change.key)
        before = self.tokens.get(accessor)
        _set(self.tokens, accessor, change, codec.decode_token)
        return _fact(("token", accessor), before, self.tokens.get(accessor))

    def _join_check(self, key: Key, touched: dict[Key, None]) -> Iterator[Fact]:
        """A check with what it last said; whose instances are ``touched`` by it."""
        before, definition = self.checks.pop(key, None), self._definitions.get(key)
        if before is None and definition is None:
            return
        after = _joined_check(definition, self._statuses.get(key)) if definition else None
        if after:
            self.checks[key] = after
        for each in (before, after):
            if each:
                self._touch(key[0], each.value.service_id, touched)
        if before:
            self._drop_check(key, before.value.service_id)
        if after:
            self._checks_of[key[0], after.value.service_id][key[1]] = None
        yield _fact(("check", *key), before, after)

    def _touch(self, node: str, service_id: str, touched: dict[Key, None]) -> None:
        owners = [(node, service_id)] if service_id else self._on_node.of(node)
        touched.update(dict.fromkeys(owners))

    def _drop_check(self, key: Key, service_id: str) -> None:
        owner = (key[0], service_id)
        self._checks_of[owner].pop(key[1], None)
        if not self._checks_of[owner]:
            del self._checks_of[owner]

    def _join_instance(self, key: Key) -> Fact:
        before, bare = self.instances.pop(key, None), self._bare.get(key)
        after = replace(bare, value=self._joined(bare.value)) if bare else None
        if after:
            self.instances[key] = after
        for groups, name_of in self._groups:
            names = (name_of(each.value) if each else None for each in (before, after))
            groups.move(key, *names)
        return _fact(("instance", *key), before, after)

    def _joined(self, bare: Instance) -> Instance:
        node = self.nodes.get(bare.node.name)
        checks = tuple([each.value for each in self.deciding_checks(bare)])
        return replace(bare, node=node.value if node else bare.node, checks=checks)


def destination(instance: Instance) -> str | None:
    """The service whose calls an instance receives from the mesh; None: of no service."""
    if instance.kind is Kind.CONNECT_PROXY and instance.proxy:
        return instance.proxy.destination_service_name
    return instance.service if instance.native else None


def _joined_check(definition: Stored[Check], status: Stored[CheckStatus] | None) -> Stored[Check]:
    if status is None:
        return definition
    said = status.value
    return replace(
        definition,
        value=replace(definition.value, status=said.status, output=said.output),
        modified=max(definition.modified, status.modified),
    )


def _set(values: dict[T, Stored[V]], key: T, change: Change, decode: Callable[[bytes], V]) -> None:
    if change.record is None:
        values.pop(key, None)
    else:
        values[key] = codec.stored(change.record, decode)


def _fact(key: FactKey, before: Stored[object] | None, after: Stored[object] | None) -> Fact:
    return Fact(
        key,
        after.value if after else None,
        after.origin if after else None,
        before=before.value if before else None,
    )


def _by_id(key: Key) -> Key:
    return key[1], key[0]
