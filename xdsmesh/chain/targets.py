"""What is known of a target besides its name: its filter, its timeout, and how it is reached."""

from dataclasses import dataclass, field

from xdsmesh.chain.customize import Customization
from xdsmesh.chain.errors import external_sni_conflict
from xdsmesh.chain.names import Lookup
from xdsmesh.chain.read import read_as, read_proxy_defaults
from xdsmesh.chain.types import CONNECT_TIMEOUT, ChainRequest, ReadEntry, Target
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import ServiceResolver, Subset


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets of one chain; what has the same id is the same target, made once."""

    request: ChainRequest
    read: ReadEntry
    customization: Customization
    by_id: dict[str, Target] = field(default_factory=dict)

    def at(self, lookup: Lookup, resolver: ServiceResolver) -> Target:
        """The target where a look-up ends, given the resolver of its service.

        Raises:
            CompileError: the service is outside the mesh, where nothing can be resolved further.
        """
        known = self.by_id.get(lookup.id)
        return known or self.by_id.setdefault(lookup.id, self._make(lookup, resolver))

    def _make(self, lookup: Lookup, resolver: ServiceResolver) -> Target:
        defaults = read_as(self.read, ServiceDefaults, lookup.service) or ServiceDefaults()
        # The service-defaults are those of a local service, and a peer's SNI is not known here.
        external_sni = "" if lookup.peer else defaults.external_sni
        if external_sni and (resolver.redirect or resolver.subsets or resolver.failover):
            raise external_sni_conflict(self.request.service, resolver)
        proxies = read_proxy_defaults(self.read)
        directly = defaults.transparent_proxy.dialed_directly or proxies.transparent_proxy.dialed_directly
        subset = resolver.subsets.get(lookup.subset, Subset())
        name = lookup.sni(self.request.trust_domain)
        return Target(
            id=lookup.id,
            service=lookup.service,
            subset=lookup.subset,
            datacenter=lookup.datacenter,
            peer=lookup.peer,
            sni=external_sni or name,
            name=name,
            filter=subset.filter,
            only_passing=subset.only_passing,
            connect_timeout=self.customization.connect_timeout(resolver.connect_timeout or CONNECT_TIMEOUT),
            mesh_gateway="" if external_sni else self._mesh_gateway(defaults),
            external=bool(external_sni),
            dialed_directly=directly and not external_sni,
        )

    def _mesh_gateway(self, defaults: ServiceDefaults) -> str:
        """Also for targets of this datacenter: whether a gateway is in the way depends on the caller's."""
        configured = defaults.mesh_gateway.mode or read_proxy_defaults(self.read).mesh_gateway.mode
        return self.customization.mesh_gateway(configured)
