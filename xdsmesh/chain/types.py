"""A compiled discovery chain: nodes that decide, targets that are instances. Plain values.

The shape is that of ``GET /v1/discovery-chain/:service``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.proxy_defaults import FailoverPolicy
from xdsmesh.config.kinds.service_router import Destination, HTTPMatch, Route
from xdsmesh.config.kinds.service_splitter import Split
from xdsmesh.config.parts.envoy_extension import EnvoyExtension
from xdsmesh.config.parts.headers import HeaderModifiers
from xdsmesh.config.parts.load_balancer import LoadBalancer
from xdsmesh.model.duration import Duration

HTTP_LIKE: Final = frozenset({"http", "http2", "grpc"})

CONNECT_TIMEOUT: Final = Duration.of(seconds=5)
"""How long connecting may take where no service-resolver says."""

_UNSAID: Final = Duration()

ReadEntry = Callable[[str, str], Entry | None]
"""Reads one config entry by kind and name; the compiler sees the world through it alone."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What one caller wants otherwise; empty, and zero, is nothing. The protocol is in lower case."""

    protocol: str = ""
    mesh_gateway: str = ""
    connect_timeout: Duration = _UNSAID


@dataclass(frozen=True, slots=True)
class ChainRequest:
    """What to compile, and where it is evaluated."""

    service: str
    datacenter: str
    trust_domain: str
    overrides: Overrides = Overrides()


@dataclass(frozen=True, slots=True)
class Target:
    """Instances that a chain can end at. ``id`` is ``[subset.]service.default.default.datacenter``.

    In a peer it is ``service.default.default.external.peer``.

    ``name`` is the name of the target's cluster; ``sni`` is the same, but for a service outside the mesh
    (``external``) that has an SNI of its own. A target in a peer has neither, and no datacenter.
    ``mesh_gateway`` is a mode; it matters only where the target is not in the caller's datacenter.
    """

    id: str
    service: str
    subset: str
    datacenter: str
    sni: str
    name: str
    peer: str = ""
    filter: str = ""
    only_passing: bool = False
    connect_timeout: Duration = CONNECT_TIMEOUT
    mesh_gateway: str = ""
    external: bool = False
    dialed_directly: bool = False


@dataclass(frozen=True, slots=True)
class ChainRoute:
    """One route of a router: no match is every request; ``destination`` has its service filled in.

    ``definition`` is the route as it was configured.
    """

    match: HTTPMatch | None
    destination: Destination
    next: str
    definition: Route = field(default_factory=Route)


@dataclass(frozen=True, slots=True)
class RouterNode:
    """Decides by what a request looks like; the last route takes all that is left."""

    key: str
    routes: tuple[ChainRoute, ...]


@dataclass(frozen=True, slots=True)
class ChainSplit:
    """One leg: ``weight`` in hundredths of a percent.

    ``definition`` is the split as it was configured; of flattened splitters, that of the innermost.
    """

    weight: int
    next: str
    request_headers: HeaderModifiers | None = None
    response_headers: HeaderModifiers | None = None
    definition: Split = field(default_factory=Split)


@dataclass(frozen=True, slots=True)
class SplitterNode:
    """Decides by weight. No leg leads to another splitter: those are flattened.

    ``load_balancer`` is that of the first leg whose resolver hashes: Envoy hashes once for all legs.
    """

    key: str
    splits: tuple[ChainSplit, ...]
    load_balancer: LoadBalancer | None = None


@dataclass(frozen=True, slots=True)
class ResolverNode:
    """Ends at a target. ``default`` is true where no service-resolver shapes the result.

    ``failover`` are the ids of the targets that stand in for it, in order; ``failover_policy`` is the mode
    that proxy-defaults give.
    """

    key: str
    target: str
    default: bool
    connect_timeout: Duration
    request_timeout: Duration
    load_balancer: LoadBalancer | None = None
    failover: tuple[str, ...] = ()
    failover_policy: FailoverPolicy | None = None


Node = RouterNode | SplitterNode | ResolverNode


@dataclass(frozen=True, slots=True)
class CompiledChain:
    """Where the requests to a service may go. ``start`` and every ``next`` are keys of ``nodes``.

    ``customization_hash`` is 8 hexadecimal digits if an override changed something, else empty.
    """

    service: str
    datacenter: str
    protocol: str
    default: bool
    start: str
    nodes: Mapping[str, Node]
    targets: Mapping[str, Target]
    service_meta: Mapping[str, str] = field(default_factory=dict)
    envoy_extensions: tuple[EnvoyExtension, ...] = ()
    customization_hash: str = ""


class ErrorCode(StrEnum):
    """Why a chain can't be compiled."""

    CIRCULAR_REDIRECT = "circular-resolver-redirect"
    CIRCULAR_REFERENCE = "circular-reference"
    MISSING_SUBSET = "missing-subset"
    EXTERNAL_SNI = "external-sni-conflict"
    INCONSISTENT_PROTOCOLS = "inconsistent-protocols"
    L4_ADVANCED_ROUTING = "l4-advanced-routing"
    INPUT = "input"


@dataclass(frozen=True, slots=True)
class ChainError:
    """Why a chain can't be compiled, and the entry to look at. A value, since rules return it."""

    code: ErrorCode
    message: str
    kind: str = ""
    name: str = ""
