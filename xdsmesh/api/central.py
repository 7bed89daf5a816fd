"""Central defaults in what is shown of a proxy: what config entries say, where its registration does not.

A proxy on the server's own node is always shown so, another one when ``?merge-central-config`` asks for it.
Source: https://developer.hashicorp.com/consul/api-docs/catalog#merge-central-config
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from msgspec import structs

from xdsmesh.api.changes import Topic, entry_topic
from xdsmesh.api.encode_proxy import encode_proxy
from xdsmesh.api.request import AnyRequest
from xdsmesh.api.shapes import Proxy, Upstream
from xdsmesh.catalog.stored import Stored
from xdsmesh.catalog.view import CatalogView
from xdsmesh.config import codec
from xdsmesh.config.kinds.proxy_defaults import NAME, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.parts.upstream_config import UpstreamConfig
from xdsmesh.config.upstream import settings_of
from xdsmesh.model import catalog
from xdsmesh.model.catalog import Instance
from xdsmesh.model.duration import Duration
from xdsmesh.model.origin import Source

_TRANSPARENT: Final = "transparent"
_OUTBOUND_PORT: Final = 15001
_SETTINGS: Final = {
    "Protocol": "protocol",
    "LocalConnectTimeoutMs": "local_connect_timeout_ms",
    "LocalRequestTimeoutMs": "local_request_timeout_ms",
    "MaxInboundConnections": "max_inbound_connections",
    "MaxRequestHeadersKB": "max_request_headers_kb",
    "BalanceInboundConnections": "balance_inbound_connections",
}
"""Fields of service-defaults, and the keys of a proxy's ``Config`` that they stand for."""


@dataclass(frozen=True, slots=True)
class Central:
    """The entries that a read takes defaults from. ``topics`` are those that it has looked at."""

    view: CatalogView
    always: bool
    topics: set[Topic] = field(default_factory=set)

    @classmethod
    def of(cls, request: AnyRequest, view: CatalogView) -> Self:
        """What a request asks for."""
        return cls(view, "merge-central-config" in request.query_params)

    def proxy(self, stored: Stored[Instance]) -> Proxy | None:
        """The proxy of an instance as it is to be shown; None: it is none."""
        instance = stored.value
        if instance.proxy is None:
            return None
        shown = encode_proxy(instance.proxy)
        return self._merged(instance, shown) if self.always or self._is_own(instance) else shown

    def _is_own(self, instance: Instance) -> bool:
        node = self.view.nodes.get(instance.node.name)
        return node is not None and node.origin.source is Source.SERVER

    def _merged(self, instance: Instance, shown: Proxy) -> Proxy:
        service = self._service_defaults(shown.destination_service_name or instance.service)
        mesh = self._proxy_defaults()
        from_mesh, from_service = codec.encode(mesh), codec.encode(service)
        both = {**from_mesh, **from_service}
        settings = {key: from_service[name] for name, key in _SETTINGS.items() if name in from_service}
        return structs.replace(
            shown,
            mode=both.get("Mode", ""),
            transparent_proxy=_transparent_proxy(both),
            config={**from_mesh.get("Config", {}), **settings, **shown.config},
            mesh_gateway=shown.mesh_gateway or both.get("MeshGateway", {}),
            expose=both.get("Expose", {}),
            access_logs=from_mesh.get("AccessLogs"),
            envoy_extensions=[
                *from_mesh.get("EnvoyExtensions", []),
                *from_service.get("EnvoyExtensions", []),
            ],
            upstreams=[self._upstream(each, service, mesh) for each in shown.upstreams],
        )

    def _upstream(self, shown: Upstream, caller: ServiceDefaults, mesh: ProxyDefaults) -> Upstream:
        said = caller.upstream_config
        defaults = said.defaults if said else None
        own = (each for each in (said.overrides if said else ()) if each.name == shown.destination_name)
        protocol = self._service_defaults(shown.destination_name).protocol or mesh.config.protocol
        config = {
            **({"protocol": protocol} if protocol else {}),
            **_upstream_config(defaults),
            **_upstream_config(next(own, None)),
        }
        mode = (defaults.mesh_gateway.mode if defaults else "") or caller.mesh_gateway.mode
        gateway = {"Mode": mode} if mode else {}
        return structs.replace(
            shown, config={**config, **shown.config}, mesh_gateway=shown.mesh_gateway or gateway
        )

    def _service_defaults(self, service: str) -> ServiceDefaults:
        found = self._entry(ServiceDefaults.KIND, service)
        return found if isinstance(found, ServiceDefaults) else ServiceDefaults()

    def _proxy_defaults(self) -> ProxyDefaults:
        found = self._entry(ProxyDefaults.KIND, NAME)
        return found if isinstance(found, ProxyDefaults) else ProxyDefaults()

    def _entry(self, kind: str, name: str) -> object:
        self.topics.add(entry_topic(kind, name))
        stored = self.view.entries.get((kind, name))
        return stored.value if stored else None


def _transparent_proxy(said: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Where a transparent proxy takes connections in; one that says nothing about it has the usual port."""
    given: Mapping[str, Any] | None = said.get("TransparentProxy")
    if said.get("Mode") != _TRANSPARENT:
        return given
    return {"OutboundListenerPort": _OUTBOUND_PORT, **(given or {})}


def _upstream_config(said: UpstreamConfig | None) -> Mapping[str, Any]:
    """How an upstream is called, under the keys of its ``Config``."""
    if said is None:
        return {}
    settings = settings_of(said.normalize())
    return _given(
        protocol=settings.protocol or None,
        connect_timeout_ms=_milliseconds(settings.connect_timeout or None),
        limits=_given(**dataclasses.asdict(settings.limits)) if settings.limits else None,
        passive_health_check=_passive_health_check(settings.passive_health_check),
        balance_outbound_connections=settings.balance_outbound_connections or None,
    )


def _passive_health_check(check: catalog.PassiveHealthCheck | None) -> dict[str, Any] | None:
    """Its durations are Go strings, as people write them there."""
    if check is None:
        return None
    return _given(
        interval=str(check.interval) if check.interval else None,
        max_failures=check.max_failures or None,
        enforcing_consecutive_5xx=check.enforcing_consecutive_5xx,
        max_ejection_percent=check.max_ejection_percent,
        base_ejection_time=str(check.base_ejection_time) if check.base_ejection_time else None,
    )


def _given(**settings: object) -> dict[str, Any]:
    """The settings that are set."""
    return {key: value for key, value in settings.items() if value is not None}


def _milliseconds(duration: Duration | None) -> int | None:
    return duration.nanoseconds // 1_000_000 if duration is not None else None
