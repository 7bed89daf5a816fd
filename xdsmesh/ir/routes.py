"""The routes of a chain: where its requests go, by what they look like and by weight."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from xdsmesh.chain.types import ChainRoute, CompiledChain, ResolverNode, RouterNode, SplitterNode
from xdsmesh.config.kinds.service_router import Destination
from xdsmesh.ir import names
from xdsmesh.ir.balancing import build_hash_policies
from xdsmesh.ir.headers import build_header_changes
from xdsmesh.ir.matches import EVERYTHING, build_match
from xdsmesh.ir.types import Leg, Retries, Route, RouteConfiguration
from xdsmesh.model.duration import Duration

_ALL: Final = 10_000  # hundredths of a percent

_SAFE: Final = Retries(conditions=("connect-failure", "reset-before-request", "refused-stream"), attempts=2)
"""What is tried again on ways that may break, where nobody says otherwise: no application has seen it."""


def build_routes(chain: CompiledChain, trust_domain: str, called: str, home: str) -> RouteConfiguration:
    """The routes of the calls to the chain's service, as it is called from the datacenter ``home``.

    The request timeout of a resolver holds only where the chain starts with it, as in Consul.
    """
    name = names.routes(called)
    clusters = {
        key: names.cluster(chain.targets[node.target], trust_domain, chain.customization_hash)
        for key, node in chain.nodes.items()
        if isinstance(node, ResolverNode)
    }
    return RouteConfiguration(name=name, virtual_host=name, routes=_Routes(chain, clusters, home).all())


def route_to(cluster: str, timeout: Duration | None = None, idle_timeout: Duration | None = None) -> Route:
    """A route that takes every request to one cluster."""
    return Route(EVERYTHING, (Leg(cluster, _ALL),), timeout=timeout, idle_timeout=idle_timeout)


class _Routes:
    """Makes the routes of one chain. ``clusters`` are those of its resolver nodes, by their keys."""

    def __init__(self, chain: CompiledChain, clusters: Mapping[str, str], home: str) -> None:
        self._chain = chain
        self._clusters = clusters
        self._home = home

    def all(self) -> tuple[Route, ...]:
        """The routes in order."""
        start = self._chain.nodes[self._chain.start]
        if isinstance(start, RouterNode):
            return tuple(self._route(route) for route in start.routes)
        return (
            Route(
                EVERYTHING,
                self._legs(start.key),
                timeout=_timeout(start.request_timeout) if isinstance(start, ResolverNode) else None,
                retries=self._safe_retries(start.key),
                hash_policies=build_hash_policies(start.load_balancer),
            ),
        )

    def _route(self, route: ChainRoute) -> Route:
        destination = route.destination
        node = self._chain.nodes[route.next]
        return Route(
            match=build_match(route.match),
            legs=self._legs(route.next),
            timeout=_timeout(destination.request_timeout),
            idle_timeout=_timeout(destination.idle_timeout),
            prefix_rewrite=destination.prefix_rewrite,
            retries=_retries(destination, elsewhere=self._fails_over(route.next))
            or self._safe_retries(route.next),
            hash_policies=() if isinstance(node, RouterNode) else build_hash_policies(node.load_balancer),
            request_headers=build_header_changes(destination.request_headers),
            response_headers=build_header_changes(destination.response_headers),
        )

    def _legs(self, key: str) -> tuple[Leg, ...]:
        node = self._chain.nodes[key]
        if not isinstance(node, SplitterNode):
            return (Leg(self._cluster(key), _ALL),)
        return tuple(
            Leg(
                cluster=self._cluster(split.next),
                weight=split.weight,
                request_headers=build_header_changes(split.request_headers),
                response_headers=build_header_changes(split.response_headers),
            )
            for split in node.splits
        )

    def _cluster(self, key: str) -> str:
        if key not in self._clusters:
            raise ValueError(
                f"the chain of {self._chain.service} leads to {key!r} where a resolver must stand"
            )
        return self._clusters[key]

    def _safe_retries(self, key: str) -> Retries | None:
        """The retries that nobody asked for: of what fails over, or leads to another datacenter."""
        fails_over = self._fails_over(key)
        if fails_over or any(self._is_far(node) for node in self._ends(key)):
            return replace(_SAFE, elsewhere=fails_over)
        return None

    def _is_far(self, node: ResolverNode) -> bool:
        return self._chain.targets[node.target].datacenter not in ("", self._home)

    def _fails_over(self, key: str) -> bool:
        """Whether one of the clusters behind a node is an aggregate."""
        return any(node.failover for node in self._ends(key))

    def _ends(self, key: str) -> Iterator[ResolverNode]:
        """The resolvers behind a splitter, or a resolver itself."""
        node = self._chain.nodes[key]
        if isinstance(node, SplitterNode):
            for split in node.splits:
                yield from self._ends(split.next)
        elif isinstance(node, ResolverNode):
            yield node


def _timeout(written: Duration) -> Duration | None:
    """A timeout as people write it: zero is "not set", and a negative one is "never"."""
    return Duration(max(written.nanoseconds, 0)) if written else None


def _retries(destination: Destination, *, elsewhere: bool) -> Retries | None:
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
        elsewhere=elsewhere,
    )
