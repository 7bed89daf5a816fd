"""The services behind a gateway, as the entry of its name says; a wildcard stands for each that it means."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from xdsmesh.catalog.stored import Stored
from xdsmesh.catalog.view import CatalogView
from xdsmesh.config.kinds.ingress_gateway import IngressGateway
from xdsmesh.config.kinds.terminating_gateway import LinkedService, TerminatingGateway
from xdsmesh.model.catalog import Instance, Kind
from xdsmesh.model.origin import Source

_ALL: Final = "*"
KINDS: Final = (IngressGateway.KIND, TerminatingGateway.KIND)
"""The kinds of entries that link services to gateways."""


@dataclass(frozen=True, slots=True)
class GatewayLink:
    """A service behind a gateway, with the revisions of the entry that says so.

    ``linked`` is how a terminating gateway reaches it; an ingress gateway has a ``port``, a ``protocol`` and
    ``hosts``.
    """

    gateway: str
    kind: str
    service: str
    created: int
    modified: int
    from_wildcard: bool = False
    port: int = 0
    protocol: str = ""
    hosts: tuple[str, ...] = ()
    linked: LinkedService | None = None


def gateway_links(view: CatalogView, gateway: str) -> list[GatewayLink]:
    """The services behind a gateway, in the order in which they are written."""
    links: dict[tuple[str, int], GatewayLink] = {}
    for kind in KINDS:
        stored = view.entries.get((kind, gateway))
        for link in _links(view, stored) if stored else ():
            known = links.get((link.service, link.port))
            if known is None or known.from_wildcard:  # a line of its own goes before the wildcard
                links[link.service, link.port] = link
    return list(links.values())


def terminating_gateways(view: CatalogView, service: str) -> list[Stored[Instance]]:
    """The instances of the terminating gateways that lead to a service."""
    return [
        instance
        for stored in view.entries_of(TerminatingGateway.KIND)
        if isinstance(stored.value, TerminatingGateway)
        and _means(view, (linked.name for linked in stored.value.services), service, _is_outside)
        for instance in view.instances_of(stored.value.name)
        if instance.value.kind is Kind.TERMINATING_GATEWAY
    ]


def ingress_gateways(view: CatalogView, service: str) -> list[Stored[Instance]]:
    """The instances of the ingress gateways through which a service is reached."""
    return [
        instance
        for stored in view.entries_of(IngressGateway.KIND)
        if isinstance(stored.value, IngressGateway)
        and _means(
            view, (each.name for one in stored.value.listeners for each in one.services), service, _is_inside
        )
        for instance in view.instances_of(stored.value.name)
        if instance.value.kind is Kind.INGRESS_GATEWAY
    ]


def _means(
    view: CatalogView,
    written: Iterable[str],
    service: str,
    fits: Callable[[CatalogView, Stored[Instance]], bool],
) -> bool:
    """Whether one of the names of an entry is a service's, or a wildcard for what it is."""
    names = {name.casefold() for name in written}
    if service.casefold() in names:
        return True
    return _ALL in names and any(fits(view, each) for each in view.instances_of(service))


def _links(view: CatalogView, stored: Stored[object]) -> Iterator[GatewayLink]:
    match stored.value:
        case TerminatingGateway() as entry:
            for linked in entry.services:
                for name in _meant(view, linked.name, _is_outside):
                    yield GatewayLink(
                        gateway=entry.name,
                        kind=entry.KIND,
                        service=name,
                        created=stored.created,
                        modified=stored.modified,
                        from_wildcard=linked.name == _ALL,
                        linked=linked,
                    )
        case IngressGateway() as entry:
            for listener in entry.listeners:
                for service in listener.services:
                    for name in _meant(view, service.name, _is_inside):
                        yield GatewayLink(
                            gateway=entry.name,
                            kind=entry.KIND,
                            service=name,
                            created=stored.created,
                            modified=stored.modified,
                            from_wildcard=service.name == _ALL,
                            port=listener.port,
                            protocol=listener.protocol,
                            hosts=tuple(service.hosts),
                        )


def _meant(
    view: CatalogView, name: str, fits: Callable[[CatalogView, Stored[Instance]], bool]
) -> Iterator[str]:
    """The name itself, or of a wildcard all services that fit."""
    if name != _ALL:
        yield name
        return
    yield from sorted({each.value.service for each in view.instances.values() if fits(view, each)})


def _is_outside(view: CatalogView, instance: Stored[Instance]) -> bool:
    """An ordinary service that nothing in the mesh stands before."""
    return _is_ordinary(instance) and not view.by_destination.of(instance.value.service)


def _is_inside(view: CatalogView, instance: Stored[Instance]) -> bool:
    return _is_ordinary(instance) and bool(view.by_destination.of(instance.value.service))


def _is_ordinary(instance: Stored[Instance]) -> bool:
    return instance.value.kind is Kind.TYPICAL and instance.origin.source is not Source.SERVER
