"""What a datacenter tells others of its services and gateways: how they are reached from there."""

from collections.abc import Iterable

from xdsmesh.config.filter import FilterTypeError, parse
from xdsmesh.config.kinds.service_resolver import ServiceResolver, Subset
from xdsmesh.federation.places import is_place
from xdsmesh.ir.endpoints import make_endpoint, one_a_place
from xdsmesh.model.catalog import Instance
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
    told = (
        RemoteGateway(each.id, *each.place("wan"), healthy=each.health is not Health.CRITICAL)
        for each in gateways
        if is_place(*each.place("wan"))
    )
    return RemoteGateways(tuple(sorted(told)), revision)


def _instances(subset: Subset, sidecars: Iterable[Instance]) -> tuple[RemoteInstance, ...]:
    """Those of a subset; a filter that can't be judged has none. Filters look at what is registered."""
    wanted = parse(subset.filter)
    try:
        chosen = [each for each in sidecars if wanted.matches(each) and is_place(*each.place("wan"))]
    except FilterTypeError:
        return ()
    endpoints = one_a_place(
        make_endpoint(each, each.place("wan"), only_passing=subset.only_passing) for each in chosen
    )
    return tuple(RemoteInstance(each.address, each.port, each.weight, each.healthy) for each in endpoints)
