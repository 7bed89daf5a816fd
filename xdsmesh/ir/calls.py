"""How one service calls another, where the caller has a say in it.

Facts: https://developer.hashicorp.com/consul/docs/reference/config-entry/service-defaults#upstreamconfig.
From weakest to strongest: proxy-defaults, the caller's service-defaults, their ``UpstreamConfig.Defaults``,
the registration of the proxy, ``UpstreamConfig.Overrides``, the registration of the upstream.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from xdsmesh.chain.types import Overrides
from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.parts.upstream_config import UpstreamConfig
from xdsmesh.config.upstream import settings_of
from xdsmesh.ir.local import EXACT_BALANCE, max_request_headers
from xdsmesh.ir.types import CircuitBreakers, OutlierDetection
from xdsmesh.model.catalog import Limits, PassiveHealthCheck, Proxy, Upstream, UpstreamSettings
from xdsmesh.model.duration import Duration

_NO_OVERRIDES: Final = Overrides()
_NO_LIMITS: Final = CircuitBreakers()
_NO_CHECK: Final = PassiveHealthCheck()
_DEFAULT_DETECTION: Final = OutlierDetection()
_UINT32: Final = 2**32 - 1
_ALL: Final = 100
_SHORTEST: Final = Duration.of(milliseconds=1)


@dataclass(frozen=True, slots=True)
class CallSettings:
    """What a caller wants of an upstream; equal for all replicas of the caller."""

    overrides: Overrides = _NO_OVERRIDES
    circuit_breakers: CircuitBreakers = _NO_LIMITS
    outlier_detection: OutlierDetection = _DEFAULT_DETECTION
    exact_balance: bool = False
    max_request_headers_kb: int | None = None


UNSAID: Final = CallSettings()
"""The caller has nothing to say."""


def build_call_settings(
    upstream: Upstream,
    proxy: Proxy,
    service_defaults: ServiceDefaults | None,
    proxy_defaults: ProxyDefaults | None,
) -> CallSettings | None:
    """The settings of one upstream of a proxy; None if nothing is said.

    ``service_defaults`` is the entry of the service that the proxy stands before: the caller.
    """
    merged = UpstreamSettings()
    for weaker in (
        upstream.settings,
        _override(service_defaults, upstream.destination_name),
        UpstreamSettings(mesh_gateway=proxy.mesh_gateway),
        _defaults(service_defaults),
        UpstreamSettings(mesh_gateway=service_defaults.mesh_gateway.mode) if service_defaults else None,
        UpstreamSettings(mesh_gateway=proxy_defaults.mesh_gateway.mode) if proxy_defaults else None,
    ):
        merged = merged.over(weaker) if weaker else merged
    settings = CallSettings(
        overrides=Overrides(merged.protocol, merged.mesh_gateway, merged.connect_timeout),
        circuit_breakers=_circuit_breakers(merged.limits or Limits()),
        outlier_detection=_outlier_detection(merged.passive_health_check or PassiveHealthCheck()),
        exact_balance=merged.balance_outbound_connections == EXACT_BALANCE,
        max_request_headers_kb=max_request_headers(proxy, service_defaults, proxy_defaults),
    )
    return None if settings == UNSAID else _shared(settings)


@lru_cache(maxsize=4096)
def _shared(settings: CallSettings) -> CallSettings:
    """One object for equal settings, so that comparing those of two replicas is quick."""
    return settings


def _defaults(service_defaults: ServiceDefaults | None) -> UpstreamSettings | None:
    config = service_defaults.upstream_config if service_defaults else None
    return _settings(config.defaults) if config and config.defaults else None


def _override(service_defaults: ServiceDefaults | None, name: str) -> UpstreamSettings | None:
    """What is said about one upstream by its name; an override for a peer's service is not about ours."""
    config = service_defaults.upstream_config if service_defaults else None
    overrides = config.overrides if config else ()
    found = (each for each in overrides if each.name == name and not each.peer)
    return next((_settings(each) for each in found), None)


def _settings(config: UpstreamConfig) -> UpstreamSettings:
    return settings_of(config.normalize())


def _circuit_breakers(limits: Limits) -> CircuitBreakers:
    return CircuitBreakers(
        max_connections=_within(limits.max_connections, _UINT32),
        max_pending_requests=_within(limits.max_pending_requests, _UINT32),
        max_requests=_within(limits.max_concurrent_requests, _UINT32),
    )


def _outlier_detection(check: PassiveHealthCheck) -> OutlierDetection:
    """Envoy refuses times of zero: no interval is its default, and an ejection for no time is a short one.

    Its default share of 10 percent is nobody where instances are few, and who asks for passive checks wants
    more. Without a word about them that stays: the only instance is not taken out for five errors in a row.
    """
    ejection = check.base_ejection_time
    return OutlierDetection(
        interval=check.interval if check.interval > Duration() else None,
        consecutive_5xx=check.max_failures or None,
        enforcing_consecutive_5xx=_within(check.enforcing_consecutive_5xx, _ALL),
        max_ejection_percent=_within(check.max_ejection_percent, _ALL),
        base_ejection_time=None if ejection is None else max(ejection, _SHORTEST),
        at_least_one=check != _NO_CHECK and check.max_ejection_percent != 0,
    )


def _within(value: int | None, most: int) -> int | None:
    return None if value is None else min(max(value, 0), most)
