"""What calling one service takes: the clusters of its chain, and how requests are spread over them."""

from xdsmesh.chain.types import CompiledChain, Target
from xdsmesh.ir import names
from xdsmesh.ir.routes import build_routes, cluster_of, route_to
from xdsmesh.ir.types import (
    EndpointTarget,
    HttpManager,
    MeshCluster,
    NetworkFilter,
    Protocol,
    RouteConfiguration,
    TcpProxy,
    UpstreamIR,
    UpstreamTls,
)
from xdsmesh.model.trust import service_spiffe_id


def build_upstream(chain: CompiledChain, trust_domain: str) -> UpstreamIR:
    """All that the callers of the chain's service share.

    Raises:
        ValueError: a tcp chain that starts with a router or a splitter; none is ever compiled.
    """
    protocol = Protocol.of(chain.protocol)
    routes = build_routes(chain) if protocol.is_http and not chain.default else None
    clusters = (_cluster(target, protocol, trust_domain) for target in chain.targets.values())
    return UpstreamIR(
        service=chain.service,
        protocol=protocol,
        clusters=tuple(sorted(clusters, key=lambda cluster: cluster.name)),
        filter=_filter(chain, protocol, routes),
        routes=routes,
    )


def _cluster(target: Target, protocol: Protocol, trust_domain: str) -> MeshCluster:
    spiffe_id = service_spiffe_id(trust_domain, target.datacenter, target.service)
    return MeshCluster(
        name=target.sni,
        protocol=protocol,
        connect_timeout=target.connect_timeout,
        tls=UpstreamTls(target.sni, (spiffe_id,)),
        target=EndpointTarget(target.service, target.datacenter, target.filter, target.only_passing),
    )


def _filter(chain: CompiledChain, protocol: Protocol, routes: RouteConfiguration | None) -> NetworkFilter:
    stat_prefix = names.upstream_stat_prefix(chain.service, chain.datacenter)
    if routes is not None:
        return HttpManager(stat_prefix, protocol, routes.name)
    cluster = cluster_of(chain, chain.start)
    if not protocol.is_http:
        return TcpProxy(stat_prefix, cluster)
    inline = RouteConfiguration(
        name=names.routes(chain.service),
        virtual_host=names.default_virtual_host(chain.service, chain.datacenter),
        routes=(route_to(cluster),),
    )
    return HttpManager(stat_prefix, protocol, inline)
