"""One sidecar's own part: how the mesh reaches its application, and where the application finds the mesh."""

from dataclasses import dataclass, replace
from typing import Final

from xdsmesh.ir import names
from xdsmesh.ir.access_logs import AccessLogs
from xdsmesh.ir.authorization import Authorization, Services
from xdsmesh.ir.jwt import JwksCluster, JwtProvider
from xdsmesh.ir.local import LocalSettings
from xdsmesh.ir.mesh import UNSAID, Incoming
from xdsmesh.ir.normalization import needed_by, refuse_unnormalized
from xdsmesh.ir.routes import route_to
from xdsmesh.ir.tls import TlsParameters
from xdsmesh.ir.types import (
    Callers,
    CircuitBreakers,
    Direction,
    DownstreamTls,
    HttpManager,
    Listener,
    LocalCluster,
    NetworkFilter,
    Protocol,
    RouteConfiguration,
    SidecarIR,
    TcpProxy,
    UpstreamIR,
)
from xdsmesh.model.catalog import Instance, Proxy, Upstream

_ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - without an address in its registration a sidecar listens on all

_ALPN: Final = {
    Protocol.TCP: (),
    Protocol.HTTP: ("http/1.1",),
    Protocol.HTTP2: ("h2", "http/1.1"),
    Protocol.GRPC: ("h2", "http/1.1"),
}
"""What the public listener offers to speak, best first."""


@dataclass(frozen=True, slots=True)
class TokenIssuers:
    """Whose tokens a service asks for, by name, and the clusters with their keys."""

    providers: tuple[JwtProvider, ...] = ()
    clusters: tuple[JwksCluster, ...] = ()


_MOST_LETTERS: Final = 16_000
"""Of names that a regular expression can leave out: Envoy has refused one of 60,000."""

_NOBODY: Final = TokenIssuers()


def build_sidecar(
    sidecar: Instance,
    settings: LocalSettings,
    authorization: Authorization,
    issuers: TokenIssuers = _NOBODY,
    incoming: Incoming = UNSAID,
) -> SidecarIR:
    """What a sidecar does for its own application. Only of http services tokens are verified.

    Raises:
        ValueError: the instance is no proxy.
    """
    proxy = sidecar.proxy
    if proxy is None:
        raise ValueError(f"{sidecar.id} is not a proxy")
    normalization = incoming.normalization or needed_by(authorization)
    guarded = refuse_unnormalized(authorization, normalization)
    routes = _public_routes(proxy, settings, guarded) if settings.protocol.is_http else None
    incoming = replace(incoming, normalization=normalization)
    listener = _public_listener(
        _public_address(sidecar, proxy),
        settings,
        authorization,
        incoming.tls,
        _public_filter(proxy, settings, issuers.providers, incoming),
    )
    return SidecarIR(
        local_cluster=_local_cluster(proxy, settings),
        public_listener=replace(listener, service=proxy.destination_service_name),
        routes=routes,
        jwks_clusters=issuers.clusters if settings.protocol.is_http else (),
    )


def with_access_logs(ir: SidecarIR, logs: AccessLogs | None) -> SidecarIR:
    """The same sidecar, whose public listener writes these."""
    return replace(ir, public_listener=replace(ir.public_listener, access_logs=logs))


def build_upstream_listener(
    upstream: Upstream, ir: UpstreamIR, access_logs: AccessLogs | None = None
) -> Listener:
    """Where an application finds one of its upstreams: in plain text, on an address of its own machine."""
    address, port = upstream.local_bind_address, upstream.local_bind_port
    return Listener(
        name=names.upstream_listener(upstream.called, address, port),
        address=address,
        port=port,
        direction=Direction.OUTBOUND,
        filter=ir.filter,
        exact_balance=ir.exact_balance,
        access_logs=access_logs,
    )


def _local_cluster(proxy: Proxy, settings: LocalSettings) -> LocalCluster:
    return LocalCluster(
        name=names.LOCAL_CLUSTER,
        address=proxy.local_service_address,
        port=proxy.local_service_port,
        protocol=settings.protocol,
        connect_timeout=settings.connect_timeout,
        circuit_breakers=CircuitBreakers(max_connections=settings.max_connections or None),
    )


def _public_address(sidecar: Instance, proxy: Proxy) -> tuple[str, int]:
    return proxy.bind_address or sidecar.address or _ANY_ADDRESS, proxy.bind_port or sidecar.port


def _public_listener(
    at: tuple[str, int],
    settings: LocalSettings,
    authorization: Authorization,
    tls: TlsParameters,
    network_filter: NetworkFilter,
) -> Listener:
    address, port = at
    is_http = settings.protocol.is_http
    callers = None if is_http else _callers(authorization)
    return Listener(
        name=names.public_listener(address, port),
        address=address,
        port=port,
        direction=Direction.INBOUND,
        filter=network_filter,
        tls=DownstreamTls(_ALPN[settings.protocol], callers, tls),
        exact_balance=settings.exact_balance,
        max_connections=settings.max_connections,
        authorization=None if is_http else authorization,
    )


def _callers(authorization: Authorization) -> Callers | None:
    """Who may connect; None: everybody with a certificate of the mesh, as far as the handshake is concerned.

    So it is where too many are denied one by one for a regular expression: RBAC alone keeps them out then.
    """
    welcome = authorization.connecting
    if welcome == Services.everyone() and authorization.allow_by_default:
        return None
    if welcome.inverted and sum(map(len, welcome.names)) > _MOST_LETTERS:
        return None
    return Callers(authorization.trust_domain, welcome)


def _public_filter(
    proxy: Proxy, settings: LocalSettings, jwt_providers: tuple[JwtProvider, ...], incoming: Incoming
) -> NetworkFilter:
    """What the public listener does with what it lets in."""
    if not settings.protocol.is_http:
        return TcpProxy(names.PUBLIC_LISTENER, names.LOCAL_CLUSTER, after_handshake=True)
    return HttpManager(
        stat_prefix=names.PUBLIC_LISTENER,
        protocol=settings.protocol,
        routes=names.public_routes(proxy.destination_service_name),
        authorizes=True,
        jwt_providers=jwt_providers,
        forward_client_cert=incoming.names_caller,
        normalization=incoming.normalization,
        max_request_headers_kb=settings.max_request_headers_kb,
    )


def _public_routes(proxy: Proxy, settings: LocalSettings, authorization: Authorization) -> RouteConfiguration:
    return RouteConfiguration(
        name=names.public_routes(proxy.destination_service_name),
        virtual_host=names.PUBLIC_LISTENER,
        routes=(route_to(names.LOCAL_CLUSTER, settings.request_timeout, settings.idle_timeout),),
        authorization=authorization,
    )
