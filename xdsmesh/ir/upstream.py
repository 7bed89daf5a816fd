"""What calling one service takes: the clusters of its chain, and how requests are spread over them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from xdsmesh.chain.types import CompiledChain, ResolverNode, Target
from xdsmesh.ir import names
from xdsmesh.ir.balancing import build_load_balancing, hashes_source_ip
from xdsmesh.ir.calls import UNSAID, CallSettings
from xdsmesh.ir.outliers import across_datacenters
from xdsmesh.ir.routes import build_routes
from xdsmesh.ir.tls import TlsParameters
from xdsmesh.ir.types import (
    AggregateCluster,
    CircuitBreakers,
    EndpointTarget,
    HttpManager,
    MeshCluster,
    NetworkFilter,
    Protocol,
    RouteConfiguration,
    TcpProxy,
    UpstreamCluster,
    UpstreamIR,
    UpstreamTls,
    Way,
)
from xdsmesh.model.catalog import called
from xdsmesh.model.trust import service_spiffe_id

_MAX_REQUESTS: Final = 1024
"""Envoy's default. Of ``max_retries`` its default is 3, too few when an instance dies under load."""


_ATTEMPTS: Final = 3
"""To connect where another member, or another gateway, may do it."""

_WAYS: Final = {"local": Way.LOCAL, "remote": Way.REMOTE}
"""By the mode of mesh gateways; other modes use none."""


def build_upstream(
    chain: CompiledChain,
    trust_domain: str,
    settings: CallSettings = UNSAID,
    *,
    home: str = "",
    asked: str = "",
) -> UpstreamIR:
    """All that the callers share who call the chain's service with the same settings.

    They are in the datacenter ``home``, which is the chain's unless they have ``asked`` for another one.

    Raises:
        ValueError: a tcp chain that starts with a router or a splitter; none is ever compiled.
    """
    return _Upstream(chain, trust_domain, settings, home or chain.datacenter).build(asked)


def with_tls(cluster: UpstreamCluster, parameters: TlsParameters) -> UpstreamCluster:
    """A cluster whose connections are as the mesh wants them; a cluster of clusters makes none itself."""
    if isinstance(cluster, AggregateCluster):
        return cluster
    return replace(cluster, tls=replace(cluster.tls, parameters=parameters))


def endpoint_target(target: Target, home: str) -> EndpointTarget:
    """Which instances a target is, for callers in the datacenter ``home``."""
    if target.peer or target.datacenter == home:
        return EndpointTarget(
            target.service, target.datacenter, target.filter, target.only_passing, target.peer
        )
    way = _WAYS.get(target.mesh_gateway, Way.DIRECT)
    return EndpointTarget(target.service, target.datacenter, subset=target.subset, way=way)


class _Upstream:
    """Makes what belongs to one chain."""

    def __init__(self, chain: CompiledChain, trust_domain: str, settings: CallSettings, home: str) -> None:
        self._chain = chain
        self._trust_domain = trust_domain
        self._settings = settings
        self._home = home
        self._protocol = Protocol.of(chain.protocol)

    def build(self, asked: str) -> UpstreamIR:
        """The whole of it, for those who ask for the service in a datacenter, if they do."""
        chain, settings = self._chain, self._settings
        name = called(chain.service, asked)
        is_http = self._protocol.is_http
        routes = build_routes(chain, self._trust_domain, name, self._home) if is_http else None
        resolvers = (node for node in chain.nodes.values() if isinstance(node, ResolverNode))
        clusters = (cluster for node in resolvers for cluster in self._clusters(node))
        return UpstreamIR(
            service=chain.service,
            protocol=self._protocol,
            clusters=tuple(sorted(clusters, key=lambda cluster: cluster.name)),
            filter=self._filter(routes),
            routes=routes,
            exact_balance=settings.exact_balance,
        )

    def _clusters(self, node: ResolverNode) -> Iterator[UpstreamCluster]:
        """The cluster of a target; with failover an aggregate under its name, and a cluster of each member.

        Clusters have Consul's names and shapes, so that its dashboards and tools find what they look for.
        """
        name = self._name(node)
        target = self._chain.targets[node.target]
        if not node.failover:
            yield self._cluster(name, target, node)
            return
        targets = (target, *(self._chain.targets[each] for each in node.failover))
        members = [
            self._cluster(
                names.failover_member(index, name), member, node, has_next=member is not targets[-1]
            )
            for index, member in enumerate(targets)
        ]
        yield AggregateCluster(
            name,
            tuple(member.name for member in members),
            node.connect_timeout,
            CircuitBreakers(max_retries=self._max_retries),
        )
        yield from members

    def _name(self, node: ResolverNode) -> str:
        target = self._chain.targets[node.target]
        return names.cluster(target, self._trust_domain, self._chain.customization_hash)

    def _cluster(
        self, name: str, target: Target, node: ResolverNode, *, has_next: bool = False
    ) -> MeshCluster:
        where = endpoint_target(target, self._home)
        detection = self._settings.outlier_detection
        return MeshCluster(
            name=name,
            protocol=self._protocol,
            connect_timeout=target.connect_timeout,
            tls=self._tls(target),
            target=where,
            circuit_breakers=replace(self._settings.circuit_breakers, max_retries=self._max_retries),
            outlier_detection=(
                detection if where.way is Way.HERE else across_datacenters(detection, has_next=has_next)
            ),
            load_balancing=build_load_balancing(node.load_balancer),
            member=bool(node.failover),
        )

    @property
    def _max_retries(self) -> int | None:
        """A retry is a request, and counts as one: a smaller limit of its own would only lose requests."""
        if not self._protocol.is_http:
            return None
        limit = self._settings.circuit_breakers.max_requests
        return _MAX_REQUESTS if limit is None else limit

    def _tls(self, target: Target) -> UpstreamTls:
        """A member proves to be its own service, whatever it stands in for.

        Whom a peer's service proves to be is not known here: an identity is asked for that nobody has.
        """
        if target.peer:
            nobody = service_spiffe_id(f"{target.peer}.invalid", target.datacenter, target.service)
            return UpstreamTls(names.peer_sni(target, self._trust_domain), (nobody,))
        spiffe_id = service_spiffe_id(self._trust_domain, target.datacenter, target.service)
        return UpstreamTls(target.sni, (spiffe_id,))

    def _filter(self, routes: RouteConfiguration | None) -> NetworkFilter:
        chain, headers_kb = self._chain, self._settings.max_request_headers_kb
        stat_prefix = names.upstream_stat_prefix(chain.service, chain.datacenter)
        if routes is not None:
            return HttpManager(stat_prefix, self._protocol, routes.name, max_request_headers_kb=headers_kb)
        start = chain.nodes[chain.start]
        if not isinstance(start, ResolverNode):
            raise ValueError(f"the chain of {chain.service} is not routed, but starts at {start.key}")  # noqa: TRY004 - not a type that the caller chose
        target = endpoint_target(chain.targets[start.target], self._home)
        return TcpProxy(
            stat_prefix,
            self._name(start),
            hashes_source_ip(start.load_balancer),
            attempts=_ATTEMPTS if start.failover or target.way is not Way.HERE else 0,
        )
