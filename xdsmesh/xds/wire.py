"""Between bytes and a session's values. A response is ready pieces, joined; nothing is encoded twice.

Fields of one protobuf message may be concatenated in any order:
https://protobuf.dev/programming-guides/encoding/#order. Field numbers:
https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/discovery.proto
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Generic, cast

from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf.message import DecodeError

from xdsmesh.model.resource import EncodedResource
from xdsmesh.xds.delta import DeltaSubscription
from xdsmesh.xds.memo import IdentityMemo
from xdsmesh.xds.messages import DeltaRequest, Response, SotwRequest
from xdsmesh.xds.sotw import SotwSubscription
from xdsmesh.xds.subscription import RequestT, Subscription

MAX_NAME_LENGTH: Final = 4096

# Tags of length-delimited fields: the field's number shifted by three, and the wire type 2.
_TYPE_URL: Final = b"\x22"
_NONCE: Final = b"\x2a"
_RESOURCE: Final = b"\x12"
_DELTA_REMOVED: Final = b"\x32"
_VERSION: Final = b"\x0a"
_RESOURCE_NAME: Final = b"\x1a"
_RESOURCE_VERSION: Final = b"\x0a"
_RESOURCE_ANY: Final = b"\x12"

_CONTINUES: Final = 0x80
_SHORT_LENGTHS: Final = tuple(bytes((value,)) for value in range(_CONTINUES))
_LENGTH_DELIMITED: Final = 2
_PREFIXES_KEPT: Final = 4096
_REQUESTS_KEPT: Final = 512
_SHORT_REQUEST: Final = 4096

_prefixes: Final[IdentityMemo[bytes]] = IdentityMemo(_PREFIXES_KEPT)


class BadRequestError(Exception):
    """A request that can't be understood; the text may be told to whoever sent it."""


@dataclass(frozen=True, slots=True)
class Node:
    """Who a client says that it is, in its first request."""

    id: str
    envoy_version: str


@dataclass(frozen=True, slots=True)
class Variant(Generic[RequestT]):
    """One of the two ways to speak ADS. Both parsers raise ``BadRequestError``."""

    name: str
    method: str
    subscription: Callable[[str], Subscription[RequestT]]
    parse: Callable[[bytes], RequestT]
    parse_node: Callable[[bytes], Node]
    encode: Callable[[Response], bytes]


def _parse_delta(data: bytes) -> DeltaRequest:
    data = _without_node(data, field=1)
    return _read_delta_once(data) if len(data) <= _SHORT_REQUEST else _read_delta(data)


def _parse_sotw(data: bytes) -> SotwRequest:
    data = _without_node(data, field=2)
    return _read_sotw_once(data) if len(data) <= _SHORT_REQUEST else _read_sotw(data)


def _read_delta(data: bytes) -> DeltaRequest:
    message = _decode(discovery_pb2.DeltaDiscoveryRequest, data)
    return DeltaRequest(
        type_url=_checked(message.type_url),
        nonce=message.response_nonce,
        error=_error(message),
        subscribe=_names(message.resource_names_subscribe),
        unsubscribe=_names(message.resource_names_unsubscribe),
        initial=dict(message.initial_resource_versions),
    )


def _read_sotw(data: bytes) -> SotwRequest:
    message = _decode(discovery_pb2.DiscoveryRequest, data)
    return SotwRequest(
        type_url=_checked(message.type_url),
        nonce=message.response_nonce,
        error=_error(message),
        names=_names(message.resource_names),
        version=message.version_info,
    )


# Without their nodes, many streams send the same bytes: ACKs above all.
_read_delta_once: Final = lru_cache(maxsize=_REQUESTS_KEPT)(_read_delta)
_read_sotw_once: Final = lru_cache(maxsize=_REQUESTS_KEPT)(_read_sotw)


def _parse_delta_node(data: bytes) -> Node:
    return _node(_decode(discovery_pb2.DeltaDiscoveryRequest, data).node)


def _parse_sotw_node(data: bytes) -> Node:
    return _node(_decode(discovery_pb2.DiscoveryRequest, data).node)


def _encode_delta(response: Response) -> bytes:
    parts = _header(response)
    for resource in response.resources:
        parts += (_delta_prefix(resource), resource.any)
    parts += [_field(_DELTA_REMOVED, name) for name in response.removed]
    return b"".join(parts)


def _encode_sotw(response: Response) -> bytes:
    parts = _header(response)
    for resource in response.resources:
        parts += (_RESOURCE, _length(len(resource.any)), resource.any)
    return b"".join(parts)


DELTA: Final = Variant(
    "delta", "DeltaAggregatedResources", DeltaSubscription, _parse_delta, _parse_delta_node, _encode_delta
)
SOTW: Final = Variant(
    "sotw", "StreamAggregatedResources", SotwSubscription, _parse_sotw, _parse_sotw_node, _encode_sotw
)


def _header(response: Response) -> list[bytes]:
    """The fields that both responses have, under the same numbers."""
    return [
        _type_field(response.type_url),
        _field(_NONCE, response.nonce),
        _field(_VERSION, response.version) if response.version else b"",
    ]


@lru_cache(maxsize=64)
def _type_field(type_url: str) -> bytes:
    return _field(_TYPE_URL, type_url)


def _delta_prefix(resource: EncodedResource) -> bytes:
    """All of a ``Resource`` field but the content of its ``Any``, which comes last. Made once a resource."""
    prefix = _prefixes.get(resource)
    return _prefixes.put(_make_delta_prefix(resource), resource) if prefix is None else prefix


def _make_delta_prefix(resource: EncodedResource) -> bytes:
    content = resource.any
    inner = b"".join(
        (
            _field(_RESOURCE_NAME, resource.name),
            _field(_RESOURCE_VERSION, resource.version),
            _RESOURCE_ANY,
            _length(len(content)),
        )
    )
    return b"".join((_RESOURCE, _length(len(inner) + len(content)), inner))


def _field(tag: bytes, text: str) -> bytes:
    data = text.encode()
    return tag + _length(len(data)) + data


def _length(value: int) -> bytes:
    """A base-128 varint."""
    if value < _CONTINUES:
        return _SHORT_LENGTHS[value]
    out = bytearray()
    while value >= _CONTINUES:
        out.append(value & (_CONTINUES - 1) | _CONTINUES)
        value >>= 7
    out.append(value)
    return bytes(out)


def _without_node(data: bytes, field: int) -> bytes:
    """A request without its node, which Envoy repeats in every delta request with some 500 extensions.

    Fields come in the order of their numbers, so the node is the first or stands behind a short one;
    where it is not, it is left in and parsed with the rest.
    """
    start = position = 0
    while position < len(data):
        number, wire_type = data[position] >> 3, data[position] & 7
        if number > field or wire_type != _LENGTH_DELIMITED:
            break
        start, position = position, _skip(data, position + 1)
        if number == field and position <= len(data):
            return data[:start] + data[position:]
    return data


def _skip(data: bytes, position: int) -> int:
    """The position after a length-delimited value, or beyond the end when that is missing."""
    length = shift = 0
    for index in range(position, len(data)):
        length |= (data[index] & (_CONTINUES - 1)) << shift
        if data[index] < _CONTINUES:
            return index + 1 + length
        shift += 7
    return len(data) + 1


def _decode(message_type: Any, data: bytes) -> Any:
    try:
        return message_type.FromString(data)
    except DecodeError as error:
        raise BadRequestError("the request is not a message of the discovery service, version 3") from error


def _error(message: Any) -> str | None:
    return cast("str", message.error_detail.message) if message.HasField("error_detail") else None


def _names(repeated: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = tuple(repeated)
    _checked(max(names, key=len, default=""))
    return names


def _checked(name: str) -> str:
    if len(name) > MAX_NAME_LENGTH:
        raise BadRequestError(f"the name of a resource or type has more than {MAX_NAME_LENGTH} characters")
    return name


def _node(node: Any) -> Node:
    version = node.user_agent_build_version.version
    numbers = (version.major_number, version.minor_number, version.patch)
    return Node(
        id=node.id,
        envoy_version=".".join(map(str, numbers)) if any(numbers) else node.user_agent_version,
    )
