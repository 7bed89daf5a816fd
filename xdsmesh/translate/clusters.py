"""Clusters: the services of the mesh, and the application beside a sidecar."""

from typing import Final

from envoy.config.cluster.v3 import circuit_breaker_pb2, cluster_pb2, outlier_detection_pb2
from envoy.config.core.v3 import protocol_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from envoy.extensions.clusters.aggregate.v3 import cluster_pb2 as aggregate_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from envoy.type.v3 import percent_pb2

from xdsmesh.ir.types import AggregateCluster, LocalCluster, MeshCluster
from xdsmesh.translate.parts import ADS, make_address, make_any, make_duration
from xdsmesh.translate.tls import make_upstream_tls

_HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
"""Under this key Envoy looks for them in ``typed_extension_protocol_options``."""

_AGGREGATE: Final = "envoy.clusters.aggregate"

_EDS: Final = cluster_pb2.Cluster.EdsClusterConfig(eds_config=ADS)
_NO_PANIC: Final = cluster_pb2.Cluster.CommonLbConfig(healthy_panic_threshold=percent_pb2.Percent(value=0))
"""However few endpoints are healthy, requests never go to the others."""

_Options = http_protocol_options_pb2.HttpProtocolOptions
_HTTP2: Final = make_any(
    _Options(
        explicit_http_config=_Options.ExplicitHttpConfig(
            http2_protocol_options=protocol_pb2.Http2ProtocolOptions()
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
    """A cluster whose endpoints come by EDS under its own name, reached over mTLS."""
    message = cluster_pb2.Cluster(
        name=cluster.name,
        type=cluster_pb2.Cluster.EDS,
        eds_cluster_config=_EDS,
        connect_timeout=make_duration(cluster.connect_timeout),
        common_lb_config=_NO_PANIC,
        circuit_breakers=circuit_breaker_pb2.CircuitBreakers(),
        outlier_detection=outlier_detection_pb2.OutlierDetection(),
        transport_socket=make_upstream_tls(cluster.tls),
    )
    if cluster.protocol.is_http2:
        message.typed_extension_protocol_options[_HTTP_OPTIONS].CopyFrom(_HTTP2)
    return message


def make_aggregate_cluster(cluster: AggregateCluster) -> cluster_pb2.Cluster:
    """A cluster of clusters, in order of preference.

    https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/aggregate_cluster
    """
    members = aggregate_pb2.ClusterConfig(clusters=cluster.members)
    return cluster_pb2.Cluster(
        name=cluster.name,
        cluster_type=cluster_pb2.Cluster.CustomClusterType(name=_AGGREGATE, typed_config=make_any(members)),
        lb_policy=cluster_pb2.Cluster.CLUSTER_PROVIDED,
        connect_timeout=make_duration(cluster.connect_timeout),
    )


def make_local_cluster(cluster: LocalCluster) -> cluster_pb2.Cluster:
    """A cluster of one address in plain text."""
    endpoint = endpoint_components_pb2.Endpoint(address=make_address(cluster.address, cluster.port))
    locality = endpoint_components_pb2.LocalityLbEndpoints(
        lb_endpoints=[endpoint_components_pb2.LbEndpoint(endpoint=endpoint)]
    )
    message = cluster_pb2.Cluster(
        name=cluster.name,
        type=cluster_pb2.Cluster.STATIC,
        connect_timeout=make_duration(cluster.connect_timeout),
        load_assignment=endpoint_pb2.ClusterLoadAssignment(cluster_name=cluster.name, endpoints=[locality]),
    )
    if cluster.protocol.is_http2:
        message.typed_extension_protocol_options[_HTTP_OPTIONS].CopyFrom(_AS_DOWNSTREAM)
    return message
