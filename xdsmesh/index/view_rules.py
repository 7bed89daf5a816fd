"""The last rule: all that a proxy should hold, whatever kind of proxy it is."""

from xdsmesh.index.gateway_rules import gateway_view
from xdsmesh.index.graph import Reader, rule
from xdsmesh.index.sidecar_rules import sidecar_view
from xdsmesh.model.catalog import Instance, Kind
from xdsmesh.model.resource import ProxyView


@rule(rank=8)
def view(read: Reader, proxy_id: str) -> ProxyView | None:
    """What a proxy should hold; None while it must not be served."""
    instance: Instance | None = read.fact("instance", proxy_id)
    if instance is None:
        return None
    if instance.kind is Kind.MESH_GATEWAY:
        return gateway_view(read, proxy_id)
    return None if instance.kind.is_gateway else sidecar_view(read, proxy_id)
