"""The rules from facts to a proxy's view, lowest rank first. Each runs again only when what it read changed.

What is equal for many proxies is one cell: everything about an upstream is keyed by the upstream, and a set
of upstreams by all of them together, so that a thousand replicas share it.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import ChainError, ChainRequest, CompiledChain
from xdsmesh.config.entry import Entry
from xdsmesh.config.filter import FilterTypeError
from xdsmesh.index.graph import Reader, Rule, rule
from xdsmesh.index.tables import sidecars_key
from xdsmesh.ir.endpoints import build_endpoints
from xdsmesh.ir.sidecar import build_sidecar, build_upstream_listener
from xdsmesh.ir.types import (
    Endpoint,
    EndpointTarget,
    LoadAssignment,
    LocalCluster,
    MeshCluster,
    SidecarIR,
    UpstreamIR,
)
from xdsmesh.ir.upstream import build_upstream
from xdsmesh.model.catalog import Instance, Upstream
from xdsmesh.model.resource import CLUSTER, ENDPOINT, ROUTE, EncodedResource, ProxyView, Resources
from xdsmesh.model.trust import Leaf, TrustBundle, service_spiffe_id
from xdsmesh.translate.encode import Encodable, encode


class Place(NamedTuple):
    """Where chains are evaluated."""

    datacenter: str
    trust_domain: str


class Caller(NamedTuple):
    """What a proxy calls; equal for all replicas of a service."""

    place: Place
    upstreams: tuple[Upstream, ...]
    services: tuple[str, ...]
    """The services behind the upstreams, each once, sorted."""


@rule(rank=0)
def chain(read: Reader, service: str, place: Place) -> CompiledChain | ChainError:
    """The discovery chain of a service."""

    def read_entry(kind: str, name: str) -> Entry | None:
        entry: Entry | None = read.fact("entry", kind, name)
        return entry

    return compile_chain(ChainRequest(service, place.datacenter, place.trust_domain), read_entry)


@rule(rank=0)
def endpoints(read: Reader, target: EndpointTarget) -> tuple[Endpoint, ...]:
    """The addresses behind a target. A sidecar is as healthy as the application beside it."""
    sidecars: tuple[Instance, ...] = read.fact(*sidecars_key(target.service)) or ()
    instances = [_with_checks_of_application(read, sidecar) for sidecar in sidecars]
    try:
        return build_endpoints(target, instances)
    except FilterTypeError:
        return ()  # who writes such a filter is warned; what can't be judged gets no traffic


def _with_checks_of_application(read: Reader, sidecar: Instance) -> Instance:
    application_id = sidecar.proxy.destination_service_id if sidecar.proxy else ""
    application: Instance | None = read.fact("instance", application_id) if application_id else None
    if application is None or not application.checks:
        return sidecar
    return replace(sidecar, checks=sidecar.checks + application.checks)


@rule(rank=0)
def encoded(_: Reader, value: Encodable) -> EncodedResource:
    """The bytes of an ir value: made once, kept while any view holds them."""
    return encode(value)


@rule(rank=1)
def upstream(read: Reader, service: str, place: Place) -> UpstreamIR | None:
    """What calling a service takes; None while its chain can't be compiled."""
    compiled = read(chain, service, place)
    return None if isinstance(compiled, ChainError) else build_upstream(compiled, place.trust_domain)


@rule(rank=2)
def upstream_clusters(read: Reader, service: str, place: Place) -> Resources:
    """The clusters of one upstream."""
    ir = read(upstream, service, place)
    return {cluster.name: read(encoded, cluster) for cluster in ir.clusters} if ir else {}


@rule(rank=2)
def upstream_endpoints(read: Reader, service: str, place: Place) -> Resources:
    """The load assignments of one upstream's clusters, empty ones included."""
    ir = read(upstream, service, place)
    assignments = (
        LoadAssignment(cluster.name, read(endpoints, cluster.target))
        for cluster in (ir.clusters if ir else ())
        if isinstance(cluster, MeshCluster)
    )
    return {assignment.cluster: read(encoded, assignment) for assignment in assignments}


@rule(rank=2)
def upstream_routes(read: Reader, service: str, place: Place) -> Resources:
    """The route configuration of one upstream, if it has one."""
    ir = read(upstream, service, place)
    return {ir.routes.name: read(encoded, ir.routes)} if ir and ir.routes else {}


UPSTREAM_PARTS: Final = {CLUSTER: upstream_clusters, ENDPOINT: upstream_endpoints, ROUTE: upstream_routes}
"""By type, the rule that makes an upstream's resources."""


@rule(rank=3)
def merged(
    read: Reader, part: Rule[[str, Place], Resources], services: tuple[str, ...], place: Place
) -> Resources:
    """One part of several upstreams together; where two share a cluster it is the same one."""
    return {name: resource for service in services for name, resource in read(part, service, place).items()}


@rule(rank=3)
def upstream_listeners(read: Reader, upstreams: tuple[Upstream, ...], place: Place) -> Resources:
    """The listeners where an application finds its upstreams; none for one whose chain does not compile."""
    irs = ((each, read(upstream, each.destination_name, place)) for each in upstreams)
    listeners = (build_upstream_listener(each, ir) for each, ir in irs if ir is not None)
    return {listener.name: read(encoded, listener) for listener in listeners}


@rule(rank=0)
def caller(read: Reader, proxy_id: str) -> Caller | None:
    """What a proxy calls; None when no such proxy is registered, or trust is not known yet."""
    instance: Instance | None = read.fact("instance", proxy_id)
    roots: TrustBundle | None = read.fact("roots")
    if instance is None or instance.proxy is None or roots is None:
        return None
    upstreams = instance.proxy.upstreams
    services = sorted({upstream.destination_name for upstream in upstreams})
    return Caller(Place(instance.node.datacenter, roots.trust_domain), upstreams, tuple(services))


@rule(rank=0)
def sidecar(read: Reader, proxy_id: str) -> SidecarIR | None:
    """A sidecar's own part; None when no such proxy is registered."""
    instance: Instance | None = read.fact("instance", proxy_id)
    if instance is None or instance.proxy is None:
        return None
    service_defaults = read.fact("entry", "service-defaults", instance.proxy.destination_service_name)
    return build_sidecar(instance, service_defaults, read.fact("entry", "proxy-defaults", "global"))


@rule(rank=4)
def cluster_set(read: Reader, local: LocalCluster, services: tuple[str, ...], place: Place) -> Resources:
    """The clusters of all replicas whose applications listen alike: upstreams', and the application's."""
    upstreams = read(merged, upstream_clusters, services, place)
    return {**upstreams, local.name: read(encoded, local)}


@rule(rank=5)
def clusters(read: Reader, proxy_id: str) -> Resources:
    """The clusters of a proxy."""
    calls, ir = read(caller, proxy_id), read(sidecar, proxy_id)
    return read(cluster_set, ir.local_cluster, calls.services, calls.place) if calls and ir else {}


@rule(rank=4)
def listeners(read: Reader, proxy_id: str) -> Resources:
    """The listeners of a proxy: where the mesh finds its application, and where that finds the mesh."""
    calls, ir = read(caller, proxy_id), read(sidecar, proxy_id)
    if calls is None or ir is None:
        return {}
    upstreams = read(upstream_listeners, calls.upstreams, calls.place)
    return {**upstreams, ir.public_listener.name: read(encoded, ir.public_listener)}


@rule(rank=0)
def identity(read: Reader, proxy_id: str) -> str:
    """The SPIFFE id of the service that a proxy stands before; empty when there is none."""
    instance: Instance | None = read.fact("instance", proxy_id)
    roots: TrustBundle | None = read.fact("roots")
    if instance is None or instance.proxy is None or roots is None:
        return ""
    service = instance.proxy.destination_service_name
    return service_spiffe_id(roots.trust_domain, instance.node.datacenter, service)


@rule(rank=1)
def secrets(read: Reader, proxy_id: str) -> Resources:
    """What a sidecar proves itself with, and whom it believes; both together, once its leaf is issued."""
    leaf: Leaf | None = read.fact("leaf", proxy_id)
    roots: TrustBundle | None = read.fact("roots")
    if leaf is None or roots is None or leaf.spiffe_id != read(identity, proxy_id):
        return {}  # a leaf of who it was before proves nothing
    resources = (read(encoded, leaf), read(encoded, roots))
    return {resource.name: resource for resource in resources}


@rule(rank=6)
def view(read: Reader, proxy_id: str) -> ProxyView | None:
    """All that a proxy should hold; None while it must not be served."""
    calls = read(caller, proxy_id)
    if calls is None:
        return None
    return ProxyView(
        proxy=proxy_id,
        clusters=read(clusters, proxy_id),
        endpoints=read(merged, upstream_endpoints, calls.services, calls.place),
        listeners=read(listeners, proxy_id),
        routes=read(merged, upstream_routes, calls.services, calls.place),
        secrets=read(secrets, proxy_id),
        spiffe_id=read(identity, proxy_id),
    )
