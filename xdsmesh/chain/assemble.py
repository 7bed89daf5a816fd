"""From a service to the nodes of its chain: its router, its splitters, its resolvers."""

from collections.abc import Iterable
from typing import Final

from msgspec import structs

from xdsmesh.chain.errors import advanced_routing_on_l4, circular_reference, too_large
from xdsmesh.chain.flatten import through
from xdsmesh.chain.hop import Hop
from xdsmesh.chain.names import router_key, splitter_key
from xdsmesh.chain.protocol import read_as
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
from xdsmesh.config.kinds.service_router import Destination, HTTPMatch, Match, Route, ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split

MAX_NESTING: Final = 64
"""How many splitters may stand behind each other."""

MAX_LEGS: Final = 1_000
"""How many legs a flattened splitter may have; nested ones multiply."""

_CATCH_ALL: Final = Route(match=Match(http=HTTPMatch(path_prefix="/")))


class Assembly:
    """One chain while it is put together. Make one, ask it for its ``chain`` once."""

    def __init__(self, request: ChainRequest, read: ReadEntry) -> None:
        self._request = request
        self._read = read
        self._resolution = Resolution(request, read)
        self._nodes: dict[str, Node] = {}
        self._splitters: dict[str, SplitterNode | None] = {}
        self._path: list[str] = []
        """The services whose splitters are being assembled, each behind the one before it."""

    def chain(self) -> CompiledChain:
        """Put the chain together.

        Raises:
            CompileError: it can't be; the error says why.
        """
        service = self._request.service
        router = read_as(self._read, ServiceRouter, service)
        start = self._router(router) if router else self._splitter_or_resolver(service, Hop.start(service))
        protocol = self._resolution.protocol
        advanced = router or read_as(self._read, ServiceSplitter, service)
        if advanced and protocol.protocol not in HTTP_LIKE:
            raise advanced_routing_on_l4(service, protocol, advanced)
        nodes = {**self._nodes, **self._resolution.nodes}
        return CompiledChain(
            service=service,
            datacenter=self._request.datacenter,
            protocol=protocol.protocol,
            default=self._is_default(nodes[start]),
            start=start,
            nodes=dict(sorted(nodes.items())),
            targets=dict(sorted(self._resolution.targets.items())),
        )

    def _is_default(self, start: Node) -> bool:
        if not isinstance(start, ResolverNode):
            return False
        return start.default and self._resolution.targets[start.target].service == self._request.service

    def _router(self, entry: ServiceRouter) -> str:
        """Only the chain's own router is ever used; what it leaves over goes to its own service."""
        self._resolution.record_protocol(entry.name, Hop.start(entry.name))
        hops = [Hop.of(entry, f"Routes[{index}]") for index in range(len(entry.routes))]
        routes = [self._route(route, hop) for route, hop in zip(entry.routes, hops, strict=True)]
        routes.append(self._route(_CATCH_ALL, Hop.of(entry, "the implied last route")))
        key = router_key(entry.name)
        self._nodes[key] = RouterNode(key, tuple(routes))
        return key

    def _route(self, route: Route, hop: Hop) -> ChainRoute:
        destination = route.destination or Destination()
        service, subset = destination.service or hop.name, destination.service_subset
        return ChainRoute(
            match=route.match.http if route.match else None,
            destination=structs.replace(destination, service=service),
            next=(
                self._resolution.resolve(service, subset, hop)
                if subset
                else self._splitter_or_resolver(service, hop)
            ),
        )

    def _splitter_or_resolver(self, service: str, hop: Hop) -> str:
        splitter = self._splitter(service, hop)
        if splitter is None:
            return self._resolution.resolve(service, "", hop)
        self._nodes[splitter.key] = splitter
        return splitter.key

    def _splitter(self, service: str, hop: Hop) -> SplitterNode | None:
        """The splitter of a service, flat. Only those that no other one contains become nodes."""
        if service in self._path:
            raise circular_reference(self._request.service, self._path, service, hop)
        if service not in self._splitters:
            entry = read_as(self._read, ServiceSplitter, service)
            self._splitters[service] = self._flat(entry) if entry else None
        return self._splitters[service]

    def _flat(self, entry: ServiceSplitter) -> SplitterNode:
        if len(self._path) == MAX_NESTING:
            raise too_large(self._request.service, f"stands behind {MAX_NESTING} others", entry)
        self._path.append(entry.name)
        legs = tuple(
            leg
            for index, split in enumerate(entry.splits)
            for leg in self._legs(split, Hop.of(entry, f"Splits[{index}]"))
        )
        self._path.pop()
        if len(legs) > MAX_LEGS:
            what = f"has {len(legs)} legs with the splitters behind it, and {MAX_LEGS} are allowed"
            raise too_large(self._request.service, what, entry)
        return SplitterNode(splitter_key(entry.name), legs)

    def _legs(self, split: Split, hop: Hop) -> Iterable[ChainSplit]:
        """A split's leg, or those of the splitter behind it. A splitter never leads to itself."""
        service, subset = split.service or hop.name, split.service_subset
        inner = self._splitter(service, hop) if service != hop.name and not subset else None
        leg = ChainSplit(
            weight=split.hundredths,
            next=inner.key if inner else self._resolution.resolve(service, subset, hop),
            request_headers=split.request_headers,
            response_headers=split.response_headers,
        )
        return [through(leg, further) for further in inner.splits] if inner else [leg]
