"""The status of all proxies at one moment, as frozen values that encode as they are."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How a proxy stands with one type of resource."""

    SYNCED = "SYNCED"
    """It holds what it should: acknowledged, or found equal when it connected."""
    STALE = "STALE"
    """It was sent something that it has not answered yet."""
    ERROR = "ERROR"
    """It rejected something that it still should hold."""
    NOT_SENT = "NOT SENT"
    """It asked for the type, and there was nothing to send."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A response that was rejected: why, by the proxy's own word, what was in it, and when."""

    error: str
    rejected: tuple[str, ...]
    at: datetime
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeStatus:
    """One type of resource on one stream. ``type`` is CDS, EDS, LDS, RDS, SDS or an unknown type's URL.

    ``version`` and ``nonce`` are of the last response. ``error`` is the proxy's own last complaint, on
    one line, until it is mended; ``rejected`` are the resources of the response that it rejected, and
    ``causes`` the config entries and registrations that they were made from, with the place where each was
    written. ``last_error`` stays when it is mended.
    """

    type: str
    state: State
    version: str = ""
    nonce: str = ""
    sent_at: datetime | None = None
    acked_at: datetime | None = None
    error: str = ""
    rejected: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    responses: int = 0
    resources: int = 0
    nacks: int = 0
    last_error: Rejection | None = None


@dataclass(frozen=True, slots=True)
class ProxyStatus:
    """One stream of a proxy; ``types`` are in the order in which they are sent.

    ``kind`` is Consul's word for what it is, such as ``connect-proxy``. ``variant`` is ``delta`` or
    ``sotw``. ``revision`` is the highest revision of the facts at which all that the proxy should hold was
    acknowledged, -1 before the first.
    """

    proxy: str
    service: str
    envoy_version: str
    address: str
    variant: str
    connected_at: datetime
    revision: int
    types: tuple[TypeStatus, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Someone who asked and was not served: the id it gave, from where, why, how often."""

    proxy: str
    address: str
    reason: str
    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Who is connected, sorted by proxy id and then by age; who was refused, the latest first."""

    connected: tuple[ProxyStatus, ...] = ()
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class ProxyDetail:
    """A proxy that is registered or connected: each of its streams, and who was refused under its id."""

    proxy: str
    service: str
    kind: str
    streams: tuple[ProxyStatus, ...] = ()
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldResource:
    """A resource as a proxy should hold it. ``bytes`` is its size on the wire.

    ``state`` is how the proxy stands with just this. ``resource`` is its JSON in protobuf's form, under the
    names of the fields, without private keys.
    """

    name: str
    version: str
    bytes: int
    state: State
    resource: dict[str, Any]


@dataclass(frozen=True, slots=True)
class HeldConfig:
    """All that the server holds for a proxy, by type: ``clusters``, ``endpoints`` and so on.

    ``revision`` is that of the facts which it was made from.
    """

    proxy: str
    connected: bool
    revision: int
    resources: dict[str, tuple[HeldResource, ...]]


@dataclass(frozen=True, slots=True)
class Laggard:
    """A proxy that has not acknowledged a write, and why."""

    proxy: str
    why: str


@dataclass(frozen=True, slots=True)
class Waited:
    """What came of waiting until the proxies that a write affects have acknowledged its revision.

    Times are from the write to a proxy's last acknowledgement; None: no proxy has acknowledged it.
    ``more`` is how many others are ``waiting`` and are not named.
    """

    revision: int
    proxies: int
    p50_ms: float | None
    p99_ms: float | None
    waiting: tuple[Laggard, ...] = ()
    more: int = 0
