"""The addresses of mesh gateways, and of what is behind them in other datacenters."""

from collections.abc import Iterable
from dataclasses import replace

from xdsmesh.ir.endpoints import one_a_place
from xdsmesh.ir.types import Endpoint
from xdsmesh.model.address import ip_of
from xdsmesh.model.catalog import Instance
from xdsmesh.model.checks import Health
from xdsmesh.model.federation import RemoteGateway, RemoteInstance


def own_gateways(gateways: Iterable[Instance]) -> tuple[Endpoint, ...]:
    """The mesh gateways of this datacenter, as its own sidecars dial them."""
    return one_a_place(
        Endpoint(*gateway.place("lan"), healthy=gateway.health is not Health.CRITICAL) for gateway in gateways
    )


def gateways_elsewhere(gateways: Iterable[RemoteGateway]) -> tuple[Endpoint, ...]:
    """Those of another datacenter, as others dial them."""
    return one_a_place(Endpoint(each.address, each.port, healthy=each.healthy) for each in gateways)


def instances_elsewhere(instances: Iterable[RemoteInstance]) -> tuple[Endpoint, ...]:
    """Sidecars of another datacenter, without a gateway between."""
    return one_a_place(Endpoint(each.address, each.port, each.weight, each.healthy) for each in instances)


def leading_to(gateways: Iterable[Endpoint], *, somebody: bool) -> tuple[Endpoint, ...]:
    """Gateways as those who call what is behind them see them: well only if ``somebody`` there is."""
    return tuple(replace(each, healthy=each.healthy and somebody) for each in gateways)


def to_be_tried(gateways: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """Gateways as a gateway forwards to them.

    If all are said to be ill, that may be old news: then any is tried, since no other news comes before one
    of them forwards it.
    """
    if any(each.healthy for each in gateways):
        return gateways
    return tuple(replace(each, healthy=True) for each in gateways)


def with_names(endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """The endpoints, if one of them is a host name; otherwise none."""
    return endpoints if any(ip_of(each.address) is None for each in endpoints) else ()
