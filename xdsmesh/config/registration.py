"""Registrations with the catalog: a node, and perhaps a service and checks on it, in one body.

Shape: https://developer.hashicorp.com/consul/api-docs/catalog#register-entity.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, ClassVar, Final, Self

from msgspec import Meta, field, structs

from xdsmesh.config import check_definition, paths, rules
from xdsmesh.config.entry import Definition, Opaque, Shape
from xdsmesh.config.location import LocalityDefinition
from xdsmesh.config.service import ServiceDefinition, WeightsDefinition, expand
from xdsmesh.config.wording import quoted
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.checks import Check, CheckType, Health
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ECHOED: Final = frozenset({"CreateIndex", "ModifyIndex", "PeerName", "RaftIndex", "WriteRequest"})
"""What a reply shows, and a caller may send back."""


class CatalogWeights(WeightsDefinition, frozen=True):
    """Weights as Go's client sends them: where none are given, both are 0."""

    passing: Annotated[int, Meta(ge=0, le=65535)] = 1


class CatalogService(ServiceDefinition, frozen=True, kw_only=True):
    """A service of a node; its name is under ``Service``, as replies have it. It gets no sidecar."""

    IGNORED: ClassVar[frozenset[str]] = ServiceDefinition.IGNORED | _ECHOED | {"ContentHash", "Datacenter"}

    service: str = ""
    weights: CatalogWeights = CatalogWeights()

    def normalize(self) -> Self:
        """The service under the key that service definitions have, with its id."""
        weights = self.weights if self.weights.passing else CatalogWeights()
        named = structs.replace(self, name=self.service or self.name, service="", weights=weights)
        return named.as_definition()

    def as_definition(self) -> Self:
        """The normalized service definition."""
        return super().normalize()

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the service; ``Place`` has the path inside it."""
        if self.name:
            yield from super().problems()
        else:
            what, remedy = "Must provide service name with ID", 'add Service = "..."'
            yield rules.problem("Service", what, remedy, code=Code.REQUIRED)
        if self.sidecar is not None:
            what = "the catalog makes no sidecars: an agent does, or register the proxy by itself"
            yield rules.problem("Connect.SidecarService", what, "remove it", code=Code.EXCLUDE_EACH_OTHER)


class CatalogCheck(Shape, frozen=True):
    """A check that somebody else makes; it is kept as it is said."""

    IGNORED: ClassVar[frozenset[str]] = _ECHOED | {"ExposedPort", "Interval", "Timeout", "ServiceTags"}

    node: str = ""
    check_id: str = field(default="", name="CheckID")
    name: str = ""
    status: str = ""
    notes: str = ""
    output: str = ""
    service_id: str = field(default="", name="ServiceID")
    service_name: str = ""
    type: str = ""
    definition: Opaque = field(default_factory=dict)

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the check."""
        if not (self.check_id or self.name):
            what = "a check needs a CheckID or a Name"
            yield rules.problem(path, what, "add one of them", code=Code.REQUIRED)
        for label, text in (("CheckID", self.check_id), ("Name", self.name), ("ServiceID", self.service_id)):
            yield from rules.printable(paths.join(path, label), text)
        yield from rules.one_of(paths.join(path, "Status"), self.status, [each.value for each in Health])
        yield from check_definition.problems(paths.join(path, "Definition"), self.definition)

    def check(self, node: str) -> Check:
        """The catalog's form of it; one that names no service is of the node, whatever it comes with."""
        known = self.type in list(CheckType)
        return Check(
            id=self.check_id or self.name,
            name=self.name,
            status=Health(self.status),
            notes=self.notes,
            output=self.output,
            service_id=self.service_id,
            node=node,
            type=CheckType(self.type) if known else CheckType.NONE,
            definition=check_definition.canonical(self.definition),
        )


class CatalogRegistration(Definition, frozen=True, kw_only=True):
    """A node, and what is registered on it together."""

    IGNORED: ClassVar[frozenset[str]] = _ECHOED

    id: str = field(default="", name="ID")
    node: str = ""
    address: str = ""
    datacenter: str = ""
    tagged_addresses: dict[str, str] = field(default_factory=dict)
    node_meta: dict[str, str] = field(default_factory=dict)
    service: CatalogService | None = None
    check: CatalogCheck | None = None
    checks: list[CatalogCheck] = field(default_factory=list)
    skip_node_update: bool = False
    locality: LocalityDefinition | None = None

    def normalize(self) -> Self:
        """The registration with its service in canonical form."""
        return structs.replace(self, service=self.service.normalize() if self.service else None)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized registration by itself."""
        yield from _node_problems("Node", self.node)
        if not self.address and not self.skip_node_update:
            what, remedy = "Must provide address if SkipNodeUpdate is not set", "add Address"
            yield rules.problem("Address", what, remedy, code=Code.REQUIRED)
        yield from rules.host("Address", self.address)
        if self.id and not _UUID.fullmatch(self.id):
            what = f"ID {quoted(self.id)} is not a UUID"
            yield rules.problem("ID", what, "leave it out, or write a UUID", code=Code.NAME)
        for tag, address in self.tagged_addresses.items():
            yield from rules.host(paths.key("TaggedAddresses", tag), address)
        yield from rules.meta("NodeMeta", self.node_meta)
        if self.locality:
            yield from self.locality.problems("Locality")
        if self.service:
            yield from _inside("Service", self.service.problems())
        for path, check in self._checks():
            yield from check.problems(path)
            if check.node and check.node.casefold() != self.node.casefold():
                what = f"the check is of the node {quoted(check.node)}, and this is {quoted(self.node)}"
                yield rules.problem(paths.join(path, "Node"), what, "remove it", code=Code.EXCLUDE_EACH_OTHER)

    def on(self, node: str) -> Self:
        """The same on a node whose name is known to be written so."""
        return structs.replace(self, node=node)

    def as_node(self, datacenter: str) -> Node:
        """The catalog's form of the node."""
        return Node(
            self.node,
            self.address,
            datacenter,
            self.node_meta,
            id=self.id.lower(),
            tagged_addresses=self.tagged_addresses,
            locality=self.locality.locality() if self.locality else None,
        )

    def instance(self, node: Node) -> Instance | None:
        """The catalog's form of the service, without checks."""
        if self.service is None:
            return None
        (instance,) = expand(self.service, node, lambda _: 0)
        return replace(instance, checks=())

    def all_checks(self) -> tuple[Check, ...]:
        """The catalog's form of all checks."""
        return tuple(check.check(self.node) for _, check in self._checks())

    def _checks(self) -> Iterator[tuple[str, CatalogCheck]]:
        if self.check not in (None, CatalogCheck()):
            yield "Check", self.check or CatalogCheck()
        for index, check in enumerate(self.checks):
            yield paths.item("Checks", index), check


class CatalogDeregistration(Definition, frozen=True, kw_only=True):
    """A node to remove; or only one service of it, or only one check."""

    IGNORED: ClassVar[frozenset[str]] = frozenset({"Address"}) | _ECHOED

    node: str = ""
    datacenter: str = ""
    service_id: str = field(default="", name="ServiceID")
    check_id: str = field(default="", name="CheckID")

    def problems(self) -> Iterator[Problem]:
        """What is wrong with it."""
        yield from _node_problems("Node", self.node)


def _node_problems(path: str, name: str) -> Iterator[Problem]:
    if not name:
        yield rules.problem(path, "Must provide node", 'add Node = "..."', code=Code.REQUIRED)
    yield from rules.printable(path, name)
    if "/" in name:
        yield rules.problem(path, f"{quoted(name)} has a slash", "rename the node", code=Code.NAME)


def _inside(path: str, problems: Iterator[Problem]) -> Iterator[Problem]:
    for problem in problems:
        inner = problem.place.path
        yield replace(problem, place=replace(problem.place, path=paths.join(path, inner) if inner else path))
