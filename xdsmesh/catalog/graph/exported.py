"""What is exported to peers ends in this datacenter, since a peer reaches no other one through it."""

from collections.abc import Iterator
from typing import Final

from xdsmesh.catalog.graph.change import Change, Fault
from xdsmesh.catalog.graph.entry_set import EntryKey, EntrySet
from xdsmesh.chain.types import HTTP_LIKE, CompiledChain, ResolverNode, Target
from xdsmesh.config.kinds.exported_services import ExportedServices
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import ServiceResolver
from xdsmesh.config.kinds.service_router import ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter
from xdsmesh.model.codes import Code

_EVERY_SERVICE: Final = "*"


def faults(entries: EntrySet, change: Change) -> Iterator[Fault]:
    """Exported services that redirect or fail over to another datacenter, or redirect to a peer."""
    for exported in entries.every(ExportedServices):
        for service in sorted(_services(exported, entries)):
            if change.writes(exported) or change.touches(service):
                yield from _leaving(service, exported, entries)


def new_target_faults(change: Change) -> Iterator[Fault]:
    """Exported services without HTTP that come to lead somewhere else.

    Connections from a peer name the target that they want, and can't be told to take another one.
    """
    for exported in change.after.every(ExportedServices):
        before = change.before.read(exported.KIND, exported.name)
        if isinstance(before, ExportedServices):
            both = _services(exported, change.after) & _services(before, change.before)
            for service in sorted(each for each in both if change.touches(each)):
                yield from _new_targets(service, change)


def _services(exported: ExportedServices, entries: EntrySet) -> frozenset[str]:
    """The exported services; of all, those that are not just a name."""
    names = {service.name for service in exported.services}
    if _EVERY_SERVICE in names:
        for kind in (ServiceDefaults, ServiceResolver, ServiceSplitter, ServiceRouter):
            names |= {entry.name for entry in entries.every(kind)}
    return frozenset(names - {_EVERY_SERVICE})


def _leaving(service: str, exported: ExportedServices, entries: EntrySet) -> Iterator[Fault]:
    chain = entries.chain(service)
    if not isinstance(chain, CompiledChain):
        return
    for node in chain.nodes.values():
        if not isinstance(node, ResolverNode):
            continue
        target = chain.targets[node.target]
        if target.peer:
            yield _fault(service, exported, _redirecting(target, entries), f'a peer, "{target.peer}"')
        elif target.datacenter != entries.datacenter:
            where = f'the datacenter "{target.datacenter}"'
            yield _fault(service, exported, _redirecting(target, entries), where)
        for each in (chain.targets[name] for name in node.failover):
            if not each.peer and each.datacenter != entries.datacenter:
                where = f'the datacenter "{each.datacenter}" when it fails'
                yield _fault(service, exported, (ServiceResolver.KIND, target.service), where)


def _fault(service: str, exported: ExportedServices, resolver: EntryKey, where: str) -> Fault:
    return Fault(
        Code.EXPORTED,
        resolver,
        ("exported", service, resolver, where),
        f'service "{service}" is exported by exported-services "{exported.name}", but {resolver[0]} '
        f'"{resolver[1]}" sends it on to {where}',
        "what is exported must end in this datacenter: remove it there, or do not export the service",
    )


def _redirecting(target: Target, entries: EntrySet) -> EntryKey:
    """The resolver whose redirect leads to a target, best the one that names its datacenter."""
    found = (ServiceResolver.KIND, target.service)
    for resolver in entries.every(ServiceResolver):
        redirect = resolver.redirect
        if redirect and (redirect.service or resolver.name, redirect.peer) == (target.service, target.peer):
            found = (resolver.KIND, resolver.name)
            if redirect.datacenter == target.datacenter:
                break
    return found


def _new_targets(service: str, change: Change) -> Iterator[Fault]:
    before, after = change.before.chain(service), change.after.chain(service)
    if not isinstance(before, CompiledChain) or not isinstance(after, CompiledChain):
        return
    fresh = sorted(_primary_targets(after) - _primary_targets(before))
    if fresh and after.protocol not in HTTP_LIKE:
        yield Fault(
            Code.EXPORTED,
            _written(service, change),
            ("new target", service),
            f'service "{service}" is exported and its protocol is {after.protocol}, so it can\'t come to '
            f"lead to {', '.join(fresh)}",
            "give it the protocol http, http2 or grpc first, or do not export it",
        )


def _primary_targets(chain: CompiledChain) -> frozenset[str]:
    """The ids of the targets that are not just there for when others fail."""
    return frozenset(node.target for node in chain.nodes.values() if isinstance(node, ResolverNode))


def _written(service: str, change: Change) -> EntryKey:
    """The entry to look at: that of the service if it is one of those written."""
    return min(change.keys, key=lambda key: (key[1] != service, key))
