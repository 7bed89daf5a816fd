"""Service definitions, as files and the agent API write them, and the instances that they stand for.

Shape: https://developer.hashicorp.com/consul/docs/reference/service.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, ClassVar, Final, Self

from msgspec import Meta, field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Definition, Port, Shape
from xdsmesh.config.health import CheckDefinition, check_ids, make_checks
from xdsmesh.config.location import (
    LocalityDefinition,
    TaggedAddress,
    address_problems,
    with_tags_of_family,
)
from xdsmesh.config.proxy import ProxyDefinition
from xdsmesh.config.wording import quoted
from xdsmesh.model.address import host_port
from xdsmesh.model.catalog import Instance, Kind, Node, Proxy, ServiceAddress, Weights
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

_KINDS: Final = tuple(kind.value for kind in Kind)
_WITHOUT_PORT: Final = (Kind.INGRESS_GATEWAY, Kind.API_GATEWAY)
"""Gateways whose ports follow from their config entries."""
_FEDERATION: Final = "consul-wan-federation"
SIDECAR: Final = "-sidecar-proxy"
"""What the id of a service is followed by in that of its sidecar."""
_SIDECAR_PATH: Final = "Connect.SidecarService"
_LISTENING_EVERY: Final = Duration.of(seconds=10)


class WeightsDefinition(Shape, frozen=True):
    """An instance's share of the traffic, by its health."""

    passing: Annotated[int, Meta(ge=1, le=65535)] = 1
    warning: Annotated[int, Meta(ge=0, le=65535)] = 1


class ConnectDefinition(Shape, frozen=True):
    """How a service takes part in the mesh: with a sidecar, or by speaking the mesh's TLS itself."""

    native: bool = False
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
    """One instance of a service, a sidecar (in the service that holds it, or by itself), or a gateway."""

    UNBUILT: ClassVar[frozenset[str]] = frozenset({"Ports", "SocketPath"})
    IGNORED: ClassVar[frozenset[str]] = frozenset({"Token", "WriteRequest"})

    kind: str = ""
    id: str = field(default="", name="ID")
    name: str = ""
    tags: list[str] = field(default_factory=list)
    address: str = ""
    tagged_addresses: dict[str, TaggedAddress] = field(default_factory=dict)
    port: Port = 0
    meta: dict[str, str] = field(default_factory=dict)
    weights: WeightsDefinition = WeightsDefinition()
    check: CheckDefinition | None = None
    checks: list[CheckDefinition] = field(default_factory=list)
    connect: ConnectDefinition | None = None
    proxy: ProxyDefinition | None = None
    enable_tag_override: bool = False
    locality: LocalityDefinition | None = None

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
        yield from _name_problems(self)
        yield from rules.printable("ID", self.id)
        yield from _common_problems(self, "")
        if self.kind not in _KINDS:
            what = f"{quoted(self.kind)} is not a kind of service"
            remedy = f"leave it out, or use one of {', '.join(kind for kind in _KINDS if kind)}"
            yield rules.problem("Kind", what, remedy, code=Code.NOT_A_CHOICE)
        elif Kind(self.kind).is_proxy:
            yield from _proxy_problems(self)
        else:
            yield from _service_problems(self)
        if self.sidecar is not None:
            yield from _sidecar_problems(self.sidecar)
        yield from _repeated_checks(self)


def expand(
    definition: ServiceDefinition, node: Node, sidecar_port: Callable[[Instance], int]
) -> tuple[Instance, ...]:
    """The instance of a normalized definition without problems, and its sidecar if it wants one.

    Args:
        definition: The definition.
        node: Where the instance runs.
        sidecar_port: Gives the port of a sidecar that names none; it is shown the sidecar with port 0.

    Facts: https://developer.hashicorp.com/consul/docs/reference/proxy/sidecar#sidecar-service-defaults.
    """
    kind = Kind(definition.kind)
    proxy = definition.proxy or ProxyDefinition()
    service = replace(
        _instance(definition, definition.id, definition.name, node),
        kind=kind,
        proxy=proxy.proxy("", "", 0) if kind.is_proxy else None,
        native=definition.connect is not None and definition.connect.native,
    )
    if definition.sidecar is None:
        return (_tagged(service),)
    proxy = definition.sidecar.proxy or ProxyDefinition()
    sidecar = _sidecar(definition.sidecar, service, proxy.proxy(service.service, service.id, service.port))
    placed = sidecar if sidecar.port else replace(sidecar, port=sidecar_port(sidecar))
    return _tagged(service), _tagged(_checked(placed))


def _sidecar(definition: ServiceDefinition, service: Instance, proxy: Proxy) -> Instance:
    name = definition.name or service.service + SIDECAR
    own = _instance(definition, service.id + SIDECAR, name, service.node)
    return replace(
        own,
        kind=Kind.CONNECT_PROXY,
        address=own.address or service.address,
        tags=own.tags or service.tags,
        meta=own.meta or service.meta,
        locality=own.locality or service.locality,
        proxy=proxy,
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
        tagged_addresses={
            tag: ServiceAddress(tagged.address, tagged.port)
            for tag, tagged in definition.tagged_addresses.items()
        },
        enable_tag_override=definition.enable_tag_override,
        locality=definition.locality.locality() if definition.locality else None,
    )


def _tagged(instance: Instance) -> Instance:
    """An instance whose port is known, with the tagged addresses that follow from it."""
    tagged = with_tags_of_family(instance.tagged_addresses, instance.address, instance.port)
    return replace(instance, tagged_addresses=tagged)


def _checked(sidecar: Instance) -> Instance:
    """A sidecar whose port is known. Without checks it gets two: it listens, its service is well."""
    if sidecar.checks or sidecar.proxy is None:
        return sidecar
    listens_at = host_port(sidecar.address or sidecar.proxy.local_service_address, sidecar.port)
    usual = (
        CheckDefinition(name="Connect Sidecar Listening", tcp=listens_at, interval=_LISTENING_EVERY),
        CheckDefinition(
            name=f"Connect Sidecar Aliasing {sidecar.sidecar_of}", alias_service=sidecar.sidecar_of
        ),
    )
    return replace(sidecar, checks=make_checks(usual, sidecar.service, sidecar.id))


def _checks(definition: ServiceDefinition, path: str) -> Iterator[tuple[str, CheckDefinition]]:
    """The checks that are not empty, under both keys, with their paths."""
    if definition.check not in (None, CheckDefinition()):
        yield paths.join(path, "Check"), definition.check or CheckDefinition()
    for index, check in enumerate(definition.checks):
        yield paths.item(paths.join(path, "Checks"), index), check


def _common_problems(definition: ServiceDefinition, path: str) -> Iterator[Problem]:
    """What services, sidecars and gateways are all asked."""
    or_name = not path and not _is_dialed(definition)
    yield from address_problems(paths.join(path, "Address"), definition.address, or_name=or_name)
    for tag, tagged in definition.tagged_addresses.items():
        yield from tagged.problems(paths.key(paths.join(path, "TaggedAddresses"), tag), tag)
    excepted = (_FEDERATION,) if definition.kind == Kind.MESH_GATEWAY else ()
    yield from rules.service_meta(paths.join(path, "Meta"), definition.meta, excepted)
    for at, check in _checks(definition, path):
        yield from check.problems(at)
    if definition.proxy:
        yield from definition.proxy.problems(paths.join(path, "Proxy"))
    if definition.locality:
        yield from definition.locality.problems(paths.join(path, "Locality"))


def _is_dialed(definition: ServiceDefinition) -> bool:
    """Whether an Envoy dials its address, or that of a sidecar which has the same."""
    native = definition.connect is not None and definition.connect.native
    inherits = definition.sidecar is not None and not definition.sidecar.address
    return native or inherits or definition.kind != Kind.TYPICAL


def _repeated_checks(definition: ServiceDefinition) -> Iterator[Problem]:
    """The checks of a service and its sidecar that have the id of an earlier one."""
    seen: set[str] = set()
    parts = ((definition, definition.id, ""), (definition.sidecar, definition.id + SIDECAR, _SIDECAR_PATH))
    for part, own_id, path in ((part, own_id, path) for part, own_id, path in parts if part):
        given = list(_checks(part, path))
        for (at, _), check_id in zip(given, check_ids([check for _, check in given], own_id), strict=True):
            if check_id in seen:
                what = f"the check {check_id} is given twice"
                yield rules.problem(at, what, "keep one of them", code=Code.GIVEN_TWICE)
            seen.add(check_id)


def _name_problems(definition: ServiceDefinition) -> Iterator[Problem]:
    """What the mesh calls becomes a part of SPIFFE ids and SNIs; what it doesn't may have any name."""
    native = definition.connect is not None and definition.connect.native
    meshed = native or definition.sidecar is not None or definition.kind != Kind.TYPICAL
    check = rules.name if meshed or definition.name in ("", "*") else rules.printable
    yield from check("Name", definition.name)


def _service_problems(definition: ServiceDefinition) -> Iterator[Problem]:
    if definition.proxy not in (None, ProxyDefinition()):
        what = "Proxy is for services of the kind connect-proxy, and for gateways"
        yield rules.problem("Proxy", what, f"move it into {_SIDECAR_PATH}", code=Code.EXCLUDE_EACH_OTHER)
    if definition.connect and definition.connect.native and not definition.port:
        what = "a service that is native to the mesh needs a Port"
        yield rules.problem("Port", what, "add Port", code=Code.REQUIRED)


def _proxy_problems(definition: ServiceDefinition) -> Iterator[Problem]:
    """What proxies that are registered by themselves are asked: before a service, or as gateways."""
    kind, proxy = Kind(definition.kind), definition.proxy or ProxyDefinition()
    if kind.is_gateway:
        yield from proxy.gateway_problems("Proxy")
    else:
        yield from rules.name("Proxy.DestinationServiceName", proxy.destination_service_name)
    if not definition.port and kind not in _WITHOUT_PORT:
        what = f"a {kind} that is registered by itself needs a Port"
        yield rules.problem("Port", what, "add Port", code=Code.REQUIRED)
    yield from _not_for_proxies(definition, "", f"{'an' if kind in _WITHOUT_PORT else 'a'} {kind}")


def _not_for_proxies(definition: ServiceDefinition, path: str, who: str) -> Iterator[Problem]:
    connect = paths.join(path, "Connect")
    if definition.sidecar is not None:
        at = connect if path else _SIDECAR_PATH
        what = f"{who} has no sidecar of its own"
        yield rules.problem(at, what, "remove it", code=Code.EXCLUDE_EACH_OTHER)
    if definition.connect and definition.connect.native:
        what = f"{who} is not Native: that is a service which needs no proxy"
        yield rules.problem(f"{connect}.Native", what, "remove it", code=Code.EXCLUDE_EACH_OTHER)


def _sidecar_problems(sidecar: ServiceDefinition) -> Iterator[Problem]:
    yield from _common_problems(sidecar, _SIDECAR_PATH)
    yield from rules.reference(f"{_SIDECAR_PATH}.Name", sidecar.name)
    if sidecar.kind not in (Kind.TYPICAL, Kind.CONNECT_PROXY):
        what = f"a sidecar is a connect-proxy, not {quoted(sidecar.kind)}"
        yield rules.problem(f"{_SIDECAR_PATH}.Kind", what, "remove it", code=Code.NOT_A_CHOICE)
    if sidecar.id:
        what = f"the ID of a sidecar is that of its service followed by {SIDECAR}"
        yield rules.problem(f"{_SIDECAR_PATH}.ID", what, "remove it", code=Code.EXCLUDE_EACH_OTHER)
    yield from _not_for_proxies(sidecar, _SIDECAR_PATH, "a sidecar")
