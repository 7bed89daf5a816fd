"""From a service's name to a target: redirects, subsets, timeouts."""

from xdsmesh.chain.errors import circular_redirect, inconsistent_protocols, missing_subset
from xdsmesh.chain.hop import Hop
from xdsmesh.chain.names import Lookup, resolver_key
from xdsmesh.chain.protocol import ServiceProtocol, protocol_of, read_as
from xdsmesh.chain.types import CONNECT_TIMEOUT, ChainRequest, ReadEntry, ResolverNode, Target
from xdsmesh.config.kinds.service_resolver import Redirect, ServiceResolver, Subset


class Resolution:
    """The resolver nodes and targets of one chain while it is compiled, and its one protocol."""

    def __init__(self, request: ChainRequest, read: ReadEntry) -> None:
        self.nodes: dict[str, ResolverNode] = {}
        self.targets: dict[str, Target] = {}
        self._request = request
        self._read = read
        self._protocols: dict[str, ServiceProtocol] = {}

    @property
    def protocol(self) -> ServiceProtocol:
        """The chain's protocol: that of the first service that was recorded."""
        return next(iter(self._protocols.values()))

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
            CompileError: redirects run in a circle, a subset is missing, protocols differ.
        """
        lookup = Lookup(service, subset, self._request.datacenter)
        visited: dict[Lookup, None] = {}
        while (key := resolver_key(lookup)) not in self.nodes:
            if lookup in visited:
                raise circular_redirect(self._request.service, list(visited), lookup, hop)
            visited[lookup] = None
            self.record_protocol(lookup.service, hop)
            resolver = read_as(self._read, ServiceResolver, lookup.service)
            step = _step(lookup, resolver, hop) if resolver else None
            if step is None:
                self._end_at(lookup, resolver, hop)
            else:
                lookup, hop = step
        return key

    def _end_at(self, lookup: Lookup, found: ServiceResolver | None, hop: Hop) -> None:
        if lookup.subset and (found is None or lookup.subset not in found.subsets):
            raise missing_subset(self._request.service, lookup, found, hop)
        resolver = found or ServiceResolver(name=lookup.service)
        subset = resolver.subsets.get(lookup.subset, Subset())
        connect_timeout = resolver.connect_timeout or CONNECT_TIMEOUT
        key, target_id = resolver_key(lookup), lookup.id
        self.targets[target_id] = Target(
            id=target_id,
            service=lookup.service,
            subset=lookup.subset,
            datacenter=lookup.datacenter,
            sni=lookup.sni(self._request.trust_domain),
            name=lookup.sni(self._request.trust_domain),
            filter=subset.filter,
            only_passing=subset.only_passing,
            connect_timeout=connect_timeout,
        )
        self.nodes[key] = ResolverNode(
            key=key,
            target=target_id,
            default=_is_default(resolver),
            connect_timeout=connect_timeout,
            request_timeout=resolver.request_timeout,
        )


def _step(lookup: Lookup, resolver: ServiceResolver, hop: Hop) -> tuple[Lookup, Hop] | None:
    """Where a resolver sends a look-up on, and what leads there; None: it ends here."""
    redirect = resolver.redirect
    if redirect and (redirected := _redirected(lookup, redirect)) != lookup:
        asks_for_subset = redirect.service_subset or not redirected.subset
        return redirected, Hop.of(resolver, "Redirect") if asks_for_subset else hop
    if resolver.default_subset and not lookup.subset:
        return lookup._replace(subset=resolver.default_subset), Hop.of(resolver, "DefaultSubset")
    return None


def _redirected(lookup: Lookup, redirect: Redirect) -> Lookup:
    service = redirect.service or lookup.service
    kept_subset = lookup.subset if service == lookup.service else ""
    return Lookup(service, redirect.service_subset or kept_subset, redirect.datacenter or lookup.datacenter)


def _is_default(resolver: ServiceResolver) -> bool:
    """Whether the entry says no more than its absence would; metadata doesn't count."""
    return resolver == ServiceResolver(name=resolver.name, meta=resolver.meta)
