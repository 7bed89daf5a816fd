"""From a service's name to a target and those that stand in for it: redirects, subsets, failover."""

from dataclasses import dataclass

from xdsmesh.chain.customize import Customization
from xdsmesh.chain.errors import circular_redirect, inconsistent_protocols, missing_subset
from xdsmesh.chain.hop import Hop
from xdsmesh.chain.names import Lookup, resolver_key
from xdsmesh.chain.protocol import ServiceProtocol, protocol_of
from xdsmesh.chain.read import read_as, read_proxy_defaults
from xdsmesh.chain.rewrite import alternatives, defaulted, failover_section, redirected, rewritten
from xdsmesh.chain.targets import Targets
from xdsmesh.chain.types import ChainRequest, ReadEntry, ResolverNode
from xdsmesh.config import paths
from xdsmesh.config.kinds.service_resolver import Failover, ServiceResolver


@dataclass(frozen=True, slots=True)
class _End:
    """Where redirects have led, and the resolver there: an empty one where there is no entry."""

    lookup: Lookup
    resolver: ServiceResolver


class Resolution:
    """The resolver nodes and targets of one chain while it is compiled, and its one protocol."""

    def __init__(self, request: ChainRequest, read: ReadEntry, customization: Customization) -> None:
        self.nodes: dict[str, ResolverNode] = {}
        self.targets = Targets(request, read, customization)
        self._request = request
        self._read = read
        self._protocols: dict[str, ServiceProtocol] = {}

    @property
    def protocol(self) -> ServiceProtocol:
        """The chain's protocol: that of the first service that was recorded; of its own where none was."""
        first = next(iter(self._protocols.values()), None)
        return first or protocol_of(self._request.service, self._read)

    def record_protocol(self, service: str, hop: Hop) -> None:
        """Note that the chain passes a service.

        Raises:
            CompileError: its protocol is not that of the services before it.
        """
        if service in self._protocols:
            return
        self._protocols[service] = found = protocol_of(service, self._read)
        if found.protocol != self.protocol.protocol:
            raise inconsistent_protocols(self._request.service, self.protocol, found, hop)

    def resolve(self, service: str, subset: str, hop: Hop) -> str:
        """The key of the resolver node where a service, or a subset of it, ends.

        ``hop`` is what leads there.

        Raises:
            CompileError: redirects run in a circle, a subset is missing, protocols differ, or what can't be
                resolved any further is.
        """
        end = self._follow(Lookup(service, subset, self._request.datacenter), hop)
        key = resolver_key(end.lookup)
        if key not in self.nodes:
            self.nodes[key] = self._node(key, end)
        return key

    def _node(self, key: str, end: _End) -> ResolverNode:
        target = self.targets.at(end.lookup, end.resolver)
        failover = self._failover(end)
        return ResolverNode(
            key=key,
            target=target.id,
            default=_is_default(end.resolver),
            connect_timeout=target.connect_timeout,
            request_timeout=end.resolver.request_timeout,
            load_balancer=end.resolver.load_balancer,
            failover=failover,
            failover_policy=read_proxy_defaults(self._read).failover_policy if failover else None,
        )

    def _failover(self, end: _End) -> tuple[str, ...]:
        """The ids of the targets that stand in. Those have redirects, but no failover of their own."""
        key, section = failover_section(end.lookup, end.resolver)
        if section is None:
            return ()
        path = paths.key("Failover", key)
        found = []
        for index, alternative in enumerate(alternatives(section)):
            lookup = rewritten(end.lookup, alternative, self._request.datacenter)
            if lookup.id == end.lookup.id:
                continue
            last = self._follow(lookup, Hop.of(end.resolver, _path(path, section, index)))
            found.append(self.targets.at(last.lookup, last.resolver).id)
        return tuple(found)

    def _follow(self, lookup: Lookup, hop: Hop) -> _End:
        """Go where redirects and default subsets lead."""
        home = self._request.datacenter
        visited: dict[str, None] = {}
        while True:
            found = read_as(self._read, ServiceResolver, lookup.service)
            resolver = found or ServiceResolver(name=lookup.service)
            if resolver_key(lookup) in self.nodes:
                return _End(lookup, resolver)
            if not lookup.peer:
                self.record_protocol(lookup.service, hop)
            if lookup.id in visited:
                raise circular_redirect(self._request.service, [*visited], lookup.id, hop)
            visited[lookup.id] = None
            if further := redirected(lookup, resolver, home):
                hop = _asks(hop, resolver, lookup, further)
            elif further := defaulted(lookup, resolver, home):
                hop = Hop.of(resolver, "DefaultSubset")
            elif lookup.subset and lookup.subset not in resolver.subsets:
                raise missing_subset(self._request.service, lookup, found, hop)
            else:
                return _End(lookup, resolver)
            lookup = further


def _asks(hop: Hop, resolver: ServiceResolver, lookup: Lookup, further: Lookup) -> Hop:
    """Whom to look at: the redirect, unless it merely keeps a subset that was asked for before it."""
    keeps = further.subset and (further.service, further.subset) == (lookup.service, lookup.subset)
    return hop if keeps else Hop.of(resolver, "Redirect")


def _path(path: str, section: Failover, index: int) -> str:
    """The field of a failover section that names one of its alternatives."""
    if section.datacenters:
        return paths.item(f"{path}.Datacenters", index)
    return paths.item(f"{path}.Targets", index) if section.targets else path


def _is_default(resolver: ServiceResolver) -> bool:
    """Whether the entry says no more than its absence would; metadata doesn't count."""
    return resolver == ServiceResolver(name=resolver.name, meta=resolver.meta)
