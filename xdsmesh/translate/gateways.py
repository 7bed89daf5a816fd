"""Mesh gateways: listeners that forward TLS by the server name it asks for, and clusters without TLS.

There is no chain for anything else, and none that opens TLS: what asks for another name, for none, or does
not speak TLS finds its connection closed.
"""

from dataclasses import replace
from typing import Final

from envoy.config.cluster.v3 import circuit_breaker_pb2, cluster_pb2
from envoy.config.core.v3 import health_check_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2
from google.protobuf import duration_pb2

from xdsmesh.ir.access_logs import AccessLogs
from xdsmesh.ir.outliers import across_datacenters
from xdsmesh.ir.types import GatewayCluster, GatewayListener, OutlierDetection, SniChain
from xdsmesh.translate.access_logs import DENIALS, make_filter_logs, make_listener_logs
from xdsmesh.translate.clusters import (
    NO_PANIC,
    load_balancing,
    locate,
    notice_silence,
    outlier_detection,
)
from xdsmesh.translate.listeners import attempts
from xdsmesh.translate.liveness import ACCEPTED
from xdsmesh.translate.parts import make_address, make_any, make_duration, make_uint32

_TLS_INSPECTOR: Final = listener_components_pb2.ListenerFilter(
    name="envoy.filters.listener.tls_inspector", typed_config=make_any(tls_inspector_pb2.TlsInspector())
)
_LOST: Final = replace(DENIALS, listener_logs=True)
"""How connections are logged that nothing is there for, where access logs are not asked for."""

_CONNECT_ATTEMPTS: Final = 2
"""A gateway that does not answer is no reason to lose a connection while there are others."""

_SILENT: Final = duration_pb2.Duration(seconds=5)
"""How long somebody may say nothing who has connected."""

_UNLIMITED: Final = 2**32 - 1
_CARRIES_ALL: Final = circuit_breaker_pb2.CircuitBreakers(
    thresholds=[
        circuit_breaker_pb2.CircuitBreakers.Thresholds(
            max_connections=make_uint32(_UNLIMITED), max_pending_requests=make_uint32(_UNLIMITED)
        )
    ]
)
"""A gateway carries the calls of everybody: it is they who have limits, and those whom they call."""

_DETECTION: Final = across_datacenters(OutlierDetection(), has_next=False)
_CHECK: Final = health_check_pb2.HealthCheck(
    timeout=duration_pb2.Duration(seconds=1),
    interval=duration_pb2.Duration(seconds=1),
    no_traffic_interval=duration_pb2.Duration(seconds=1),
    unhealthy_threshold=make_uint32(2),
    healthy_threshold=make_uint32(1),
    tcp_health_check=health_check_pb2.HealthCheck.TcpHealthCheck(),
)
"""Whether a gateway elsewhere accepts connections: nobody here is told when the link to it is cut."""


def make_gateway_listener(listener: GatewayListener) -> listener_pb2.Listener:
    """A listener of which only the chains change: Envoy then keeps the connections of the others."""
    return listener_pb2.Listener(
        name=listener.name,
        address=make_address(listener.address, listener.port),
        listener_filters=[_TLS_INSPECTOR],
        listener_filters_timeout=_SILENT,
        socket_options=ACCEPTED,
        filter_chains=[_filter_chain(chain, listener.access_logs) for chain in listener.chains],
        access_log=make_listener_logs(listener.access_logs or _LOST),
    )


def make_gateway_cluster(cluster: GatewayCluster) -> cluster_pb2.Cluster:
    """A cluster to which bytes are forwarded as they come."""
    message = cluster_pb2.Cluster(
        name=cluster.name,
        connect_timeout=make_duration(cluster.connect_timeout),
        common_lb_config=NO_PANIC,
        circuit_breakers=_CARRIES_ALL,
        health_checks=[_CHECK] if cluster.far else [],
        outlier_detection=outlier_detection(_DETECTION),
        **load_balancing(cluster.load_balancing),
    )
    locate(message, cluster.given)
    notice_silence(message)
    return message


def _filter_chain(chain: SniChain, access_logs: AccessLogs | None) -> listener_components_pb2.FilterChain:
    proxy = tcp_proxy_pb2.TcpProxy(
        stat_prefix=chain.stat_prefix,
        cluster=chain.cluster,
        access_log=make_filter_logs(access_logs),
        **attempts(_CONNECT_ATTEMPTS),
    )
    forward = listener_components_pb2.Filter(
        name="envoy.filters.network.tcp_proxy", typed_config=make_any(proxy)
    )
    return listener_components_pb2.FilterChain(
        name=chain.server_names[0],
        filter_chain_match=listener_components_pb2.FilterChainMatch(server_names=chain.server_names),
        filters=[forward],
    )
