"""From values to resources in bytes: equal values give equal bytes and an equal version, always."""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

from google.protobuf.message import Message

from xdsmesh.ir.jwt import JwksCluster
from xdsmesh.ir.types import (
    AggregateCluster,
    Cluster,
    GatewayCluster,
    GatewayListener,
    Listener,
    LoadAssignment,
    LocalCluster,
    MeshCluster,
    RouteConfiguration,
)
from xdsmesh.model.resource import EncodedResource
from xdsmesh.model.trust import Leaf, TrustBundle
from xdsmesh.translate.clusters import (
    make_aggregate_cluster,
    make_jwks_cluster,
    make_local_cluster,
    make_mesh_cluster,
)
from xdsmesh.translate.endpoints import make_load_assignment
from xdsmesh.translate.gateways import make_gateway_cluster, make_gateway_listener
from xdsmesh.translate.listeners import make_listener
from xdsmesh.translate.parts import make_any
from xdsmesh.translate.routes import make_routes
from xdsmesh.translate.secrets import make_leaf, make_roots

Encodable = Cluster | LoadAssignment | RouteConfiguration | Listener | GatewayListener | Leaf | TrustBundle

_MAKE: Final[Mapping[type, Callable[[Any], Message]]] = {
    MeshCluster: make_mesh_cluster,
    AggregateCluster: make_aggregate_cluster,
    LocalCluster: make_local_cluster,
    JwksCluster: make_jwks_cluster,
    GatewayCluster: make_gateway_cluster,
    LoadAssignment: make_load_assignment,
    RouteConfiguration: make_routes,
    Listener: make_listener,
    GatewayListener: make_gateway_listener,
    Leaf: make_leaf,
    TrustBundle: make_roots,
}
_VERSION_BYTES: Final = 8


def encode(value: Encodable) -> EncodedResource:
    """The resource that a value stands for.

    Raises:
        ValueError: the resource would be unsafe, such as a trust bundle without roots.
    """
    message: Any = _MAKE[type(value)](value)
    packed = make_any(message)
    content = packed.SerializeToString(deterministic=True)
    return EncodedResource(
        type_url=packed.type_url,
        name=message.cluster_name if isinstance(value, LoadAssignment) else message.name,
        version=blake2b(content, digest_size=_VERSION_BYTES).hexdigest(),
        any=content,
        eds_name=message.name if _takes_endpoints(value) else "",
        members=value.members if isinstance(value, AggregateCluster) else (),
    )


def _takes_endpoints(value: Encodable) -> bool:
    """Whether it is a cluster whose addresses come by EDS."""
    if isinstance(value, MeshCluster):
        return not value.named
    return isinstance(value, GatewayCluster) and not value.given
