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

_CONNECT_TIMEOUT: Final = Duration.of(seconds=5)
_NO_SERVICE_DEFAULTS: Final = ServiceDefaults()
_NO_CONFIG: Final = ProxyConfig()


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """What holds between a sidecar and its application."""

    protocol: Protocol
    connect_timeout: Duration
    request_timeout: Duration | None


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
    )


def _connect_timeout(proxy: Proxy, service: ServiceDefaults, config: ProxyConfig) -> Duration:
    """The first that is set; a time below a millisecond is no limit to work with, so the default holds."""
    milliseconds = service.local_connect_timeout_ms or config.local_connect_timeout_ms or 0
    written = proxy.local_connect_timeout or Duration.of(milliseconds=milliseconds)
    return written if written > Duration() else _CONNECT_TIMEOUT


def _request_timeout(proxy: Proxy, service: ServiceDefaults, config: ProxyConfig) -> Duration | None:
    """The first that is set; service-defaults can't say zero, the others mean "no timeout" by it."""
    if proxy.local_request_timeout is not None:
        return _not_negative(proxy.local_request_timeout)
    if service.local_request_timeout_ms:
        return _not_negative(Duration.of(milliseconds=service.local_request_timeout_ms))
    if config.local_request_timeout_ms is not None:
        return _not_negative(Duration.of(milliseconds=config.local_request_timeout_ms))
    return None


def _not_negative(duration: Duration) -> Duration:
    return max(duration, Duration())
