"""The status of all proxies at one moment, as frozen values that encode as they are."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
class TypeStatus:
    """One type of resource on one stream. ``type`` is CDS, EDS, LDS, RDS, SDS or an unknown type's URL.

    ``version`` and ``nonce`` are of the last response. ``error`` is the proxy's own last complaint, on
    one line; ``rejected`` are the resources of the response that it rejected, and ``causes`` the config
    entries that they were made from, with the place where each was written.
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


@dataclass(frozen=True, slots=True)
class ProxyStatus:
    """One stream of a proxy; ``types`` are in the order in which they are sent.

    ``variant`` is ``delta`` or ``sotw``. ``revision`` is the highest revision of the facts at which all
    that the proxy should hold was acknowledged, -1 before the first.
    """

    proxy: str
    service: str
    envoy_version: str
    address: str
    variant: str
    connected_at: datetime
    revision: int
    types: tuple[TypeStatus, ...] = ()


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
