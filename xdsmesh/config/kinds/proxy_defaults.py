"""``proxy-defaults``: settings of every proxy of the mesh; a single entry named ``global``."""

from collections.abc import Iterator
from typing import ClassVar, Final, Self

from msgspec import field, structs

from xdsmesh.config import rules
from xdsmesh.config.entry import Entry, Shape, UInt32
from xdsmesh.config.wording import quoted
from xdsmesh.model.errors import Problem

NAME: Final = "global"


class ProxyConfig(Shape, frozen=True, rename=None):
    """The keys of ``Config`` that we act on, in the snake_case that people write there.

    Times are milliseconds. ``None`` is "not set"; a request timeout of 0 is "no timeout".
    """

    UNBUILT: ClassVar[frozenset[str]] = frozenset(
        {
            "balance_inbound_connections",
            "bind_address",
            "bind_port",
            "connect_timeout_ms",
            "envoy_bootstrap_json_tpl",
            "envoy_dogstatsd_url",
            "envoy_extra_stats_sinks_json",
            "envoy_extra_static_clusters_json",
            "envoy_extra_static_listeners_json",
            "envoy_listener_tracing_json",
            "envoy_local_cluster_json",
            "envoy_prometheus_bind_addr",
            "envoy_public_listener_json",
            "envoy_stats_bind_addr",
            "envoy_stats_config_json",
            "envoy_stats_flush_interval",
            "envoy_stats_sinks_json",
            "envoy_stats_tags",
            "envoy_statsd_url",
            "envoy_tracing_json",
            "limits",
            "local_idle_timeout_ms",
            "max_inbound_connections",
            "max_request_headers_kb",
            "mesh_gateway",
            "passive_health_check",
            "xds_fetch_timeout_ms",
        }
    )

    protocol: str = ""
    local_connect_timeout_ms: UInt32 | None = None
    local_request_timeout_ms: UInt32 | None = None

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the settings."""
        yield from rules.protocol(f"{path}.protocol", self.protocol)


class ProxyDefaults(Entry, frozen=True, kw_only=True):
    """Settings of every proxy."""

    KIND: ClassVar[str] = "proxy-defaults"
    RANK: ClassVar[int] = 0
    UNBUILT: ClassVar[frozenset[str]] = frozenset(
        {
            "AccessLogs",
            "EnvoyExtensions",
            "Expose",
            "FailoverPolicy",
            "MeshGateway",
            "Mode",
            "MutualTLSMode",
            "TransparentProxy",
        }
    )
    ENTERPRISE: ClassVar[frozenset[str]] = frozenset({"PrioritizeByLocality"})

    config: ProxyConfig = field(default_factory=ProxyConfig)

    def normalize(self) -> Self:
        """The entry under its only name, with a lower-case protocol."""
        config = structs.replace(self.config, protocol=self.config.protocol.lower())
        return structs.replace(self, name=self.name or NAME, config=config)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        if self.name != NAME:
            what = f'there is one proxy-defaults, named "{NAME}", not {quoted(self.name)}'
            yield rules.problem("Name", what, "for one service use service-defaults")
        yield from self.config.problems("Config")
