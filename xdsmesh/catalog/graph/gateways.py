"""What gateways need of other entries: a name of their own, and services that speak as they listen."""

from collections.abc import Iterator
from typing import Final

from xdsmesh.catalog.graph.change import Change, Fault
from xdsmesh.catalog.graph.entry_set import EntrySet
from xdsmesh.chain.types import CompiledChain, ResolverNode
from xdsmesh.config.kinds.ingress_gateway import IngressGateway, IngressListener
from xdsmesh.config.kinds.terminating_gateway import TerminatingGateway
from xdsmesh.model.codes import Code

_EVERY_SERVICE: Final = "*"
_TCP: Final = "tcp"


def faults(entries: EntrySet, change: Change) -> Iterator[Fault]:
    """Names that two gateways share, and listeners of ingress gateways with the wrong protocol."""
    for gateway in entries.every(IngressGateway):
        yield from _shared_name(gateway, entries, change)
        for index, listener in enumerate(gateway.listeners):
            for service in listener.services:
                if service.name != _EVERY_SERVICE and (
                    change.writes(gateway) or change.touches(service.name)
                ):
                    yield from _protocol(gateway, index, service.name, entries, change)


def _shared_name(gateway: IngressGateway, entries: EntrySet, change: Change) -> Iterator[Fault]:
    other = entries.read(TerminatingGateway.KIND, gateway.name)
    if other is not None:
        written = gateway if change.writes(gateway) else other
        yield Fault(
            Code.GATEWAY_NAME,
            (written.KIND, written.name),
            ("gateway name", gateway.name),
            f'"{gateway.name}" is the name of an ingress-gateway and of a terminating-gateway',
            "a gateway is one of them: rename one",
        )


def _protocol(
    gateway: IngressGateway, index: int, service: str, entries: EntrySet, change: Change
) -> Iterator[Fault]:
    listener = gateway.listeners[index]
    protocol = entries.protocol(service)
    if listener.protocol == protocol:
        return
    # Whoever writes the gateway is told; whoever writes something else is not stopped by what still works.
    strict = entries is change.after and change.writes(gateway)
    if strict or not _works(listener, service, entries):
        yield Fault(
            Code.GATEWAY_PROTOCOL,
            (gateway.KIND, gateway.name),
            ("listener", gateway.name, listener.port, service),
            f'Listeners[{index}] of ingress-gateway "{gateway.name}" (port {listener.port}) has the protocol '
            f'{listener.protocol}, but the chain of its service "{service}" has {protocol}',
            "give both the same protocol",
        )


def _works(listener: IngressListener, service: str, entries: EntrySet) -> bool:
    """Connections can be passed on as they are where nothing depends on what is in them."""
    chain = entries.chain(service)
    plain = isinstance(chain, CompiledChain) and isinstance(chain.nodes[chain.start], ResolverNode)
    return listener.protocol == _TCP and plain
