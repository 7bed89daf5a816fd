"""How a redirect, a failover or a default subset makes another look-up of one.

Rules: https://developer.hashicorp.com/consul/docs/reference/config-entry/service-resolver
"""

from xdsmesh.chain.names import Lookup
from xdsmesh.config.kinds.service_resolver import Failover, FailoverTarget, Redirect, ServiceResolver


def rewritten(lookup: Lookup, to: Redirect | FailoverTarget, home: str) -> Lookup:
    """Where ``to`` leads from a look-up; ``home`` is the datacenter where the chain is evaluated.

    What ``to`` leaves out stays, but for two things: another service begins without a subset, and a peer
    is left where none is named.
    """
    service = to.service or lookup.service
    kept_subset = lookup.subset if service == lookup.service else ""
    datacenter = "" if to.peer else to.datacenter or lookup.datacenter or home
    return Lookup(service, to.service_subset or kept_subset, datacenter, to.peer)


def redirected(lookup: Lookup, resolver: ServiceResolver, home: str) -> Lookup | None:
    """Where the resolver's redirect leads; None if there is none, or it leads no further."""
    if resolver.redirect is None:
        return None
    further = rewritten(lookup, resolver.redirect, home)
    return further if further.id != lookup.id else None


def defaulted(lookup: Lookup, resolver: ServiceResolver, home: str) -> Lookup | None:
    """The default subset of the resolver's service, if it has one and no subset was asked for."""
    if lookup.subset or not resolver.default_subset:
        return None
    return rewritten(lookup, Redirect(service_subset=resolver.default_subset), home)


def failover_section(lookup: Lookup, resolver: ServiceResolver) -> tuple[str, Failover | None]:
    """The key of the part of ``Failover`` that holds for a subset, and that part if there is one."""
    key = lookup.subset if lookup.subset in resolver.failover else "*"
    return key, resolver.failover.get(key)


def alternatives(section: Failover) -> list[FailoverTarget]:
    """What stands in, in order."""
    if section.datacenters:
        return [
            FailoverTarget(section.service, section.service_subset, datacenter)
            for datacenter in section.datacenters
        ]
    return section.targets or [FailoverTarget(section.service, section.service_subset)]
