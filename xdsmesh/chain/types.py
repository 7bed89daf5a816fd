"""A compiled discovery chain: nodes that decide, targets that are instances. Plain values.

The shape is that of ``GET /v1/discovery-chain/:service``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from xdsmesh.config.entry import Entry
from xdsmesh.config.headers import HeaderModifiers
from xdsmesh.config.kinds.service_router import Destination, HTTPMatch
from xdsmesh.model.duration import Duration

HTTP_LIKE: Final = frozenset({"http", "http2", "grpc"})

CONNECT_TIMEOUT: Final = Duration.of(seconds=5)
"""How long connecting may take where no service-resolver says."""

ReadEntry = Callable[[str, str], Entry | None]
"""Reads one config entry by kind and name; the compiler sees the world through it alone."""


@dataclass(frozen=True, slots=True)
class ChainRequest:
    """What to compile, and where it is evaluated."""

    service: str
    datacenter: str
    trust_domain: str


@dataclass(frozen=True, slots=True)
class Target:
    """Instances that a chain can end at. ``id`` is ``[subset.]service.default.default.datacenter``.

    ``sni`` is also the name of the target's cluster.
    """

    id: str
    service: str
    subset: str
    datacenter: str
    sni: str
    filter: str = ""
    only_passing: bool = False
    connect_timeout: Duration = CONNECT_TIMEOUT


@dataclass(frozen=True, slots=True)
class ChainRoute:
    """One route of a router: no match is every request; ``destination`` has its service filled in."""

    match: HTTPMatch | None
    destination: Destination
    next: str


@dataclass(frozen=True, slots=True)
class RouterNode:
    """Decides by what a request looks like; the last route takes all that is left."""

    key: str
    routes: tuple[ChainRoute, ...]


@dataclass(frozen=True, slots=True)
class ChainSplit:
    """One leg: ``weight`` in hundredths of a percent."""

    weight: int
    next: str
    request_headers: HeaderModifiers | None = None
    response_headers: HeaderModifiers | None = None


@dataclass(frozen=True, slots=True)
class SplitterNode:
    """Decides by weight. No leg leads to another splitter: those are flattened."""

    key: str
    splits: tuple[ChainSplit, ...]


@dataclass(frozen=True, slots=True)
class ResolverNode:
    """Ends at a target. ``default`` is true where no service-resolver shapes the result."""

    key: str
    target: str
    default: bool
    connect_timeout: Duration
    request_timeout: Duration


Node = RouterNode | SplitterNode | ResolverNode


@dataclass(frozen=True, slots=True)
class CompiledChain:
    """Where the requests to a service may go. ``start`` and every ``next`` are keys of ``nodes``."""

    service: str
    datacenter: str
    protocol: str
    default: bool
    start: str
    nodes: Mapping[str, Node]
    targets: Mapping[str, Target]


class ErrorCode(StrEnum):
    """Why a chain can't be compiled."""

    CIRCULAR_REDIRECT = "circular-resolver-redirect"
    CIRCULAR_REFERENCE = "circular-reference"
    MISSING_SUBSET = "missing-subset"
    INCONSISTENT_PROTOCOLS = "inconsistent-protocols"
    L4_ADVANCED_ROUTING = "l4-advanced-routing"
    TOO_LARGE = "too-large"


@dataclass(frozen=True, slots=True)
class ChainError:
    """Why a chain can't be compiled, and the entry to look at. A value, since rules return it."""

    code: ErrorCode
    message: str
    kind: str = ""
    name: str = ""
