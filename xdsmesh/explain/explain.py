"""The way of one request through a caller's Envoy, by the values that Envoy was configured with.

Left out are what an application asks of Envoy by headers of its own (``x-envoy-retry-on`` and its like),
upgrades, and what changes from moment to moment: ejected outliers, full circuit breakers, lost connections.
"""

from fractions import Fraction
from typing import Final, NamedTuple

from xdsmesh.chain.types import CompiledChain, ResolverNode, RouterNode, SplitterNode
from xdsmesh.explain.balance import pools
from xdsmesh.explain.changes import changed, rewritten
from xdsmesh.explain.hashing import hashed_by
from xdsmesh.explain.matches import matches
from xdsmesh.explain.requests import refusal, routed_headers
from xdsmesh.explain.types import (
    SURE,
    CompiledUpstream,
    Explanation,
    Headers,
    LegTaken,
    Refusal,
    Request,
    RouteTaken,
    Source,
    UnknownUpstreamError,
)
from xdsmesh.ir.types import (
    HashField,
    HashPolicy,
    HeaderChanges,
    Leg,
    Route,
    TcpProxy,
)
from xdsmesh.model.duration import Duration

_TIMEOUT: Final = Duration.of(seconds=15)
_IDLE_TIMEOUT: Final = Duration.of(seconds=300)
_UNLIMITED: Final = Duration()
_NO_CHANGES: Final = HeaderChanges()


def explain(source: Source, request: Request) -> Explanation:
    """Say what becomes of a request that a source's application sends.

    Raises:
        UnknownUpstreamError: the source has no such upstream.
    """
    upstream = source.upstreams.get(request.upstream)
    if upstream is None:
        known = ", ".join(sorted(source.upstreams)) or "none"
        raise UnknownUpstreamError(f"{source.proxy} has no upstream {request.upstream}; it has {known}")
    if isinstance(upstream.ir.filter, TcpProxy):
        return Explanation(request, upstream.ir.protocol, legs=(_tcp_leg(upstream, upstream.ir.filter),))
    refused = refusal(request)
    if refused:
        return Explanation(request, upstream.ir.protocol, refusal=refused)
    return _routed(upstream, request)


def _routed(upstream: CompiledUpstream, request: Request) -> Explanation:
    headers = routed_headers(request)
    for index, route in enumerate(upstream.ir.routes.routes if upstream.ir.routes else ()):
        if matches(route.match, request, headers):
            total = sum(leg.weight for leg in route.legs)
            legs = (_leg(_Routed(upstream, request, headers, route), leg, total) for leg in route.legs)
            taken = _route_taken(upstream.chain, index, route)
            return Explanation(request, upstream.ir.protocol, taken, tuple(legs))
    return Explanation(request, upstream.ir.protocol, refusal=Refusal(404, "no route matches"))


class _Routed(NamedTuple):
    """A request, and the route that it takes."""

    upstream: CompiledUpstream
    request: Request
    headers: Headers
    route: Route


def _leg(routed: _Routed, leg: Leg, total: int) -> LegTaken:
    """The changes of a leg come first, then those of its route, which so has the last word."""
    upstream, request, headers, route = routed
    request_changes = _those_that_change(leg.request_headers, route.request_headers)
    return LegTaken(
        odds=Fraction(leg.weight, total) if total else SURE,  # a lone leg takes all, whatever its weight
        cluster=leg.cluster,
        path=rewritten(request.path, route.match.path, route.prefix_rewrite),
        headers=changed(headers, request_changes),
        pools=pools(upstream, leg.cluster, hashed_by(route.hash_policies, request, headers)),
        request_changes=request_changes,
        response_changes=_those_that_change(leg.response_headers, route.response_headers),
    )


def _those_that_change(*changes: HeaderChanges) -> tuple[HeaderChanges, ...]:
    return tuple(change for change in changes if change != _NO_CHANGES)


def _tcp_leg(upstream: CompiledUpstream, proxy: TcpProxy) -> LegTaken:
    hashed = (HashPolicy(HashField.SOURCE_IP),) if proxy.hash_source_ip else ()
    return LegTaken(SURE, proxy.cluster, path="", headers=(), pools=pools(upstream, proxy.cluster, hashed))


def _route_taken(chain: CompiledChain, index: int, route: Route) -> RouteTaken:
    """With a retry policy Envoy tries again once, where nothing else is said."""
    return RouteTaken(
        index=index,
        meaning=_meaning(chain, index),
        timeout=_limit(route.timeout, _TIMEOUT),
        idle_timeout=_limit(route.idle_timeout, _IDLE_TIMEOUT),
        attempts=1 + (route.retries.attempts or 1) if route.retries else 1,
        retries=route.retries,
    )


def _limit(written: Duration | None, default: Duration) -> Duration | None:
    """Envoy's default where nothing is written, and none where zero is."""
    limit = default if written is None else written
    return None if limit == _UNLIMITED else limit


def _meaning(chain: CompiledChain, index: int) -> str:
    match chain.nodes[chain.start]:
        case RouterNode(routes=routes) if index + 1 < len(routes):
            return f"Routes[{index}] of service-router {chain.service}"
        case RouterNode():
            return f"the implied last route of service-router {chain.service}"
        case SplitterNode():
            return f"service-splitter {chain.service}"
        case ResolverNode(default=False):
            return f"service-resolver {chain.service}"
        case _:
            return f"no config entry: straight to {chain.service}"
