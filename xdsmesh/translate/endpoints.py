"""The addresses of a cluster, as a load assignment."""

from typing import Final

from envoy.config.core.v3 import health_check_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2

from xdsmesh.ir.types import Endpoint, LoadAssignment

_TO_THE_LAST: Final = 100_000
"""In percent of what is healthy: more than any share of healthy endpoints takes to make it all.

https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/overprovisioning
"""


def make_load_assignment(assignment: LoadAssignment) -> endpoint_pb2.ClusterLoadAssignment:
    """All endpoints in one locality. It is sent even when there are none: Envoy waits for it."""
    message = endpoint_pb2.ClusterLoadAssignment(cluster_name=assignment.cluster)
    if assignment.to_the_last:
        message.policy.overprovisioning_factor.value = _TO_THE_LAST
    locality = message.endpoints.add()
    for endpoint in assignment.endpoints:
        _fill(locality.lb_endpoints.add(), endpoint)
    return message


def _fill(message: endpoint_components_pb2.LbEndpoint, endpoint: Endpoint) -> None:
    """Filled in place: to make messages apart and copy them in takes more than twice as long."""
    address = message.endpoint.address.socket_address
    address.address = endpoint.address
    address.port_value = endpoint.port
    message.health_status = health_check_pb2.HEALTHY if endpoint.healthy else health_check_pb2.UNHEALTHY
    message.load_balancing_weight.value = endpoint.weight
