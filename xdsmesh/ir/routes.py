"""The routes of a chain: where its requests go, by what they look like and by weight."""

from typing import Final

from xdsmesh.chain.types import ChainRoute, CompiledChain, ResolverNode, RouterNode, SplitterNode
from xdsmesh.config.kinds.service_router import Destination
from xdsmesh.ir import names
from xdsmesh.ir.headers import build_header_changes
from xdsmesh.ir.matches import EVERYTHING, build_match
from xdsmesh.ir.types import Leg, Retries, Route, RouteConfiguration
from xdsmesh.model.duration import Duration

_ALL: Final = 10_000  # hundredths of a percent


def build_routes(chain: CompiledChain) -> RouteConfiguration:
    """The routes of the calls to the chain's service.

    The request timeout of a resolver holds only where the chain starts with it, as in Consul.
    """
    name = names.routes(chain.service)
    return RouteConfiguration(name=name, virtual_host=name, routes=_routes(chain))


def route_to(cluster: str, timeout: Duration | None = None) -> Route:
    """A route that takes every request to one cluster."""
    return Route(EVERYTHING, (Leg(cluster, _ALL),), timeout=timeout)


def cluster_of(chain: CompiledChain, key: str) -> str:
    """The cluster of the target that a resolver node ends at.

    Raises:
        ValueError: the node is no resolver.
    """
    return chain.targets[_resolver(chain, key).target].sni


def _timeout(written: Duration) -> Duration | None:
    """A timeout as people write it: zero is "not set", and a negative one is "never"."""
    return Duration(max(written.nanoseconds, 0)) if written else None


def _routes(chain: CompiledChain) -> tuple[Route, ...]:
    match chain.nodes[chain.start]:
        case RouterNode(routes=routes):
            return tuple(_route(chain, route) for route in routes)
        case SplitterNode():
            return (Route(EVERYTHING, _legs(chain, chain.start)),)
        case ResolverNode(request_timeout=timeout):
            return (route_to(cluster_of(chain, chain.start), _timeout(timeout)),)


def _route(chain: CompiledChain, route: ChainRoute) -> Route:
    destination = route.destination
    return Route(
        match=build_match(route.match),
        legs=_legs(chain, route.next),
        timeout=_timeout(destination.request_timeout),
        idle_timeout=_timeout(destination.idle_timeout),
        prefix_rewrite=destination.prefix_rewrite,
        retries=_retries(destination),
        request_headers=build_header_changes(destination.request_headers),
        response_headers=build_header_changes(destination.response_headers),
    )


def _legs(chain: CompiledChain, key: str) -> tuple[Leg, ...]:
    node = chain.nodes[key]
    if not isinstance(node, SplitterNode):
        return (Leg(cluster_of(chain, key), _ALL),)
    return tuple(
        Leg(
            cluster=cluster_of(chain, split.next),
            weight=split.weight,
            request_headers=build_header_changes(split.request_headers),
            response_headers=build_header_changes(split.response_headers),
        )
        for split in node.splits
    )


def _resolver(chain: CompiledChain, key: str) -> ResolverNode:
    node = chain.nodes[key]
    if isinstance(node, ResolverNode):
        return node
    raise ValueError(f"the chain of {chain.service} leads to {key!r} where a resolver must stand")


def _retries(destination: Destination) -> Retries | None:
    conditions = list(destination.retry_on)
    if destination.retry_on_connect_failure:
        conditions.append("connect-failure")
    if destination.retry_on_status_codes:
        conditions.append("retriable-status-codes")
    if not conditions and not destination.num_retries:
        return None
    return Retries(
        conditions=tuple(dict.fromkeys(conditions)),
        attempts=destination.num_retries,
        status_codes=tuple(destination.retry_on_status_codes),
    )
