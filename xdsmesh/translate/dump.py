"""An Envoy's own dump of its configuration, in a form that compares with what the server holds.

Format: https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/config_dump.proto
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from google.protobuf import json_format

import xdsmesh.translate.encode  # noqa: F401 - with the types of all messages that this release makes
from xdsmesh.translate.decode import as_json

Config = Mapping[str, Mapping[str, dict[str, Any]]]
"""By type and name, the canonical JSON of each resource: what means the same is written the same."""


class NotADumpError(Exception):
    """It is not the configuration of an Envoy, or of one that knows more than this release; the text says."""


class _Section(NamedTuple):
    """Where a dump has the resources of a type: ``dynamic[].*path``."""

    dynamic: str
    path: tuple[str, ...]
    message: Any


_SECTIONS: Final[Mapping[str, _Section]] = {
    "clusters": _Section("dynamic_active_clusters", ("cluster",), cluster_pb2.Cluster),
    "endpoints": _Section(
        "dynamic_endpoint_configs", ("endpoint_config",), endpoint_pb2.ClusterLoadAssignment
    ),
    "listeners": _Section("dynamic_listeners", ("active_state", "listener"), listener_pb2.Listener),
    "routes": _Section("dynamic_route_configs", ("route_config",), route_pb2.RouteConfiguration),
    "secrets": _Section("dynamic_active_secrets", ("secret",), secret_pb2.Secret),
}
_OVERPROVISIONING: Final = 140
_HEALTHY: Final = 1


def read_dump(dump: object) -> Config:
    """What an Envoy has got from its control plane and is using now. What still warms is not in it.

    Raises:
        NotADumpError: this is no dump.
    """
    if not isinstance(dump, dict) or not isinstance(dump.get("configs"), list):
        raise NotADumpError("there are no configs in it")
    try:
        found = {
            name: [_without_type(each) for part in dump["configs"] for each in _resources(part, section)]
            for name, section in _SECTIONS.items()
        }
    except (AttributeError, TypeError) as error:
        raise NotADumpError("its configs have other shapes than an Envoy's") from error
    config = read_held(found)
    from_server = {_assignment_of(each) for each in config["clusters"].values() if each.get("type") == "EDS"}
    endpoints = {name: each for name, each in config["endpoints"].items() if name in from_server}
    return {**config, "endpoints": endpoints}


def read_held(resources: Mapping[str, Sequence[dict[str, Any]]]) -> Config:
    """The JSON of resources by type, as the server tells it, in canonical form.

    Raises:
        NotADumpError: a resource is not of its type.
    """
    return {
        name: dict(_canonical(section, each) for each in resources.get(name, ()))
        for name, section in _SECTIONS.items()
    }


def _resources(part: Mapping[str, Any], section: _Section) -> Iterator[dict[str, Any]]:
    for each in part.get(section.dynamic, ()):
        found = each
        for key in section.path:
            found = found.get(key, {})
        if found:
            yield found


def _without_type(packed: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in packed.items() if key != "@type"}


def _canonical(section: _Section, written: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    try:
        message = json_format.ParseDict(written, section.message())
    except (json_format.ParseError, TypeError) as error:
        raise NotADumpError(str(error)) from error
    if isinstance(message, endpoint_pb2.ClusterLoadAssignment):
        return message.cluster_name, as_json(_canonical_assignment(message))
    return message.name, as_json(message)


def _assignment_of(cluster: dict[str, Any]) -> str:
    """The name of a cluster's load assignment."""
    name: str = cluster.get("eds_cluster_config", {}).get("service_name") or cluster["name"]
    return name


def _canonical_assignment(given: Any) -> Any:
    """An Envoy dumps not what it was sent but what it made of it: defaults filled in, and regrouped."""
    made = endpoint_pb2.ClusterLoadAssignment(cluster_name=given.cluster_name, policy=given.policy)
    if not made.policy.HasField("overprovisioning_factor"):
        made.policy.overprovisioning_factor.value = _OVERPROVISIONING
    made.policy.ClearField("endpoint_stale_after")
    groups: dict[tuple[int, bytes], Any] = {}
    for group in given.endpoints:
        key = (group.priority, group.locality.SerializeToString(deterministic=True))
        if group.lb_endpoints:
            merged = groups.setdefault(key, _empty_group(group))
            merged.lb_endpoints.extend(_canonical_endpoint(each) for each in group.lb_endpoints)
    for _, group in sorted(groups.items(), key=lambda pair: pair[0]):
        group.lb_endpoints.sort(key=lambda each: each.SerializeToString(deterministic=True))
        made.endpoints.append(group)
    return made


def _empty_group(group: Any) -> Any:
    made = endpoint_components_pb2.LocalityLbEndpoints(priority=group.priority)
    if group.locality.ByteSize():
        made.locality.CopyFrom(group.locality)
    if group.load_balancing_weight.value:
        made.load_balancing_weight.CopyFrom(group.load_balancing_weight)
    return made


def _canonical_endpoint(given: Any) -> Any:
    made = endpoint_components_pb2.LbEndpoint()
    made.CopyFrom(given)
    made.health_status = given.health_status or _HEALTHY
    made.load_balancing_weight.value = given.load_balancing_weight.value or 1
    if not given.endpoint.health_check_config.ByteSize():
        made.endpoint.ClearField("health_check_config")
    return made
