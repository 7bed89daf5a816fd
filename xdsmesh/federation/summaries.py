"""What a datacenter tells others of its services and gateways: how they are reached from there."""

from collections.abc import Iterable
from dataclasses import replace

from xdsmesh.config.filter import FilterTypeError, parse
from xdsmesh.config.kinds.service_resolver import ServiceResolver, Subset
from xdsmesh.ir.endpoints import build_endpoints
from xdsmesh.ir.types import EndpointTarget
from xdsmesh.model.catalog import Instance, ServiceAddress
from xdsmesh.model.checks import Health
from xdsmesh.model.federation import (
    RemoteGateway,
    RemoteGateways,
    RemoteInstance,
    RemoteService,
    RemoteSubset,
)

_EVERYTHING = Subset()


def remote_service(sidecars: Iterable[Instance], resolver: ServiceResolver | None) -> RemoteService:
    """A service as others see it: without a subset, which is the default one, and each that is declared.

    ``sidecars`` are those before the service, with all checks that count for them.
    """
    declared = resolver.subsets if resolver else {}
    default = declared.get(resolver.default_subset, _EVERYTHING) if resolver else _EVERYTHING
    sidecars = tuple(sidecars)
    subsets = {"": default, **declared}
    return RemoteService(
        tuple(RemoteSubset(name, _instances(subsets[name], sidecars)) for name in sorted(subsets))
    )


def remote_gateways(gateways: Iterable[Instance], revision: int = 0) -> RemoteGateways:
    """The mesh gateways as others see them, as of a revision of our store."""
    return RemoteGateways(tuple(sorted(map(_gateway, gateways))), revision)


def wan_address(instance: Instance) -> ServiceAddress:
    """Where an instance is reached from other datacenters."""
    tagged = instance.tagged_addresses.get("wan")
    if tagged and tagged.address:
        return ServiceAddress(tagged.address, tagged.port or instance.port)
    of_node = instance.node.tagged_addresses.get("wan")
    return ServiceAddress(of_node or instance.reachable_address, instance.port)


def _gateway(gateway: Instance) -> RemoteGateway:
    address = wan_address(gateway)
    return RemoteGateway(
        gateway.id, address.address, address.port, healthy=gateway.health is not Health.CRITICAL
    )


def _instances(subset: Subset, sidecars: Iterable[Instance]) -> tuple[RemoteInstance, ...]:
    """Those of a subset; a filter that can't be judged has none. Filters look at what is registered."""
    wanted = parse(subset.filter)
    try:
        chosen = [_seen_from_afar(sidecar) for sidecar in sidecars if wanted.matches(sidecar)]
    except FilterTypeError:
        return ()
    here = chosen[0].node.datacenter if chosen else ""
    endpoints = build_endpoints(EndpointTarget("", here, only_passing=subset.only_passing), chosen)
    return tuple(RemoteInstance(each.address, each.port, each.weight, each.healthy) for each in endpoints)


def _seen_from_afar(sidecar: Instance) -> Instance:
    address = wan_address(sidecar)
    return replace(sidecar, address=address.address, port=address.port)
