"""The intermediate representation: what one proxy must do, as frozen values that compare by equality.

Each type has one function in ``translate`` that makes its Envoy message. Durations of None leave Envoy's
default in force; a duration of zero disables the timeout. Durations are never negative.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from xdsmesh.ir.access_logs import AccessLogs
from xdsmesh.ir.authorization import Authorization, Services
from xdsmesh.ir.comparison import PathMatch, ValueMatch
from xdsmesh.ir.jwt import JwksCluster, JwtProvider
from xdsmesh.ir.normalization import Normalization
from xdsmesh.ir.tls import USUAL, TlsParameters
from xdsmesh.model.duration import Duration


class Protocol(StrEnum):
    """What a service speaks. Anything that is not HTTP-like is forwarded as bytes."""

    TCP = "tcp"
    HTTP = "http"
    HTTP2 = "http2"
    GRPC = "grpc"

    @classmethod
    def of(cls, text: str) -> Self:
        """The protocol that people name so, in any case; what is none of ours is forwarded as bytes."""
        try:
            return cls(text.lower())
        except ValueError:
            return cls("tcp")

    @property
    def is_http(self) -> bool:
        """Requests can be told apart, and routed."""
        return self is not Protocol.TCP

    @property
    def is_http2(self) -> bool:
        """Spoken over HTTP/2."""
        return self in (Protocol.HTTP2, Protocol.GRPC)


# --- clusters and endpoints


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """How a cluster proves whom it reached: the SNI to send, and the SPIFFE ids to accept.

    Raises:
        ValueError: no SPIFFE id, or an empty one; Envoy would then accept any certificate of the mesh.
    """

    sni: str
    spiffe_ids: tuple[str, ...]
    parameters: TlsParameters = USUAL

    def __post_init__(self) -> None:
        if not self.spiffe_ids or not all(self.spiffe_ids):
            raise ValueError(f"a cluster that is reached as {self.sni} accepts no SPIFFE id")


@dataclass(frozen=True, slots=True)
class Callers:
    """The services of a trust domain that may connect."""

    trust_domain: str
    services: Services


@dataclass(frozen=True, slots=True)
class DownstreamTls:
    """A caller must show a certificate of the mesh. ``alpn`` is what we offer to speak, best first.

    With ``callers`` the handshake fails for all others: they learn nothing of the application, not even of
    one that speaks first.
    """

    alpn: tuple[str, ...] = ()
    callers: Callers | None = None
    parameters: TlsParameters = USUAL


class Way(StrEnum):
    """How the instances of a target are reached."""

    HERE = "here"
    """They are in the caller's datacenter: by their own addresses."""
    DIRECT = "direct"
    """In another datacenter, by the addresses that they have for others."""
    LOCAL = "local"
    """In another datacenter, through the mesh gateways of the caller's."""
    REMOTE = "remote"
    """In another datacenter, through its mesh gateways."""


@dataclass(frozen=True, slots=True)
class EndpointTarget:
    """Which instances stand behind a cluster; the key by which endpoint groups are shared.

    Here a subset is a ``filter``, and whether its instances must be passing; another datacenter says itself
    which they are, so there it is the name of the ``subset``. A target in a ``peer`` has no datacenter.
    """

    service: str
    datacenter: str
    filter: str = ""
    only_passing: bool = False
    peer: str = ""
    subset: str = ""
    way: Way = Way.HERE


@dataclass(frozen=True, slots=True)
class CircuitBreakers:
    """How much one cluster may take at a time; None is Envoy's default, and 0 is nothing."""

    max_connections: int | None = None
    max_pending_requests: int | None = None
    max_requests: int | None = None
    max_retries: int | None = None


@dataclass(frozen=True, slots=True)
class OutlierDetection:
    """When an endpoint that fails is left out for a while; None is Envoy's default. Shares are percent.

    ``at_least_one`` may be out, however small a share of all that allows. After so many connections in a row
    that fail an endpoint is ``unreachable``; None counts them as if it had answered with an error.
    """

    interval: Duration | None = None
    consecutive_5xx: int | None = None
    enforcing_consecutive_5xx: int | None = None
    max_ejection_percent: int | None = None
    base_ejection_time: Duration | None = None
    at_least_one: bool = False
    unreachable: int | None = None
    max_ejection_time: Duration | None = None


class Balance(StrEnum):
    """How endpoints share the traffic."""

    ROUND_ROBIN = "round_robin"
    RANDOM = "random"
    LEAST_REQUEST = "least_request"
    RING_HASH = "ring_hash"
    MAGLEV = "maglev"


@dataclass(frozen=True, slots=True)
class LoadBalancing:
    """A policy and its settings; 0 is Envoy's default."""

    balance: Balance = Balance.ROUND_ROBIN
    minimum_ring_size: int = 0
    maximum_ring_size: int = 0
    choice_count: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """One address to dial, which may be a name where that is said. ``weight`` is from 1 to 128."""

    address: str
    port: int
    weight: int = 1
    healthy: bool = True


@dataclass(frozen=True, slots=True)
class MeshCluster:
    """A cluster of sidecars found by EDS and reached over mTLS. ``member`` means: of an aggregate cluster.

    Endpoints of which some are names can't come by EDS: those are ``named``, and looked up by Envoy.
    """

    name: str
    protocol: Protocol
    connect_timeout: Duration
    tls: UpstreamTls
    target: EndpointTarget
    circuit_breakers: CircuitBreakers = CircuitBreakers()
    outlier_detection: OutlierDetection = OutlierDetection()
    load_balancing: LoadBalancing = LoadBalancing()
    member: bool = False
    named: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class AggregateCluster:
    """Clusters that stand in for one another: each takes over while those before it have nobody healthy.

    ``members`` are the names of two or more clusters, best first. Of ``circuit_breakers`` that for retries is
    asked here; the others are asked of the members.
    """

    name: str
    members: tuple[str, ...]
    connect_timeout: Duration
    circuit_breakers: CircuitBreakers = CircuitBreakers()


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """The application beside a sidecar, at a fixed address and in plain text."""

    name: str
    address: str
    port: int
    protocol: Protocol
    connect_timeout: Duration
    circuit_breakers: CircuitBreakers = CircuitBreakers()


@dataclass(frozen=True, slots=True)
class GatewayCluster:
    """Where a mesh gateway forwards bytes that it can't read: sidecars, other gateways, a control plane.

    The addresses come by EDS; those that are ``given`` are fixed, or names to look up. ``far``: they are
    gateways of another datacenter, which are watched from here.
    """

    name: str
    connect_timeout: Duration
    given: tuple[Endpoint, ...] = ()
    far: bool = False
    load_balancing: LoadBalancing = LoadBalancing()


UpstreamCluster = MeshCluster | AggregateCluster
OwnCluster = LocalCluster | JwksCluster
Cluster = UpstreamCluster | OwnCluster | GatewayCluster


@dataclass(frozen=True, slots=True)
class LoadAssignment:
    """The endpoints of a cluster, sorted, possibly none.

    With ``to_the_last`` they take all of the traffic while one of them is healthy. Without, an aggregate
    cluster begins to use its next member when fewer than 72 percent of these are.
    """

    cluster: str
    endpoints: tuple[Endpoint, ...]
    to_the_last: bool = False


# --- routes


@dataclass(frozen=True, slots=True)
class RequestMatch:
    """All conditions of a route. ``methods`` are alternatives; none is any."""

    path: PathMatch
    headers: tuple[ValueMatch, ...] = ()
    query: tuple[ValueMatch, ...] = ()
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeaderChanges:
    """Headers to add, set and remove, sorted by name."""

    add: tuple[tuple[str, str], ...] = ()
    set: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leg:
    """A cluster and its share of the requests, in hundredths of a percent."""

    cluster: str
    weight: int
    request_headers: HeaderChanges = HeaderChanges()
    response_headers: HeaderChanges = HeaderChanges()


@dataclass(frozen=True, slots=True)
class Retries:
    """When and how often a failed request is tried again: at another endpoint if there is one.

    ``attempts`` of 0 is Envoy's default. ``elsewhere`` makes each attempt pass over the members of an
    aggregate cluster that were tried before, until all have been.
    """

    conditions: tuple[str, ...]
    attempts: int = 0
    status_codes: tuple[int, ...] = ()
    elsewhere: bool = False


class HashField(StrEnum):
    """What of a request is hashed."""

    HEADER = "header"
    COOKIE = "cookie"
    QUERY_PARAMETER = "query_parameter"
    SOURCE_IP = "source_ip"


@dataclass(frozen=True, slots=True)
class HashPolicy:
    """Requests with the same hash go to the same endpoint. ``name`` is the header's, or whatever it is.

    A cookie with a ``ttl`` is made by Envoy where it is missing; zero is for the session.
    """

    field: HashField
    name: str = ""
    ttl: Duration | None = None
    path: str = ""
    terminal: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Requests that match go to the legs by weight; with one leg its weight does not matter.

    ``prefix_rewrite`` replaces the path or prefix that was matched; empty leaves the path alone.
    """

    match: RequestMatch
    legs: tuple[Leg, ...]
    timeout: Duration | None = None
    idle_timeout: Duration | None = None
    prefix_rewrite: str = ""
    retries: Retries | None = None
    hash_policies: tuple[HashPolicy, ...] = ()
    request_headers: HeaderChanges = HeaderChanges()
    response_headers: HeaderChanges = HeaderChanges()


@dataclass(frozen=True, slots=True)
class RouteConfiguration:
    """Routes in order, for requests to any host; with an ``authorization`` for those that it allows.

    With ``validate_clusters`` Envoy refuses all of them if it does not know where one leads.
    """

    name: str
    virtual_host: str
    routes: tuple[Route, ...]
    authorization: Authorization | None = None
    validate_clusters: bool = False


# --- listeners


class Direction(StrEnum):
    """Towards the application, or away from it."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True)
class TcpProxy:
    """Forward bytes to a cluster; with ``hash_source_ip`` all of one address go to the same endpoint.

    With ``after_handshake`` the cluster hears nothing of a caller before its certificate is verified. Of
    several ``attempts`` to connect each chooses anew, after a short pause; 0 is Envoy's default, one.
    """

    stat_prefix: str
    cluster: str
    hash_source_ip: bool = False
    after_handshake: bool = False
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class HttpManager:
    """Forward requests by routes that come over RDS by name.

    With ``authorizes`` it refuses all requests but those that the authorization of the routes allows: it
    stands there, since connections that are open keep their listener as it was when it is replaced, but ask
    for their routes anew with each request. The tokens of ``jwt_providers`` are verified before that.
    ``forward_client_cert`` tells the application who called, in ``x-forwarded-client-cert``; what the caller
    put there is dropped in any case. ``normalization`` comes before a request is judged or routed.
    """

    stat_prefix: str
    protocol: Protocol
    routes: str
    authorizes: bool = False
    jwt_providers: tuple[JwtProvider, ...] = ()
    forward_client_cert: bool = False
    normalization: Normalization | None = None
    max_request_headers_kb: int | None = None


NetworkFilter = TcpProxy | HttpManager


@dataclass(frozen=True, slots=True)
class Listener:
    """An address to accept connections on; in plain text if ``tls`` is None.

    ``exact_balance`` spreads connections evenly over Envoy's threads. Beyond ``max_connections`` they are
    closed; 0 is no limit. ``authorization`` is for connections; for requests it is where their routes are.
    ``access_logs`` of None logs denials only. ``service`` is the one that is called here, whose calls are
    counted; empty where an application finds others.
    """

    name: str
    address: str
    port: int
    direction: Direction
    filter: NetworkFilter
    tls: DownstreamTls | None = None
    exact_balance: bool = False
    max_connections: int = 0
    authorization: Authorization | None = None
    access_logs: AccessLogs | None = None
    service: str = ""


@dataclass(frozen=True, slots=True)
class SniChain:
    """TLS connections that ask for one of these server names are forwarded to a cluster, as they are."""

    server_names: tuple[str, ...]
    cluster: str
    stat_prefix: str


@dataclass(frozen=True, slots=True)
class GatewayListener:
    """An address where a mesh gateway accepts connections, and all that it forwards from there."""

    name: str
    address: str
    port: int
    chains: tuple[SniChain, ...]
    access_logs: AccessLogs | None = None


# --- what belongs together


@dataclass(frozen=True, slots=True)
class UpstreamIR:
    """All that calling one service takes: shared by every sidecar that calls it with the same settings.

    ``clusters`` are sorted by name. ``filter`` is what a listener does with the calls. ``routes`` are those
    that it asks for over RDS; None for a tcp service.
    """

    service: str
    protocol: Protocol
    clusters: tuple[UpstreamCluster, ...]
    filter: NetworkFilter
    routes: RouteConfiguration | None
    exact_balance: bool = False


@dataclass(frozen=True, slots=True)
class SidecarIR:
    """One sidecar's own part: the application beside it, and where the mesh reaches that.

    ``routes`` are those of the public listener; None for a tcp service. ``jwks_clusters`` have the keys of
    its callers' tokens.
    """

    local_cluster: LocalCluster
    public_listener: Listener
    routes: RouteConfiguration | None = None
    jwks_clusters: tuple[JwksCluster, ...] = ()

    @property
    def own_clusters(self) -> tuple[OwnCluster, ...]:
        """The clusters that are there whatever the service calls."""
        return (self.local_cluster, *self.jwks_clusters)
