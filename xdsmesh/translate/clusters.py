"""Clusters: the services of the mesh, and the application beside a sidecar."""

from typing import Any, Final

from envoy.config.cluster.v3 import circuit_breaker_pb2, cluster_pb2, outlier_detection_pb2
from envoy.config.core.v3 import protocol_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from envoy.extensions.clusters.aggregate.v3 import cluster_pb2 as aggregate_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from envoy.type.v3 import percent_pb2
from google.protobuf import duration_pb2, wrappers_pb2

from xdsmesh.ir.jwt import JwksCluster
from xdsmesh.ir.types import (
    AggregateCluster,
    Balance,
    CircuitBreakers,
    Endpoint,
    LoadAssignment,
    LoadBalancing,
    LocalCluster,
    MeshCluster,
    OutlierDetection,
    Way,
)
from xdsmesh.model.address import ip_of
from xdsmesh.translate.endpoints import make_load_assignment
from xdsmesh.translate.liveness import BIND, HTTP2_PINGS, KEEPALIVE
from xdsmesh.translate.parts import ADS, make_address, make_any, make_duration, make_uint32, make_uint64
from xdsmesh.translate.tls import make_server_tls, make_upstream_tls

_HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
"""Under this key Envoy looks for them in ``typed_extension_protocol_options``."""

_NO_LIMITS: Final = CircuitBreakers()
_ALL: Final = 100
_TRUE: Final = wrappers_pb2.BoolValue(value=True)

_AGGREGATE: Final = "envoy.clusters.aggregate"

_EDS: Final = cluster_pb2.Cluster.EdsClusterConfig(eds_config=ADS)
NO_PANIC: Final = cluster_pb2.Cluster.CommonLbConfig(healthy_panic_threshold=percent_pb2.Percent(value=0))
"""However few endpoints are healthy, requests never go to the others."""

_POLICIES: Final = {
    Balance.ROUND_ROBIN: cluster_pb2.Cluster.ROUND_ROBIN,
    Balance.RANDOM: cluster_pb2.Cluster.RANDOM,
    Balance.LEAST_REQUEST: cluster_pb2.Cluster.LEAST_REQUEST,
    Balance.RING_HASH: cluster_pb2.Cluster.RING_HASH,
    Balance.MAGLEV: cluster_pb2.Cluster.MAGLEV,
}

_DISCOVERY: Final[dict[str, dict[str, Any]]] = {
    "STRICT_DNS": {
        "type": cluster_pb2.Cluster.STRICT_DNS,
        "dns_lookup_family": cluster_pb2.Cluster.V4_PREFERRED,
    },
    "LOGICAL_DNS": {
        "type": cluster_pb2.Cluster.LOGICAL_DNS,
        "dns_lookup_family": cluster_pb2.Cluster.ALL,
    },
    "STATIC": {"type": cluster_pb2.Cluster.STATIC},
}

_Options = http_protocol_options_pb2.HttpProtocolOptions
_HTTP2: Final = make_any(
    _Options(
        explicit_http_config=_Options.ExplicitHttpConfig(
            http2_protocol_options=protocol_pb2.Http2ProtocolOptions()
        )
    )
)
_HTTP2_FAR: Final = make_any(
    _Options(
        explicit_http_config=_Options.ExplicitHttpConfig(
            http2_protocol_options=protocol_pb2.Http2ProtocolOptions(connection_keepalive=HTTP2_PINGS)
        )
    )
)
_AS_DOWNSTREAM: Final = make_any(
    _Options(
        use_downstream_protocol_config=_Options.UseDownstreamHttpConfig(
            http_protocol_options=protocol_pb2.Http1ProtocolOptions(),
            http2_protocol_options=protocol_pb2.Http2ProtocolOptions(),
        )
    )
)
"""The application is spoken to in the version of HTTP that its caller chose."""


def make_mesh_cluster(cluster: MeshCluster) -> cluster_pb2.Cluster:
    """A cluster that is reached over mTLS."""
    message = cluster_pb2.Cluster(
        name=cluster.name,
        connect_timeout=make_duration(cluster.connect_timeout),
        common_lb_config=NO_PANIC,
        circuit_breakers=_circuit_breakers(cluster.circuit_breakers),
        outlier_detection=outlier_detection(cluster.outlier_detection),
        transport_socket=make_upstream_tls(cluster.tls),
        **load_balancing(cluster.load_balancing),
    )
    locate(message, cluster.named, to_the_last=cluster.member)
    is_far = cluster.target.way is not Way.HERE
    if is_far:
        notice_silence(message)
    if cluster.protocol.is_http2:
        message.typed_extension_protocol_options[_HTTP_OPTIONS].CopyFrom(_HTTP2_FAR if is_far else _HTTP2)
    return message


def make_aggregate_cluster(cluster: AggregateCluster) -> cluster_pb2.Cluster:
    """A cluster of clusters, in order of preference.

    https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/aggregate_cluster
    """
    members = aggregate_pb2.ClusterConfig(clusters=cluster.members)
    message = cluster_pb2.Cluster(
        name=cluster.name,
        cluster_type=cluster_pb2.Cluster.CustomClusterType(name=_AGGREGATE, typed_config=make_any(members)),
        lb_policy=cluster_pb2.Cluster.CLUSTER_PROVIDED,
        common_lb_config=NO_PANIC,
        connect_timeout=make_duration(cluster.connect_timeout),
    )
    if cluster.circuit_breakers != _NO_LIMITS:
        message.circuit_breakers.CopyFrom(_circuit_breakers(cluster.circuit_breakers))
    return message


def make_local_cluster(cluster: LocalCluster) -> cluster_pb2.Cluster:
    """A cluster of one address in plain text."""
    message = cluster_pb2.Cluster(
        name=cluster.name,
        type=cluster_pb2.Cluster.STATIC,
        connect_timeout=make_duration(cluster.connect_timeout),
        load_assignment=_one_endpoint(cluster.name, cluster.address, cluster.port),
    )
    if cluster.circuit_breakers != _NO_LIMITS:
        message.circuit_breakers.CopyFrom(_circuit_breakers(cluster.circuit_breakers))
    if cluster.protocol.is_http2:
        message.typed_extension_protocol_options[_HTTP_OPTIONS].CopyFrom(_AS_DOWNSTREAM)
    return message


def make_jwks_cluster(cluster: JwksCluster) -> cluster_pb2.Cluster:
    """A cluster of one host outside the mesh, in plain text or over TLS."""
    return cluster_pb2.Cluster(
        name=cluster.name,
        connect_timeout=make_duration(cluster.connect_timeout),
        load_assignment=_one_endpoint(cluster.name, cluster.host, cluster.port),
        transport_socket=make_server_tls(cluster.tls) if cluster.tls else None,
        **_DISCOVERY[cluster.discovery],
    )


def notice_silence(message: cluster_pb2.Cluster) -> None:
    """Give up soon on connections whose other end has vanished, and on endpoints that can't be reached.

    Without a pause: Envoy gathers changes of health for a second, in which all calls would try them again.
    """
    message.upstream_connection_options.CopyFrom(KEEPALIVE)
    message.upstream_bind_config.CopyFrom(BIND)
    message.common_lb_config.update_merge_window.CopyFrom(duration_pb2.Duration())


def locate(message: cluster_pb2.Cluster, given: tuple[Endpoint, ...], *, to_the_last: bool = False) -> None:
    """Say where a cluster is: at addresses that are given, looked up where one is a name; else by EDS."""
    if not given:
        message.type = cluster_pb2.Cluster.EDS
        message.eds_cluster_config.CopyFrom(_EDS)
        return
    assignment = LoadAssignment(message.name, given, to_the_last)
    message.load_assignment.CopyFrom(make_load_assignment(assignment))
    if all(ip_of(endpoint.address) for endpoint in given):
        message.type = cluster_pb2.Cluster.STATIC
    else:
        message.type = cluster_pb2.Cluster.STRICT_DNS
        message.dns_lookup_family = cluster_pb2.Cluster.V4_PREFERRED


def _one_endpoint(cluster: str, address: str, port: int) -> endpoint_pb2.ClusterLoadAssignment:
    endpoint = endpoint_components_pb2.Endpoint(address=make_address(address, port))
    locality = endpoint_components_pb2.LocalityLbEndpoints(
        lb_endpoints=[endpoint_components_pb2.LbEndpoint(endpoint=endpoint)]
    )
    return endpoint_pb2.ClusterLoadAssignment(cluster_name=cluster, endpoints=[locality])


def _circuit_breakers(limits: CircuitBreakers) -> circuit_breaker_pb2.CircuitBreakers:
    """The limits of requests of the default priority; ours have no other."""
    if limits == _NO_LIMITS:
        return circuit_breaker_pb2.CircuitBreakers()
    thresholds = circuit_breaker_pb2.CircuitBreakers.Thresholds(
        max_connections=make_uint32(limits.max_connections),
        max_pending_requests=make_uint32(limits.max_pending_requests),
        max_requests=make_uint32(limits.max_requests),
        max_retries=make_uint32(limits.max_retries),
    )
    return circuit_breaker_pb2.CircuitBreakers(thresholds=[thresholds])


def outlier_detection(detection: OutlierDetection) -> outlier_detection_pb2.OutlierDetection:
    """It is always on, with Envoy's defaults for what is not set."""
    split = detection.unreachable is not None
    return outlier_detection_pb2.OutlierDetection(
        interval=make_duration(detection.interval),
        consecutive_5xx=make_uint32(detection.consecutive_5xx),
        enforcing_consecutive_5xx=make_uint32(detection.enforcing_consecutive_5xx),
        max_ejection_percent=make_uint32(detection.max_ejection_percent),
        base_ejection_time=make_duration(detection.base_ejection_time),
        max_ejection_time=make_duration(detection.max_ejection_time),
        always_eject_one_host=_TRUE if detection.at_least_one else None,
        split_external_local_origin_errors=split,
        consecutive_local_origin_failure=make_uint32(detection.unreachable),
        enforcing_consecutive_local_origin_failure=make_uint32(_ALL if split else None),
    )


def load_balancing(balancing: LoadBalancing) -> dict[str, Any]:
    """The fields of a cluster that say how its endpoints share the traffic."""
    fields: dict[str, Any] = {"lb_policy": _POLICIES[balancing.balance]}
    if balancing.balance is Balance.RING_HASH:
        fields["ring_hash_lb_config"] = cluster_pb2.Cluster.RingHashLbConfig(
            minimum_ring_size=make_uint64(balancing.minimum_ring_size or None),
            maximum_ring_size=make_uint64(balancing.maximum_ring_size or None),
        )
    elif balancing.balance is Balance.LEAST_REQUEST:
        fields["least_request_lb_config"] = cluster_pb2.Cluster.LeastRequestLbConfig(
            choice_count=make_uint32(balancing.choice_count or None)
        )
    return fields
