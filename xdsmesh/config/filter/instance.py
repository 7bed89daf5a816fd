"""What the filter of a subset can select: the row of an instance in Consul's health API.

Selectors: https://developer.hashicorp.com/consul/api-docs/health#filtering-2. What this catalog does not keep
is there as well, and empty, so that a filter which somebody wrote for Consul can be judged.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, NamedTuple

from xdsmesh.config.filter.shapes import Map, Member, Object, Objects, Primitive, Shape, Value, Values
from xdsmesh.model.catalog import Instance
from xdsmesh.model.checks import Check

_TEXT: Final = Value(Primitive.TEXT)
_NUMBER: Final = Value(Primitive.INTEGER)
_BOOL: Final = Value(Primitive.BOOL)
_TEXTS: Final = Values(Primitive.TEXT)
_TEXT_BY_KEY: Final = Map(_TEXT)


class _Checked(NamedTuple):
    """A check, and the instance that it decides about."""

    instance: Instance
    check: Check


def _checks(instance: Instance) -> list[_Checked]:
    return [_Checked(instance, check) for check in instance.checks]


def _span(attribute: str) -> Callable[[_Checked], str]:
    """A duration of a check's probe as a reply shows it: empty if there is none."""

    def read(row: _Checked) -> str:
        span = getattr(row.check.probe, attribute) if row.check.probe else None
        return str(span) if span else ""

    return read


def _nothing(_: Any) -> None:
    """What this catalog does not keep."""


def _same(row: Any) -> Any:
    return row


def _at(attribute: str, shape: Shape) -> Member:
    return Member(attrgetter(attribute), shape)


def _absent(shape: Shape) -> Member:
    return Member(_nothing, shape)


def _members(**members: Member) -> dict[str, Member]:
    return members


def _object(get: Callable[[Any], Any] = _same, /, **members: Member) -> Member:
    return Member(get, Object(members))


def _objects(get: Callable[[Any], Any], /, **members: Member) -> Member:
    return Member(get, Objects(Object(members)))


def _of_node(member: Member) -> Member:
    """A member of the node, asked of an instance on it."""
    return Member(lambda instance: member.get(instance.node), member.shape)


_NODE: Final = _members(
    ID=_at("id", _TEXT),
    Node=_at("name", _TEXT),
    Address=_at("address", _TEXT),
    Datacenter=_at("datacenter", _TEXT),
    TaggedAddresses=_at("shown_addresses", _TEXT_BY_KEY),
    Meta=_at("meta", _TEXT_BY_KEY),
    PeerName=_absent(_TEXT),
)

_UPSTREAMS: Final = _objects(
    attrgetter("upstreams"),
    DestinationType=Member(lambda _: "service", _TEXT),
    DestinationName=_at("destination_name", _TEXT),
    DestinationPeer=_absent(_TEXT),
    Datacenter=_at("datacenter", _TEXT),
    LocalBindAddress=_at("local_bind_address", _TEXT),
    LocalBindPort=_at("local_bind_port", _NUMBER),
    LocalBindSocketPath=_absent(_TEXT),
    LocalBindSocketMode=_absent(_TEXT),
    MeshGateway=_object(attrgetter("settings"), Mode=_at("mesh_gateway", _TEXT)),
    CentrallyConfigured=_absent(_BOOL),
)

_PROXY: Final = _object(
    attrgetter("proxy"),
    DestinationServiceName=_at("destination_service_name", _TEXT),
    DestinationServiceID=_at("destination_service_id", _TEXT),
    LocalServiceAddress=_at("local_service_address", _TEXT),
    LocalServicePort=_at("local_service_port", _NUMBER),
    LocalServiceSocketPath=_absent(_TEXT),
    Mode=_absent(_TEXT),
    TransparentProxy=_object(OutboundListenerPort=_absent(_NUMBER), DialedDirectly=_absent(_BOOL)),
    Upstreams=_UPSTREAMS,
    MeshGateway=_object(Mode=_at("mesh_gateway", _TEXT)),
    Expose=_object(
        Checks=_absent(_BOOL),
        Paths=_objects(
            _nothing,
            Path=_absent(_TEXT),
            ListenerPort=_absent(_NUMBER),
            LocalPathPort=_absent(_NUMBER),
            Protocol=_absent(_TEXT),
            ParsedFromCheck=_absent(_BOOL),
        ),
    ),
)

_SERVICE: Final = _members(
    ID=_at("id", _TEXT),
    Service=_at("service", _TEXT),
    Kind=_at("kind", _TEXT),
    Address=_at("address", _TEXT),
    Port=_at("port", _NUMBER),
    SocketPath=_absent(_TEXT),
    Tags=_at("tags", _TEXTS),
    Meta=_at("meta", _TEXT_BY_KEY),
    TaggedAddresses=_at(
        "tagged_addresses", Map(Object({"Address": _at("address", _TEXT), "Port": _at("port", _NUMBER)}))
    ),
    Weights=_object(Passing=_at("weights.passing", _NUMBER), Warning=_at("weights.warning", _NUMBER)),
    EnableTagOverride=_at("enable_tag_override", _BOOL),
    Proxy=_PROXY,
    Connect=_object(Native=_at("native", _BOOL)),
    PeerName=_absent(_TEXT),
)

_CHECKS: Final = _objects(
    _checks,
    Node=_at("instance.node.name", _TEXT),
    CheckID=_at("check.id", _TEXT),
    Name=_at("check.name", _TEXT),
    Status=_at("check.status", _TEXT),
    Notes=_at("check.notes", _TEXT),
    Output=_at("check.output", _TEXT),
    ServiceID=_at("check.service_id", _TEXT),
    ServiceName=Member(lambda row: row.instance.service if row.check.service_id else "", _TEXT),
    ServiceTags=Member(lambda row: row.instance.tags if row.check.service_id else (), _TEXTS),
    Type=_at("check.type", _TEXT),
    Interval=Member(_span("interval"), _TEXT),
    Timeout=Member(_span("timeout"), _TEXT),
    ExposedPort=_absent(_NUMBER),
    PeerName=_absent(_TEXT),
)

_FLAT_NODE: Final = {"Meta": "NodeMeta"}
_FLAT_SERVICE: Final = {"Service": "ServiceName", "PeerName": "PeerName"}
"""What has another name in a flat row than ``Service`` and its own."""

INSTANCE: Final = Object(
    {"Node": _object(attrgetter("node"), **_NODE), "Service": _object(**_SERVICE), "Checks": _CHECKS}
)
"""What can be selected in an ``Instance``."""

NODE_SERVICE: Final = Object(_SERVICE)
"""The same of one beside its node."""

SERVICE_NODE: Final = Object(
    {
        **{_FLAT_NODE.get(name, name): _of_node(member) for name, member in _NODE.items()},
        **{_FLAT_SERVICE.get(name, f"Service{name}"): member for name, member in _SERVICE.items()},
    }
)
"""The same of one and its node, flat."""
