"""Service definitions, as files and the agent API write them, and the instances that they stand for.

Shape: https://developer.hashicorp.com/consul/docs/reference/service.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Annotated, ClassVar, Final, Self

from msgspec import Meta, field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Definition, Port, Shape
from xdsmesh.config.health import CheckDefinition, make_checks
from xdsmesh.config.proxy import ProxyDefinition
from xdsmesh.config.wording import quoted
from xdsmesh.model.catalog import Instance, Kind, Node, Weights
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

_GATEWAYS: Final = ("api-gateway", "ingress-gateway", "mesh-gateway", "terminating-gateway")
SIDECAR: Final = "-sidecar-proxy"
"""What the id of a service is followed by in that of its sidecar."""
_SIDECAR_PATH: Final = "Connect.SidecarService"


class WeightsDefinition(Shape, frozen=True):
    """An instance's share of the traffic, by its health."""

    passing: Annotated[int, Meta(ge=1, le=65535)] = 1
    warning: Annotated[int, Meta(ge=0, le=65535)] = 1


class ConnectDefinition(Shape, frozen=True):
    """How a service takes part in the mesh."""

    UNBUILT: ClassVar[frozenset[str]] = frozenset({"Native"})

    sidecar_service: "ServiceDefinition | None" = None

    def normalize(self) -> Self:
        """The sidecar with a lower-case protocol. It gets no id here: that follows from its service's."""
        sidecar = self.sidecar_service
        if sidecar is None or sidecar.proxy is None:
            return self
        return structs.replace(
            self, sidecar_service=structs.replace(sidecar, proxy=sidecar.proxy.normalize())
        )


class ServiceDefinition(Definition, frozen=True, kw_only=True):
    """One instance of a service, or a sidecar: beside the service that holds it, or registered by itself."""

    UNBUILT: ClassVar[frozenset[str]] = frozenset(
        {"EnableTagOverride", "Locality", "Ports", "SocketPath", "TaggedAddresses", "Token"}
    )
    IGNORED: ClassVar[frozenset[str]] = frozenset({"WriteRequest"})

    kind: str = ""
    id: str = field(default="", name="ID")
    name: str = ""
    tags: list[str] = field(default_factory=list)
    address: str = ""
    port: Port = 0
    meta: dict[str, str] = field(default_factory=dict)
    weights: WeightsDefinition = WeightsDefinition()
    check: CheckDefinition | None = None
    checks: list[CheckDefinition] = field(default_factory=list)
    connect: ConnectDefinition | None = None
    proxy: ProxyDefinition | None = None

    @property
    def sidecar(self) -> "ServiceDefinition | None":
        """What is said about the sidecar to make, if one is wanted."""
        return self.connect.sidecar_service if self.connect else None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the instances that a normalized definition stands for."""
        return (self.id,) if self.sidecar is None else (self.id, self.id + SIDECAR)

    def normalize(self) -> Self:
        """The definition with its id, and with lower-case protocols."""
        proxy = self.proxy.normalize() if self.proxy else None
        connect = self.connect.normalize() if self.connect else None
        return structs.replace(self, id=self.id or self.name, proxy=proxy, connect=connect)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized definition by itself; each ``Place`` has just a field path."""
        yield from rules.name("Name", self.name)
        if not self.id.isprintable():
            what = "ID holds characters that can't be printed"
            yield rules.problem("ID", what, code=Code.CONTROL_CHARACTER)
        yield from _common_problems(self, "")
        if self.kind == Kind.CONNECT_PROXY:
            yield from _proxy_problems(self)
        else:
            yield from _service_problems(self)
        if self.sidecar is not None:
            yield from _sidecar_problems(self.sidecar)


def expand(
    definition: ServiceDefinition, node: Node, sidecar_port: Callable[[Instance], int]
) -> tuple[Instance, ...]:
    """The instance of a normalized definition without problems, and its sidecar if it wants one.

    Args:
        definition: The definition.
        node: Where the instance runs.
        sidecar_port: Gives the port of a sidecar that names none; it is shown the sidecar with port 0.

    Facts: https://developer.hashicorp.com/consul/docs/reference/proxy/sidecar#sidecar-service-defaults. The
    default checks of sidecars are not made, since nothing probes yet.
    """
    proxy = definition.proxy if definition.kind == Kind.CONNECT_PROXY else None
    service = replace(
        _instance(definition, definition.id, definition.name, node),
        kind=Kind(definition.kind),
        proxy=proxy.proxy("", "", 0) if proxy else None,
    )
    if definition.sidecar is None:
        return (service,)
    sidecar = _sidecar(definition.sidecar, service)
    return service, sidecar if sidecar.port else replace(sidecar, port=sidecar_port(sidecar))


def _sidecar(definition: ServiceDefinition, service: Instance) -> Instance:
    name = definition.name or service.service + SIDECAR
    own = _instance(definition, service.id + SIDECAR, name, service.node)
    proxy = definition.proxy or ProxyDefinition()
    return replace(
        own,
        kind=Kind.CONNECT_PROXY,
        address=own.address or service.address,
        tags=own.tags or service.tags,
        meta=own.meta or service.meta,
        proxy=proxy.proxy(service.service, service.id, service.port),
        sidecar_of=service.id,
    )


def _instance(definition: ServiceDefinition, own_id: str, name: str, node: Node) -> Instance:
    given = [check for _, check in _checks(definition, "")]
    return Instance(
        id=own_id,
        service=name,
        node=node,
        address=definition.address,
        port=definition.port,
        tags=tuple(definition.tags),
        meta=definition.meta,
        weights=Weights(definition.weights.passing, definition.weights.warning),
        checks=make_checks(given, name, own_id),
    )


def _checks(definition: ServiceDefinition, path: str) -> Iterator[tuple[str, CheckDefinition]]:
    """The checks that are not empty, under both keys, with their paths."""
    if definition.check not in (None, CheckDefinition()):
        yield paths.join(path, "Check"), definition.check or CheckDefinition()
    for index, check in enumerate(definition.checks):
        yield paths.item(paths.join(path, "Checks"), index), check


def _common_problems(definition: ServiceDefinition, path: str) -> Iterator[Problem]:
    """What services and sidecars are both asked."""
    yield from _address_problems(paths.join(path, "Address"), definition.address)
    yield from rules.service_meta(paths.join(path, "Meta"), definition.meta)
    seen: set[str] = set()
    for at, check in _checks(definition, path):
        yield from check.problems(at)
        if check.own_id in seen:
            what = f"the check {check.own_id} is given twice"
            yield rules.problem(at, what, "keep one of them", code=Code.GIVEN_TWICE)
        seen |= {check.own_id} - {""}
    if definition.proxy:
        yield from definition.proxy.problems(paths.join(path, "Proxy"))


def _address_problems(path: str, address: str) -> Iterator[Problem]:
    wrong = list(rules.address(path, address))
    yield from wrong
    if address and not wrong and ip_address(address).is_unspecified:
        what = f"Address {address} is none that others can reach"
        yield rules.problem(path, what, "leave it out to use the node's", code=Code.ADDRESS)


def _service_problems(definition: ServiceDefinition) -> Iterator[Problem]:
    if definition.kind in _GATEWAYS:
        what = f"services of the kind {definition.kind} are not built yet"
        yield rules.problem("Kind", what, code=Code.NOT_BUILT)
    elif definition.kind != Kind.TYPICAL:
        what = f"{quoted(definition.kind)} is not a kind of service"
        yield rules.problem("Kind", what, "leave it out, or use connect-proxy", code=Code.NOT_A_CHOICE)
    elif definition.proxy not in (None, ProxyDefinition()):
        what = "Proxy is for services of the kind connect-proxy"
        yield rules.problem("Proxy", what, f"move it into {_SIDECAR_PATH}", code=Code.EXCLUDE_EACH_OTHER)


def _proxy_problems(definition: ServiceDefinition) -> Iterator[Problem]:
    proxy = definition.proxy or ProxyDefinition()
    yield from rules.name("Proxy.DestinationServiceName", proxy.destination_service_name)
    if not definition.port:
        what = "a connect-proxy that is registered by itself needs a Port"
        yield rules.problem("Port", what, "add Port", code=Code.REQUIRED)
    if definition.sidecar is not None:
        what = "a connect-proxy has no sidecar of its own"
        yield rules.problem(_SIDECAR_PATH, what, "remove it", code=Code.EXCLUDE_EACH_OTHER)


def _sidecar_problems(sidecar: ServiceDefinition) -> Iterator[Problem]:
    yield from _common_problems(sidecar, _SIDECAR_PATH)
    yield from rules.reference(f"{_SIDECAR_PATH}.Name", sidecar.name)
    if sidecar.kind not in (Kind.TYPICAL, Kind.CONNECT_PROXY):
        what = f"a sidecar is a connect-proxy, not {quoted(sidecar.kind)}"
        yield rules.problem(f"{_SIDECAR_PATH}.Kind", what, "remove it", code=Code.NOT_A_CHOICE)
    if sidecar.id:
        what = f"the ID of a sidecar is that of its service followed by {SIDECAR}"
        yield rules.problem(f"{_SIDECAR_PATH}.ID", what, "remove it", code=Code.EXCLUDE_EACH_OTHER)
    if sidecar.sidecar is not None:
        what = "a sidecar has no sidecar of its own"
        yield rules.problem(f"{_SIDECAR_PATH}.Connect", what, "remove it", code=Code.EXCLUDE_EACH_OTHER)
