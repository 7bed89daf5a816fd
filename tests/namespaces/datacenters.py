"""Two datacenters with equal private addresses, joined only by what their gateways have outside.

dc1  10.0.1.0/24                                                        10.0.1.0/24  dc2
control-plane .2 ┐                                                    ┌ .2 control-plane
web .10, api .11 ┼ gateway-1 .5 ─ 192.0.2.1 ┐        ┌ 192.0.2.11 ─ .5 ┼ .10 web, .11 api
db .12           ┘ gateway-2 .6 ─ 192.0.2.2 ┴ cable ─┴ 192.0.2.12 ─ .6 └ .12 db
"""

from __future__ import annotations

import itertools
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final, Self

from tests.namespaces.hosts import Host
from tests.namespaces.namespaces import PREFIX, Namespace, bridge, delete, delete_leftovers, ip
from xdsmesh.demo.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LAN: Final = {
    "control-plane": "10.0.1.2",
    "gateway-1": "10.0.1.5",
    "gateway-2": "10.0.1.6",
    "web": "10.0.1.10",
    "api": "10.0.1.11",
    "db": "10.0.1.12",
}
"""The address of each host on the LAN, in either datacenter."""
OUTER: Final = {
    "dc1": {"gateway-1": "192.0.2.1", "gateway-2": "192.0.2.2"},
    "dc2": {"gateway-1": "192.0.2.11", "gateway-2": "192.0.2.12"},
}
"""The addresses between the datacenters. RFC 5737 keeps 192.0.2.0/24 for such uses."""

_SERIAL: Final = itertools.count(1)
_CABLE: Final = "dc1-cable"
_DROPS, _FORWARDS = 0, 3
"""States of a bridge's port; see bridge(8). The hosts see a link that is up in both."""


@dataclass(frozen=True, slots=True)
class Datacenter:
    """The hosts of one side."""

    name: str
    hosts: Mapping[str, Host]

    def host(self, name: str) -> Host:
        """The host of this name: one of ``LAN``."""
        return self.hosts[name]


class Datacenters:
    """A context: ``dc1`` and ``dc2``. Nothing is left of them when it ends: no process, no namespace."""

    dc1: Datacenter
    dc2: Datacenter

    def __init__(self, logs: Path) -> None:
        self._prefix = f"{PREFIX}-{os.getpid()}-{next(_SERIAL)}-"
        self._switch = f"{self._prefix}switch"
        self._processes = Processes(logs)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        delete_leftovers()
        async with AsyncExitStack() as stack:
            stack.callback(delete, self._prefix)
            self._make_switch(stack)
            self.dc1, self.dc2 = (self._make_datacenter(name, stack) for name in OUTER)
            await stack.enter_async_context(self._processes)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def cut(self) -> None:
        """From now on all packets between the datacenters are lost; nobody is told."""
        self._set(_DROPS, _CABLE)

    def cut_gateway(self, gateway: Host) -> None:
        """From now on all packets that a gateway sends or should get outside are lost; nobody is told."""
        self._set(_DROPS, _port(gateway.outer))

    def heal(self) -> None:
        """Undo all cuts."""
        self._set(_FORWARDS, _CABLE, *(_port(outer) for side in OUTER.values() for outer in side.values()))

    def unplug(self, host: Host) -> None:
        """Pull the cable of a host's LAN: its interface stays, without a carrier."""
        ip(f"link set {_lan_port(host)} down", namespace=self._switch)

    def plug_in(self, host: Host) -> None:
        """Undo ``unplug``."""
        ip(f"link set {_lan_port(host)} up", namespace=self._switch)

    def detach(self, host: Host) -> None:
        """Take a host's interface to the LAN away, as ``docker network disconnect`` does."""
        ip(f"link delete {_lan_port(host)}", namespace=self._switch)

    def attach(self, host: Host) -> None:
        """Undo ``detach``: an interface with the same addresses."""
        self._plug_in(host.namespace, "lan", host.address, f"{_side(host)}-lan", _lan_port(host))

    def _set(self, state: int, *ports: str) -> None:
        bridge(*(f"link set dev {port} state {state}" for port in ports), namespace=self._switch)

    def _make_switch(self, stack: AsyncExitStack) -> None:
        """One namespace with a bridge for each LAN, and one for each side of the outer network."""
        stack.callback(Namespace(self._switch).close)
        bridges = [f"{name}-{network}" for name in OUTER for network in ("lan", "outer")]
        ip(
            *(f"link add name {each} up type bridge mcast_snooping 0" for each in bridges),
            f"link add name {_CABLE} type veth peer name dc2-cable",
            *(f"link set {name}-cable master {name}-outer up" for name in OUTER),
            namespace=self._switch,
        )

    def _make_datacenter(self, name: str, stack: AsyncExitStack) -> Datacenter:
        return Datacenter(name, {host: self._make_host(name, host, stack) for host in LAN})

    def _make_host(self, datacenter: str, name: str, stack: AsyncExitStack) -> Host:
        namespace = Namespace(f"{self._prefix}{datacenter}-{name}")
        stack.callback(namespace.close)
        address, outer = LAN[name], OUTER[datacenter].get(name, "")
        self._plug_in(namespace, "lan", address, f"{datacenter}-lan", f"{datacenter}-{address}")
        if outer:
            self._plug_in(namespace, "outer", outer, f"{datacenter}-outer", _port(outer))
            # Who gets no answer to ARP says "no route to host" after a while: a cut would not be silent.
            others = [each for side in OUTER.values() for each in side.values() if each != outer]
            known = (f"neighbour add {each} lladdr {_mac(each)} dev outer nud permanent" for each in others)
            ip(*known, namespace=namespace.name)
        host = Host(f"{datacenter}-{name}", namespace, self._processes, address, outer)
        stack.push_async_callback(host.aclose)
        return host

    def _plug_in(self, namespace: Namespace, interface: str, address: str, network: str, port: str) -> None:
        peer = f"name {interface} address {_mac(address)} netns {namespace.name}"
        ip(
            f"link add name {port} type veth peer {peer}",
            f"link set {port} master {network} up",
            namespace=self._switch,
        )
        ip(f"address add {address}/24 dev {interface}", f"link set {interface} up", namespace=namespace.name)


def _port(outer: str) -> str:
    """The switch's end of a gateway's outer link."""
    return f"out-{outer}"


def _side(host: Host) -> str:
    """The datacenter of a host."""
    return host.name.partition("-")[0]


def _lan_port(host: Host) -> str:
    """The switch's end of a host's link to its LAN."""
    return f"{_side(host)}-{host.address}"


def _mac(address: str) -> str:
    """A locally administered address that tells the IP address."""
    return "02:00:" + IPv4Address(address).packed.hex(":")
