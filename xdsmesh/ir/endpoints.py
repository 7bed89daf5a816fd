"""The addresses behind a target, each with its share of the traffic and whether it may be used."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from xdsmesh.config.filter import parse
from xdsmesh.ir.types import Endpoint, EndpointTarget
from xdsmesh.model.address import ip_of
from xdsmesh.model.catalog import Instance
from xdsmesh.model.checks import Health

_MAX_WEIGHT: Final = 128
"""Envoy's limit: ``load_balancing_weight`` of a ``LbEndpoint``."""


def build_endpoints(target: EndpointTarget, sidecars: Iterable[Instance]) -> tuple[Endpoint, ...]:
    """The endpoints of a target, sorted by address and port.

    ``sidecars`` are those that stand before the target's service, with all checks that count for them.
    The unhealthy are kept, and marked. Of several that share an address and port the healthiest is taken.
    Instances in a peer are not known here: such a target has no endpoints. An instance whose address is a
    name, as that of a node may be, is left out: Envoy would reject the whole assignment for it.

    Raises:
        FilterTypeError: the target's filter does not suit what an instance is.
    """
    if target.peer:
        return ()
    subset = parse(target.filter)
    return one_a_place(
        make_endpoint(sidecar, (sidecar.reachable_address, sidecar.port), only_passing=target.only_passing)
        for sidecar in sidecars
        if sidecar.node.datacenter == target.datacenter
        and ip_of(sidecar.reachable_address)
        and subset.matches(sidecar)
    )


def one_a_place(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Sorted by address and port; of several that share both the healthiest is taken."""
    by_health = sorted(endpoints, key=lambda endpoint: (endpoint.healthy, endpoint.weight))
    best = {(endpoint.address, endpoint.port): endpoint for endpoint in by_health}
    return tuple(best[place] for place in sorted(best))


def with_checks_of(application: Instance | None, sidecar: Instance) -> Instance:
    """A sidecar that is no healthier than the application beside it."""
    more = [check for check in application.checks if check not in sidecar.checks] if application else []
    return replace(sidecar, checks=(*sidecar.checks, *more)) if more else sidecar


def make_endpoint(sidecar: Instance, place: tuple[str, int], *, only_passing: bool) -> Endpoint:
    """An instance at the address and port where it is dialled.

    A weight below 1 takes it out of the traffic; Envoy has no such weight, so it is marked.
    """
    health = sidecar.health
    weight = sidecar.weights.warning if health is Health.WARNING else sidecar.weights.passing
    usable = health is Health.PASSING if only_passing else health is not Health.CRITICAL
    return Endpoint(
        address=place[0],
        port=place[1],
        weight=min(max(weight, 1), _MAX_WEIGHT),
        healthy=usable and weight >= 1,
    )
