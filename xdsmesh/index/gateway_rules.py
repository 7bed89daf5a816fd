"""The rules about mesh gateways. Those of a datacenter forward the same, and share what is made for it."""

from dataclasses import replace
from typing import NamedTuple

from xdsmesh.config.kinds.service_resolver import ServiceResolver
from xdsmesh.index.endpoint_rules import endpoints, gateways_of
from xdsmesh.index.graph import Reader, rule
from xdsmesh.index.rules import access_logs, encoded
from xdsmesh.index.tables import DATACENTERS, FEDERATION_ADDRESS, MESH_SERVICES
from xdsmesh.index.upstream_rules import Place
from xdsmesh.ir.gateways import to_be_tried, with_names
from xdsmesh.ir.mesh_gateway import (
    Destination,
    build_listeners,
    to_control_plane,
    to_datacenter,
    to_service,
    told_apart,
)
from xdsmesh.ir.types import Endpoint, GatewayCluster, LoadAssignment
from xdsmesh.model.catalog import Instance, ServiceAddress
from xdsmesh.model.duration import Duration
from xdsmesh.model.resource import EncodedResource, ProxyView, Resources
from xdsmesh.model.trust import TrustBundle, mesh_gateway_id


class Forwarder(NamedTuple):
    """What gateways must have in common to share all but their listeners."""

    place: Place
    connect_timeout: Duration | None
    """How long it dials; None: not said."""


@rule(rank=0)
def forwarder(read: Reader, proxy_id: str) -> Forwarder | None:
    """What a mesh gateway is like; None if no such one is registered, or trust is not known yet."""
    instance: Instance | None = read.fact("instance", proxy_id)
    roots: TrustBundle | None = read.fact("roots")
    if instance is None or instance.proxy is None or roots is None:
        return None
    place = Place(instance.node.datacenter, roots.trust_domain)
    return Forwarder(place, instance.proxy.gateway.connect_timeout)


@rule(rank=0)
def service_destinations(read: Reader, service: str, gateway: Forwarder) -> tuple[Destination, ...]:
    """A service of this datacenter, as gateways forward to it: itself and its subsets."""
    place, timeout = gateway
    resolver: ServiceResolver | None = read.fact("entry", ServiceResolver.KIND, service)
    return tuple(to_service(service, place.datacenter, place.trust_domain, resolver, timeout))


@rule(rank=1)
def destinations(read: Reader, gateway: Forwarder) -> tuple[Destination, ...]:
    """All that a gateway forwards to, services first."""
    place, timeout = gateway
    services: tuple[str, ...] = read.fact(*MESH_SERVICES) or ()
    datacenters: tuple[str, ...] = read.fact(*DATACENTERS) or ()
    control_plane: ServiceAddress | None = read.fact(*FEDERATION_ADDRESS)
    found = [each for name in told_apart(services) for each in read(service_destinations, name, gateway)]
    found += [to_datacenter(name, place.trust_domain, timeout) for name in datacenters]
    if control_plane:
        found.append(to_control_plane(place.datacenter, control_plane, timeout))
    return tuple(found)


@rule(rank=3)
def addresses(read: Reader, destination: Destination) -> tuple[Endpoint, ...]:
    """Where a destination is."""
    if destination.target:
        return read(endpoints, destination.target)
    return destination.cluster.given or to_be_tried(read(gateways_of, destination.datacenter))


@rule(rank=4)
def located(read: Reader, destination: Destination) -> GatewayCluster:
    """The cluster of a destination, with the addresses that can't come by EDS."""
    cluster = destination.cluster
    if destination.target or cluster.given:
        return cluster
    return replace(cluster, given=with_names(read(addresses, destination)))


@rule(rank=5)
def gateway_clusters(read: Reader, gateway: Forwarder) -> Resources:
    """The clusters of a gateway."""
    clusters = (read(located, each) for each in read(destinations, gateway))
    return {cluster.name: read(encoded, cluster) for cluster in clusters}


@rule(rank=5)
def gateway_endpoints(read: Reader, gateway: Forwarder) -> Resources:
    """The addresses of those clusters that take them from EDS."""
    assignments: dict[str, EncodedResource] = {}
    for each in read(destinations, gateway):
        cluster = read(located, each)
        if not cluster.given:
            assignment = LoadAssignment(cluster.name, read(addresses, each))
            assignments[cluster.name] = read(encoded, assignment)
    return assignments


@rule(rank=2)
def gateway_listeners(read: Reader, proxy_id: str) -> Resources:
    """The listeners of a gateway."""
    instance: Instance | None = read.fact("instance", proxy_id)
    gateway = read(forwarder, proxy_id)
    if instance is None or gateway is None:
        return {}
    forwarded = read(destinations, gateway)
    listeners = build_listeners(instance, forwarded, read(access_logs))
    return {listener.name: read(encoded, listener) for listener in listeners}


def gateway_view(read: Reader, proxy_id: str) -> ProxyView | None:
    """All that a mesh gateway should hold: no secret is among it. None while it must not be served."""
    gateway = read(forwarder, proxy_id)
    if gateway is None:
        return None
    return ProxyView(
        proxy=proxy_id,
        clusters=read(gateway_clusters, gateway),
        endpoints=read(gateway_endpoints, gateway),
        listeners=read(gateway_listeners, proxy_id),
        routes={},
        secrets={},
        spiffe_id=mesh_gateway_id(gateway.place.trust_domain, gateway.place.datacenter),
    )
