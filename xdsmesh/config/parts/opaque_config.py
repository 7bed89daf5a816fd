"""The keys of a proxy's opaque ``Config`` that are no fields of ours: known, misspelled, or foreign.

Such keys are kept whatever they are, so a typo would silently disable a limit: it is worth a warning.
Keys: https://developer.hashicorp.com/consul/docs/reference/proxy/envoy
"""

from collections.abc import Iterable, Iterator
from typing import Final

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Opaque
from xdsmesh.config.wording import nearest, quoted, shortened
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

WITHOUT_EFFECT: Final = (
    "bind_address",
    "bind_port",
    "connect_timeout_ms",
    "envoy_bootstrap_json_tpl",
    "envoy_cluster_json",
    "envoy_dns_discovery_type",
    "envoy_dogstatsd_url",
    "envoy_extra_static_clusters_json",
    "envoy_extra_static_listeners_json",
    "envoy_extra_stats_sinks_json",
    "envoy_gateway_bind_addresses",
    "envoy_gateway_bind_tagged_addresses",
    "envoy_gateway_no_default_bind",
    "envoy_gateway_remote_tcp_enable_keepalive",
    "envoy_gateway_remote_tcp_keepalive_interval",
    "envoy_gateway_remote_tcp_keepalive_probes",
    "envoy_gateway_remote_tcp_keepalive_time",
    "envoy_hcp_metrics_bind_socket_dir",
    "envoy_listener_json",
    "envoy_listener_tracing_json",
    "envoy_local_cluster_json",
    "envoy_prometheus_bind_addr",
    "envoy_public_listener_json",
    "envoy_stats_bind_addr",
    "envoy_stats_config_json",
    "envoy_stats_flush_interval",
    "envoy_stats_tags",
    "envoy_statsd_url",
    "envoy_telemetry_collector_bind_socket_dir",
    "envoy_tracing_json",
    "limits",
    "mesh_gateway",
    "passive_health_check",
    "xds_fetch_timeout_ms",
)
"""What Consul acts on and we do not, yet."""

_SOCKET_FOLDER: Final = "envoy_hcp_metrics_bind_socket_dir"
_LONGEST_FOLDER: Final = 70
_NEAR: Final = 0.85


def problems(path: str, others: Opaque) -> Iterator[Problem]:
    """What is wrong with keys that are no fields."""
    for key, value in others.items():
        if _squash(key) == _squash(_SOCKET_FOLDER) and len(str(value)) > _LONGEST_FOLDER:
            what = f"{shortened(key)} has at most {_LONGEST_FOLDER} characters, not {len(str(value))}"
            yield rules.problem(paths.field(path, key), what, code=Code.TOO_LONG)


def warnings(path: str, others: Opaque, fields: Iterable[str]) -> Iterator[str]:
    """What of the keys that are no fields has no effect; ``fields`` are the names of those that are."""
    known = {_squash(name): name for name in WITHOUT_EFFECT}
    names = known | {_squash(name): name for name in fields}
    for key in others:
        if name := known.get(_squash(key)):
            yield f"{paths.join(path, name)} has no effect yet"
        elif near := nearest(_squash(key), names, _NEAR):
            yield f"{path} has the key {quoted(key)}, which means nothing: did you mean {names[near]}?"


def _squash(key: str) -> str:
    return key.replace("_", "").lower()
