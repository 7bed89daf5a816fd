"""What goes into a session and what comes out of it: plain values, one set for both variants.

Fields: https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/discovery.proto
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from xdsmesh.model.resource import EncodedResource


class DeltaRequest(Struct, frozen=True, gc=False):
    """A DeltaDiscoveryRequest. ``error`` is not None in a NACK, and there alone."""

    type_url: str
    nonce: str = ""
    error: str | None = None
    subscribe: tuple[str, ...] = ()
    unsubscribe: tuple[str, ...] = ()
    initial: Mapping[str, str] = field(default_factory=dict)
    """The versions that the client holds, by name; heard in the first request of a type only."""


class SotwRequest(Struct, frozen=True, gc=False):
    """A DiscoveryRequest. ``names`` is all that the client wants, every time."""

    type_url: str
    nonce: str = ""
    error: str | None = None
    names: tuple[str, ...] = ()
    version: str = ""


class Response(Struct, frozen=True, gc=False):
    """One response to send. State of the world can't say ``removed``: what is not sent is gone."""

    type_url: str
    nonce: str
    version: str
    resources: tuple[EncodedResource, ...] = ()
    removed: tuple[str, ...] = ()


class Unchanged(Struct, frozen=True, gc=False):
    """The client holds already all that it asked for, so nothing is sent."""

    type_url: str


class Acked(Struct, frozen=True, gc=False):
    """A response was accepted. ``in_doubt``: something rejected earlier has not been accepted since."""

    type_url: str
    nonce: str
    in_doubt: bool = False


class Rejected(Struct, frozen=True, gc=False):
    """A response was rejected as a whole; ``names`` is all that was in it."""

    type_url: str
    nonce: str
    error: str
    names: tuple[str, ...]


class Code(StrEnum):
    """The gRPC status that a stream ends with; the names are gRPC's own."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    UNAVAILABLE = "UNAVAILABLE"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    INTERNAL = "INTERNAL"


class Close(Struct, frozen=True, gc=False):
    """The stream must end, with a sentence for whoever reads the proxy's log."""

    code: Code
    reason: str
