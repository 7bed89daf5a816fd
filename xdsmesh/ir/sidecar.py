"""One sidecar's own part: how the mesh reaches its application, and where the application finds the mesh."""

from functools import lru_cache
from typing import Final

from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.ir import names
from xdsmesh.ir.local import LocalSettings, local_settings
from xdsmesh.ir.routes import route_to
from xdsmesh.ir.types import (
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


def build_sidecar(
    sidecar: Instance, service_defaults: ServiceDefaults | None, proxy_defaults: ProxyDefaults | None
) -> SidecarIR:
    """What a sidecar does for its own application. ``service_defaults`` is the entry of that service.

    Raises:
        ValueError: the instance is no proxy.
    """
    proxy = sidecar.proxy
    if proxy is None:
        raise ValueError(f"{sidecar.id} is not a proxy")
    settings = local_settings(proxy, service_defaults, proxy_defaults)
    return SidecarIR(
        local_cluster=_local_cluster(proxy, settings),
        public_listener=_public_listener(sidecar, proxy, settings),
    )


def build_upstream_listener(upstream: Upstream, ir: UpstreamIR) -> Listener:
    """Where an application finds one of its upstreams: in plain text, on an address of its own machine."""
    address, port = upstream.local_bind_address, upstream.local_bind_port
    return Listener(
        name=names.upstream_listener(ir.service, address, port),
        address=address,
        port=port,
        direction=Direction.OUTBOUND,
        filter=ir.filter,
        exact_balance=ir.exact_balance,
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


def _public_listener(sidecar: Instance, proxy: Proxy, settings: LocalSettings) -> Listener:
    address = proxy.bind_address or sidecar.address or _ANY_ADDRESS
    port = proxy.bind_port or sidecar.port
    return Listener(
        name=names.public_listener(address, port),
        address=address,
        port=port,
        direction=Direction.INBOUND,
        filter=_public_filter(settings),
        tls=DownstreamTls(_ALPN[settings.protocol]),
        exact_balance=settings.exact_balance,
        max_connections=settings.max_connections,
    )


@lru_cache(maxsize=256)
def _public_filter(settings: LocalSettings) -> NetworkFilter:
    """What the public listener does; remembered, since all replicas of a service share it."""
    if not settings.protocol.is_http:
        return TcpProxy(names.PUBLIC_LISTENER, names.LOCAL_CLUSTER)
    routes = RouteConfiguration(
        name=names.PUBLIC_LISTENER,
        virtual_host=names.PUBLIC_LISTENER,
        routes=(route_to(names.LOCAL_CLUSTER, settings.request_timeout, settings.idle_timeout),),
    )
    return HttpManager(
        stat_prefix=names.PUBLIC_LISTENER,
        protocol=settings.protocol,
        routes=routes,
        forward_client_cert=True,
        normalize_path=True,
        max_request_headers_kb=settings.max_request_headers_kb,
    )
