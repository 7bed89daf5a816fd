"""The rules about what a service calls: everything of an upstream is keyed by the upstream.

So what is equal for many proxies is one cell, that a thousand replicas share.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import ChainError, ChainRequest, CompiledChain, Overrides
from xdsmesh.config.entry import Entry
from xdsmesh.index.endpoint_rules import endpoints, named_endpoints
from xdsmesh.index.graph import Reader, Rule, rule
from xdsmesh.index.rules import access_logs, encoded
from xdsmesh.ir.calls import UNSAID, CallSettings
from xdsmesh.ir.mesh import Outgoing, build_outgoing
from xdsmesh.ir.sidecar import build_upstream_listener
from xdsmesh.ir.types import AggregateCluster, LoadAssignment, MeshCluster, UpstreamCluster, UpstreamIR
from xdsmesh.ir.upstream import build_upstream, with_tls
from xdsmesh.model.catalog import Upstream, called
from xdsmesh.model.resource import CLUSTER, ENDPOINT, ROUTE, EncodedResource, Resources


class Place(NamedTuple):
    """Where chains are evaluated."""

    datacenter: str
    trust_domain: str


class Call(NamedTuple):
    """A service that is called, and how the caller wants that done if it says anything about it.

    With a ``datacenter`` its chain is that of callers there.
    """

    service: str
    settings: CallSettings | None = None
    datacenter: str = ""

    @property
    def called(self) -> str:
        """See `Upstream.called`."""
        return called(self.service, self.datacenter)

    def evaluated(self, place: Place) -> Place:
        """Where its chain is evaluated, for callers at a place."""
        return place._replace(datacenter=self.datacenter or place.datacenter)


_UNSAID: Final = Overrides()


@rule(rank=0)
def chain(
    read: Reader, service: str, place: Place, overrides: Overrides = _UNSAID
) -> CompiledChain | ChainError:
    """The discovery chain of a service."""

    def read_entry(kind: str, name: str) -> Entry | None:
        entry: Entry | None = read.fact("entry", kind, name)
        return entry

    request = ChainRequest(service, place.datacenter, place.trust_domain, overrides)
    return compile_chain(request, read_entry)


@rule(rank=0)
def outgoing(read: Reader) -> Outgoing:
    """What holds for the calls that any sidecar makes."""
    return build_outgoing(read.fact("entry", "mesh", "mesh"))


@rule(rank=1)
def upstream(read: Reader, call: Call, place: Place) -> UpstreamIR | None:
    """What calling a service takes; None while its chain can't be compiled."""
    settings = call.settings
    overridden = settings is not None and settings.overrides != _UNSAID
    where = call.evaluated(place)
    compiled = (
        read(chain, call.service, where, settings.overrides)
        if settings and overridden
        else read(chain, call.service, where)
    )
    if isinstance(compiled, ChainError):
        return None
    home, asked = place.datacenter, call.datacenter
    return build_upstream(compiled, place.trust_domain, settings or UNSAID, home=home, asked=asked)


@rule(rank=4)
def upstream_clusters(read: Reader, call: Call, place: Place) -> Resources:
    """The clusters of one upstream."""
    ir = read(upstream, call, place)
    if ir is None:
        return {}
    tls = read(outgoing).tls
    clusters = (with_tls(_located(read, cluster), tls) for cluster in ir.clusters)
    return {cluster.name: read(encoded, cluster) for cluster in clusters}


def _located(read: Reader, cluster: UpstreamCluster) -> UpstreamCluster:
    """A cluster with its endpoints, if some of them are names: such can't be sent apart from it."""
    if isinstance(cluster, AggregateCluster):
        return cluster
    named = read(named_endpoints, cluster.target)
    return replace(cluster, named=named) if named else cluster


@rule(rank=4)
def upstream_endpoints(read: Reader, call: Call, place: Place) -> Resources:
    """The load assignments of one upstream's clusters that take them from EDS, empty ones included."""
    ir = read(upstream, call, place)
    assignments = (
        LoadAssignment(cluster.name, read(endpoints, cluster.target), to_the_last=cluster.member)
        for cluster in (ir.clusters if ir else ())
        if isinstance(cluster, MeshCluster) and not read(named_endpoints, cluster.target)
    )
    return {assignment.cluster: read(encoded, assignment) for assignment in assignments}


@rule(rank=2)
def upstream_routes(read: Reader, call: Call, place: Place) -> Resources:
    """The route configuration of one upstream, if it has one."""
    ir = read(upstream, call, place)
    if ir is None or ir.routes is None:
        return {}
    validated = replace(ir.routes, validate_clusters=read(outgoing).validate_clusters)
    return {ir.routes.name: read(encoded, validated)}


UPSTREAM_PARTS: Final = {CLUSTER: upstream_clusters, ENDPOINT: upstream_endpoints, ROUTE: upstream_routes}
"""By type, the rule that makes an upstream's resources."""


@rule(rank=5)
def merged(
    read: Reader, part: Rule[[Call, Place], Resources], calls: tuple[Call, ...], place: Place
) -> Resources:
    """One part of several upstreams together.

    Where two share a cluster it is the same one, unless the caller has other settings for each of them. Then
    those count that it has for the service behind the cluster, whichever upstream leads there.
    """
    resources: dict[str, EncodedResource] = {}
    for call in calls:
        for name, resource in read(part, call, place).items():
            if resources.setdefault(name, resource) is not resource and _leads_to_itself(
                read(upstream, call, place), name
            ):
                resources[name] = resource
    return resources


def _leads_to_itself(ir: UpstreamIR | None, cluster_name: str) -> bool:
    """Whether a cluster of an upstream is that of the service which the upstream names."""
    return ir is not None and any(
        cluster.name == cluster_name
        for cluster in ir.clusters
        if isinstance(cluster, MeshCluster) and cluster.target.service == ir.service
    )


@rule(rank=3)
def upstream_listeners(
    read: Reader, upstreams: tuple[Upstream, ...], calls: tuple[Call, ...], place: Place
) -> Resources:
    """The listeners where an application finds its upstreams; none for one whose chain does not compile."""
    by_name = {call.called: call for call in calls}
    irs = ((each, read(upstream, by_name[each.called], place)) for each in upstreams)
    logs = read(access_logs)
    listeners = (build_upstream_listener(each, ir, logs) for each, ir in irs if ir is not None)
    return {listener.name: read(encoded, listener) for listener in listeners}
