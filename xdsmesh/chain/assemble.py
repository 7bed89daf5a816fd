"""From a service to the nodes of its chain: its router, its splitters, its resolvers.

Rules: https://developer.hashicorp.com/consul/docs/manage-traffic/discovery-chain
"""

from collections.abc import Iterable
from typing import Final, TypeVar

from msgspec import structs

from xdsmesh.chain.customize import Customization
from xdsmesh.chain.errors import CompileError, advanced_routing_on_l4, circular_reference, too_large
from xdsmesh.chain.flatten import flattened
from xdsmesh.chain.hop import Hop
from xdsmesh.chain.names import router_key, splitter_key
from xdsmesh.chain.read import read_as, read_proxy_defaults
from xdsmesh.chain.resolve import Resolution
from xdsmesh.chain.types import (
    HTTP_LIKE,
    ChainRequest,
    ChainRoute,
    ChainSplit,
    CompiledChain,
    Node,
    ReadEntry,
    ResolverNode,
    RouterNode,
    SplitterNode,
)
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_router import Destination, HTTPMatch, Match, Route, ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split
from xdsmesh.config.parts.load_balancer import LoadBalancer

MAX_NESTING: Final = 64
"""How many splitters may stand behind each other."""

_AdvancedT = TypeVar("_AdvancedT", ServiceRouter, ServiceSplitter)

_EVERYTHING: Final = Match(http=HTTPMatch(path_prefix="/"))


class Assembly:
    """One chain while it is put together. Make one, ask it for its ``chain`` once."""

    def __init__(self, request: ChainRequest, read: ReadEntry) -> None:
        self._request = request
        self._read = read
        self._customization = Customization(request.overrides)
        self._resolution = Resolution(request, read, self._customization)
        self._routers: dict[str, RouterNode] = {}
        self._splitters: dict[str, SplitterNode] = {}
        """As they are configured, each before those behind it."""
        self._path: list[str] = []
        """The services whose splitters are being assembled, each behind the one before it."""
        self._circle: CompileError | None = None
        """Said when all else is right, as Consul does."""
        self._advanced: Entry | None = None
        """The first router or splitter that counts."""

    def chain(self) -> CompiledChain:
        """Put the chain together.

        Raises:
            CompileError: it can't be; the error says why.
        """
        service = self._request.service
        router = self._advanced_routing(ServiceRouter, service)
        start = self._router(router) if router else self._splitter_or_resolver(service, Hop.start(service))
        if self._circle:
            raise self._circle
        protocol = self._resolution.protocol
        if self._advanced and protocol.protocol not in HTTP_LIKE:
            raise advanced_routing_on_l4(service, protocol, self._advanced)
        nodes = self._nodes(start)
        defaults = read_as(self._read, ServiceDefaults, service) or ServiceDefaults()
        extensions = (*read_proxy_defaults(self._read).envoy_extensions, *defaults.envoy_extensions)
        return CompiledChain(
            service=service,
            datacenter=self._request.datacenter,
            protocol=self._customization.protocol(protocol.protocol),
            default=self._is_default(nodes[start]),
            start=start,
            nodes=dict(sorted(nodes.items())),
            targets=dict(sorted(self._resolution.targets.by_id.items())),
            service_meta=defaults.meta,
            envoy_extensions=extensions,
            customization_hash=self._customization.hash,
        )

    def _advanced_routing(self, kind: type[_AdvancedT], service: str) -> _AdvancedT | None:
        """The router or splitter of a service, unless the caller wants none to count."""
        entry = read_as(self._read, kind, service)
        if entry is None:
            return None
        if self._customization.is_l4:
            self._customization.leave_out_advanced_routing()
            return None
        self._advanced = self._advanced or entry
        return entry

    def _nodes(self, start: str) -> dict[str, Node]:
        """All nodes that requests pass; splitters that only other ones lead to are part of those."""
        flat = flattened(self._request.service, self._splitters)
        reached = {start, *(route.next for router in self._routers.values() for route in router.routes)}
        splitters = {key: node for key, node in flat.items() if key in reached}
        return {**self._routers, **splitters, **self._resolution.nodes}

    def _is_default(self, start: Node) -> bool:
        if not isinstance(start, ResolverNode):
            return False
        target = self._resolution.targets.by_id[start.target]
        return start.default and target.service == self._request.service

    def _router(self, entry: ServiceRouter) -> str:
        """Only the chain's own router is ever used; what it leaves over goes to its own service."""
        self._resolution.record_protocol(entry.name, Hop.start(entry.name))
        hops = [Hop.of(entry, f"Routes[{index}]") for index in range(len(entry.routes))]
        routes = [self._route(route, hop) for route, hop in zip(entry.routes, hops, strict=True)]
        catch_all = Route(match=_EVERYTHING, destination=Destination(service=entry.name))
        routes.append(self._route(catch_all, Hop.of(entry, "the implied last route")))
        key = router_key(entry.name)
        self._routers[key] = RouterNode(key, tuple(routes))
        return key

    def _route(self, route: Route, hop: Hop) -> ChainRoute:
        destination = route.destination or Destination()
        service, subset = destination.service or hop.name, destination.service_subset
        return ChainRoute(
            match=route.match.http if route.match else None,
            destination=structs.replace(destination, service=service),
            definition=route,
            next=(
                self._resolution.resolve(service, subset, hop)
                if subset
                else self._splitter_or_resolver(service, hop)
            ),
        )

    def _splitter_or_resolver(self, service: str, hop: Hop) -> str:
        return self._splitter(service) or self._resolution.resolve(service, "", hop)

    def _splitter(self, service: str) -> str:
        """The key of a service's splitter node; empty if it has no splitter."""
        key = splitter_key(service)
        if key in self._splitters:
            return key
        entry = self._advanced_routing(ServiceSplitter, service)
        if entry is None:
            return ""
        if len(self._path) == MAX_NESTING:
            raise too_large(self._request.service, f"stands behind {MAX_NESTING} others", service)
        self._splitters[key] = SplitterNode(key, ())  # its place is before those behind it
        self._path.append(service)
        hops = [Hop.of(entry, f"Splits[{index}]") for index in range(len(entry.splits))]
        legs = tuple(self._leg(split, hop) for split, hop in zip(entry.splits, hops, strict=True))
        self._path.pop()
        self._splitters[key] = SplitterNode(key, legs, self._load_balancer(legs))
        return key

    def _leg(self, split: Split, hop: Hop) -> ChainSplit:
        return ChainSplit(
            weight=split.hundredths,
            next=self._behind(split, hop),
            request_headers=split.request_headers,
            response_headers=split.response_headers,
            definition=split,
        )

    def _behind(self, split: Split, hop: Hop) -> str:
        """Where a split leads. A splitter never leads to itself."""
        service, subset = split.service or hop.name, split.service_subset
        if subset or service == hop.name:
            return self._resolution.resolve(service, subset, hop)
        if service in self._path and not self._circle:
            self._circle = circular_reference(self._request.service, self._path, service, hop)
        return self._splitter_or_resolver(service, hop)

    def _load_balancer(self, legs: Iterable[ChainSplit]) -> LoadBalancer | None:
        """That of the first leg whose resolver hashes; what lies behind other splitters does not count."""
        resolvers = (self._resolution.nodes.get(leg.next) for leg in legs)
        balancers = (resolver.load_balancer for resolver in resolvers if resolver)
        return next((balancer for balancer in balancers if balancer and balancer.is_hash_based), None)
