"""Listeners: an address, and the one filter chain behind it."""

from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import backoff_pb2, base_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.extensions.filters.network.connection_limit.v3 import connection_limit_pb2
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2
from envoy.type.v3 import hash_policy_pb2
from google.protobuf import duration_pb2, wrappers_pb2

from xdsmesh.ir import names
from xdsmesh.ir.authorization import Authorization
from xdsmesh.ir.types import Direction, Listener, NetworkFilter, TcpProxy
from xdsmesh.translate.access_logs import make_filter_logs, make_listener_logs
from xdsmesh.translate.denials import make_http_logs, make_tcp_logs, make_unverified_log
from xdsmesh.translate.http import make_http_manager
from xdsmesh.translate.parts import make_address, make_any, make_uint64
from xdsmesh.translate.rbac import make_network_rbac
from xdsmesh.translate.tls import make_downstream_tls

_EXACT_BALANCE: Final = listener_pb2.Listener.ConnectionBalanceConfig(
    exact_balance=listener_pb2.Listener.ConnectionBalanceConfig.ExactBalance()
)
_SOURCE_IP: Final = hash_policy_pb2.HashPolicy(source_ip=hash_policy_pb2.HashPolicy.SourceIp())
_AFTER_HANDSHAKE: Final[dict[str, Any]] = {
    "upstream_connect_mode": tcp_proxy_pb2.ON_DOWNSTREAM_TLS_HANDSHAKE,
    # What a caller sends in the meantime; beyond that it waits.
    "max_early_data_bytes": wrappers_pb2.UInt32Value(value=65_536),
}
_PAUSE: Final = backoff_pb2.BackoffStrategy(
    base_interval=duration_pb2.Duration(nanos=25_000_000),
    max_interval=duration_pb2.Duration(nanos=100_000_000),
)
_DIRECTIONS: Final = {Direction.INBOUND: base_pb2.INBOUND, Direction.OUTBOUND: base_pb2.OUTBOUND}


def attempts(number: int) -> dict[str, Any]:
    """The fields of a tcp_proxy that say how often it tries to connect; 0 is Envoy's default.

    With a pause between: so what has just failed is known, and left out, before the attempts are used up.
    """
    if not number:
        return {}
    return {"max_connect_attempts": wrappers_pb2.UInt32Value(value=number), "backoff_options": _PAUSE}


def make_listener(listener: Listener) -> listener_pb2.Listener:
    """A listener with one filter chain that takes every connection."""
    return listener_pb2.Listener(
        name=listener.name,
        address=make_address(listener.address, listener.port),
        traffic_direction=_DIRECTIONS[listener.direction],
        filter_chains=[
            _filter_chain(replace(listener, name="", address="", port=0)),
        ],
        access_log=[
            *make_listener_logs(listener.access_logs),
            *([make_unverified_log(listener.access_logs, listener.service)] if listener.service else []),
        ],
        connection_balance_config=_EXACT_BALANCE if listener.exact_balance else None,
    )


@lru_cache(maxsize=4096)
def _filter_chain(listener: Listener) -> listener_components_pb2.FilterChain:
    """What a listener without a name and an address does with a connection.

    Remembered, since it is most of the work, and a thousand sidecars of one service share it. The result is
    copied into each listener and never changed.
    """
    most, authorization = listener.max_connections, listener.authorization
    return listener_components_pb2.FilterChain(
        filters=[
            *([_rbac(authorization)] if authorization else []),
            *([_connection_limit(most)] if most else []),
            _network_filter(listener.filter, _access_logs(listener)),
        ],
        transport_socket=make_downstream_tls(listener.tls) if listener.tls else None,
    )


def _rbac(authorization: Authorization) -> listener_components_pb2.Filter:
    return listener_components_pb2.Filter(
        name="envoy.filters.network.rbac", typed_config=make_any(make_network_rbac(authorization))
    )


def _connection_limit(most: int) -> listener_components_pb2.Filter:
    limit = connection_limit_pb2.ConnectionLimit(
        stat_prefix=names.CONNECTION_LIMIT, max_connections=make_uint64(most)
    )
    return listener_components_pb2.Filter(
        name="envoy.filters.network.connection_limit", typed_config=make_any(limit)
    )


def _access_logs(listener: Listener) -> list[accesslog_pb2.AccessLog]:
    logs, service, authorization = listener.access_logs, listener.service, listener.authorization
    if not service:
        return make_filter_logs(logs)
    return make_tcp_logs(logs, service, authorization) if authorization else make_http_logs(logs, service)


def _network_filter(
    network_filter: NetworkFilter, logs: list[accesslog_pb2.AccessLog]
) -> listener_components_pb2.Filter:
    if isinstance(network_filter, TcpProxy):
        proxy = tcp_proxy_pb2.TcpProxy(
            stat_prefix=network_filter.stat_prefix,
            cluster=network_filter.cluster,
            hash_policy=[_SOURCE_IP] if network_filter.hash_source_ip else [],
            access_log=logs,
            **attempts(network_filter.attempts),
            **(_AFTER_HANDSHAKE if network_filter.after_handshake else {}),
        )
        return listener_components_pb2.Filter(
            name="envoy.filters.network.tcp_proxy", typed_config=make_any(proxy)
        )
    manager = make_http_manager(network_filter)
    manager.access_log.extend(logs)
    return listener_components_pb2.Filter(
        name="envoy.filters.network.http_connection_manager",
        typed_config=make_any(manager),
    )
