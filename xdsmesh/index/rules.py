"""The rules from facts to a proxy's view, lowest rank first. Each runs again only when what it read changed.

What is equal for many proxies is one cell: everything about an upstream is keyed by the upstream, and a set
of upstreams by all of them together, so that a thousand replicas share it.
"""

from dataclasses import dataclass, replace
from typing import Final

from xdsmesh.chain.compile import compile_chain
from xdsmesh.chain.types import ChainError, ChainRequest, CompiledChain
from xdsmesh.config.entry import Entry
from xdsmesh.index.graph import Reader, Rule, rule
from xdsmesh.index.tables import sidecars_key
from xdsmesh.ir.endpoints import build_endpoints
from xdsmesh.ir.sidecar import build_sidecar
from xdsmesh.ir.types import Endpoint, EndpointTarget, LoadAssignment, SidecarIR, UpstreamIR
from xdsmesh.ir.upstream import build_upstream
from xdsmesh.model.catalog import Instance
from xdsmesh.model.resource import CLUSTER, ENDPOINT, ROUTE, EncodedResource, ProxyView, Resources
from xdsmesh.model.trust import Leaf, TrustBundle
from xdsmesh.translate.encode import Encodable, encode


@dataclass(frozen=True, slots=True)
class Place:
    """Where chains are evaluated."""

    datacenter: str
    trust_domain: str


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
    return build_endpoints(target, [_with_checks_of_application(read, sidecar) for sidecar in sidecars])


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


@rule(rank=2)
def sidecar(read: Reader, proxy_id: str) -> SidecarIR | None:
    """A sidecar's own part; None when no such proxy is registered, or trust is not known yet."""
    instance: Instance | None = read.fact("instance", proxy_id)
    place = _place(read, instance)
    if instance is None or instance.proxy is None or place is None:
        return None
    upstreams = {name: read(upstream, name, place) for name in _upstream_names(instance)}
    return build_sidecar(
        instance,
        read.fact("entry", "service-defaults", instance.proxy.destination_service_name),
        read.fact("entry", "proxy-defaults", "global"),
        {name: ir for name, ir in upstreams.items() if ir is not None},
    )


@rule(rank=4)
def clusters(read: Reader, proxy_id: str) -> Resources:
    """The clusters of a sidecar: its upstreams', and the application beside it."""
    instance: Instance | None = read.fact("instance", proxy_id)
    place = _place(read, instance)
    ir = read(sidecar, proxy_id)
    if instance is None or place is None or ir is None:
        return {}
    upstreams = read(merged, upstream_clusters, _upstream_names(instance), place)
    return {**upstreams, ir.local_cluster.name: read(encoded, ir.local_cluster)}


@rule(rank=3)
def listeners(read: Reader, proxy_id: str) -> Resources:
    """A sidecar's listeners."""
    ir = read(sidecar, proxy_id)
    return {listener.name: read(encoded, listener) for listener in ir.listeners} if ir else {}


@rule(rank=1)
def secrets(read: Reader, proxy_id: str) -> Resources:
    """What a sidecar proves itself with, and whom it believes; without its leaf until that is issued."""
    leaf: Leaf | None = read.fact("leaf", proxy_id)
    roots: TrustBundle | None = read.fact("roots")
    resources = (read(encoded, value) for value in (leaf, roots) if value is not None)
    return {resource.name: resource for resource in resources}


@rule(rank=5)
def view(read: Reader, proxy_id: str) -> ProxyView | None:
    """All that a proxy should hold; None while it must not be served."""
    instance: Instance | None = read.fact("instance", proxy_id)
    place = _place(read, instance)
    if instance is None or instance.proxy is None or place is None:
        return None
    names = _upstream_names(instance)
    return ProxyView(
        proxy=proxy_id,
        clusters=read(clusters, proxy_id),
        endpoints=read(merged, upstream_endpoints, names, place),
        listeners=read(listeners, proxy_id),
        routes=read(merged, upstream_routes, names, place),
        secrets=read(secrets, proxy_id),
    )


def _place(read: Reader, instance: Instance | None) -> Place | None:
    roots: TrustBundle | None = read.fact("roots")
    return Place(instance.node.datacenter, roots.trust_domain) if instance and roots else None


def _upstream_names(instance: Instance) -> tuple[str, ...]:
    return (
        tuple(sorted({upstream.destination_name for upstream in instance.proxy.upstreams}))
        if instance.proxy
        else ()
    )
