"""What a proxy holds of its upstreams as values, for those who want to know what it does with a request."""

from xdsmesh.chain.types import ChainError, Overrides
from xdsmesh.explain.types import CompiledUpstream, Source
from xdsmesh.index.endpoint_rules import endpoints
from xdsmesh.index.graph import Reader, rule
from xdsmesh.index.sidecar_rules import caller
from xdsmesh.index.upstream_rules import Call, Place, chain, upstream
from xdsmesh.ir.types import MeshCluster
from xdsmesh.model.catalog import Instance


@rule(rank=3)
def compiled_upstream(read: Reader, call: Call, place: Place) -> CompiledUpstream | None:
    """All about one upstream; None while its chain can't be compiled."""
    overrides = call.settings.overrides if call.settings else Overrides()
    compiled = read(chain, call.service, call.evaluated(place), overrides)
    ir = read(upstream, call, place)
    if ir is None or isinstance(compiled, ChainError):
        return None
    own = (cluster for cluster in ir.clusters if isinstance(cluster, MeshCluster))
    return CompiledUpstream(ir, {cluster.name: read(endpoints, cluster.target) for cluster in own}, compiled)


@rule(rank=4)
def source(read: Reader, proxy_id: str) -> Source | None:
    """A proxy and all of its upstreams that can be called; None when no such proxy is registered."""
    instance: Instance | None = read.fact("instance", proxy_id)
    calls = read(caller, proxy_id)
    if calls is None or instance is None or instance.proxy is None:
        return None
    found = {call.called: read(compiled_upstream, call, calls.place) for call in calls.calls}
    upstreams = {service: each for service, each in found.items() if each is not None}
    return Source(proxy_id, instance.proxy.destination_service_name, upstreams)
