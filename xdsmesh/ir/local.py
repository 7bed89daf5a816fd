"""How a sidecar talks to its application.

The registration decides, then service-defaults, then proxy-defaults.
"""

from dataclasses import dataclass
from typing import Final

from xdsmesh.config.kinds.proxy_defaults import ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.ir.types import Protocol
from xdsmesh.model.catalog import Proxy
from xdsmesh.model.duration import Duration

EXACT_BALANCE: Final = "exact_balance"
"""The word for spreading connections evenly over Envoy's threads."""

_CONNECT_TIMEOUT: Final = Duration.of(seconds=5)
_MAX_REQUEST_HEADERS_KB: Final = 8192
"""Envoy's limit of ``max_request_headers_kb``."""

_NO_SERVICE_DEFAULTS: Final = ServiceDefaults()
_NO_CONFIG: Final = ProxyConfig()


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """What holds for calls to the application. ``max_connections`` of 0 is no limit."""

    protocol: Protocol
    connect_timeout: Duration
    request_timeout: Duration | None
    idle_timeout: Duration | None = None
    max_connections: int = 0
    max_request_headers_kb: int | None = None
    exact_balance: bool = False


def local_settings(
    proxy: Proxy, service_defaults: ServiceDefaults | None, proxy_defaults: ProxyDefaults | None
) -> LocalSettings:
    """The settings of a sidecar. ``service_defaults`` is the entry of the service that it stands before.

    A service-defaults entry that names no protocol means tcp, whatever proxy-defaults say, as in Consul.
    """
    service = service_defaults or _NO_SERVICE_DEFAULTS
    config = proxy_defaults.config if proxy_defaults else _NO_CONFIG
    central_protocol = service_defaults.protocol if service_defaults else config.protocol
    return LocalSettings(
        protocol=Protocol.of(proxy.protocol or central_protocol),
        connect_timeout=_connect_timeout(proxy, service, config),
        request_timeout=_request_timeout(proxy, service, config),
        idle_timeout=_first_timeout(proxy.local_idle_timeout, config.local_idle_timeout_ms),
        max_connections=_max_connections(proxy, service, config),
        max_request_headers_kb=max_request_headers(proxy, service_defaults, proxy_defaults),
        exact_balance=_balance(proxy, service, config) == EXACT_BALANCE,
    )


def max_request_headers(
    proxy: Proxy, service_defaults: ServiceDefaults | None, proxy_defaults: ProxyDefaults | None
) -> int | None:
    """The kilobytes of headers that a request may have, as callee and as caller; None is Envoy's default."""
    written = proxy.max_request_headers_kb
    if written is None and service_defaults:
        written = service_defaults.max_request_headers_kb
    if written is None and proxy_defaults:
        written = proxy_defaults.config.max_request_headers_kb
    return min(written, _MAX_REQUEST_HEADERS_KB) if written else None


def _max_connections(proxy: Proxy, service: ServiceDefaults, config: ProxyConfig) -> int:
    if proxy.max_inbound_connections is not None:
        return proxy.max_inbound_connections
    return service.max_inbound_connections or config.max_inbound_connections or 0


def _balance(proxy: Proxy, service: ServiceDefaults, config: ProxyConfig) -> str:
    return (
        proxy.balance_inbound_connections
        or service.balance_inbound_connections
        or config.balance_inbound_connections
    )


def _connect_timeout(proxy: Proxy, service: ServiceDefaults, config: ProxyConfig) -> Duration:
    """The first that is set; a time below a millisecond is no limit to work with, so the default holds."""
    milliseconds = service.local_connect_timeout_ms or config.local_connect_timeout_ms or 0
    written = proxy.local_connect_timeout or Duration.of(milliseconds=milliseconds)
    return written if written > Duration() else _CONNECT_TIMEOUT


def _request_timeout(proxy: Proxy, service: ServiceDefaults, config: ProxyConfig) -> Duration | None:
    """The first that is set; service-defaults can't say zero, the others mean "no timeout" by it."""
    central = service.local_request_timeout_ms or config.local_request_timeout_ms
    return _first_timeout(proxy.local_request_timeout, central)


def _first_timeout(own: Duration | None, central_ms: int | None) -> Duration | None:
    """What the registration says, else what config entries say."""
    if own is not None:
        return max(own, Duration())
    return None if central_ms is None else Duration.of(milliseconds=central_ms)
