"""Which addresses lead to another datacenter: the mesh gateways, our own first."""

from collections.abc import Iterator

from xdsmesh.catalog.view import CatalogView
from xdsmesh.model.address import host_port
from xdsmesh.model.catalog import Instance, Kind
from xdsmesh.model.checks import Health
from xdsmesh.model.facts import Fact


def routes(view: CatalogView, datacenter: str) -> tuple[str, ...]:
    """The addresses to dial, as host:port, in the order in which to try them; each once.

    Our own gateways forward by the name of the other control plane. If none of them does, the other
    datacenter's own gateways may be within reach.
    """
    own = sorted(gateways(view), key=lambda gateway: (gateway.health is Health.CRITICAL, gateway.id))
    known = view.remote.gateways.get(datacenter)
    theirs = sorted(known.value.gateways, key=lambda gateway: not gateway.healthy) if known else ()
    found = [*(host_port(*each.place("lan")) for each in own)]
    found += (host_port(each.address, each.port) for each in theirs)
    return tuple(dict.fromkeys(found))


def gateways(view: CatalogView) -> Iterator[Instance]:
    """The mesh gateways of this datacenter."""
    return (each.value for each in view.instances.values() if each.value.kind is Kind.MESH_GATEWAY)


def is_about_gateways(fact: Fact) -> bool:
    """Whether it may change which mesh gateways there are, here or elsewhere."""
    if fact.key[0] == "instance":
        return any(
            isinstance(each, Instance) and each.kind is Kind.MESH_GATEWAY
            for each in (fact.value, fact.before)
        )
    return fact.key[0] == "remote-gateways"
