"""Gateways for ``xdsmesh envoy``: which one is meant, and how one is registered that is not there yet."""

import json
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import typer

from xdsmesh.cli.control_plane import parse_address
from xdsmesh.cli.errors import CommandError
from xdsmesh.cli.options import pairs

if TYPE_CHECKING:
    from xdsmesh.bootstrap import HostPort
    from xdsmesh.cli.answers import AgentService

SERVED: Final[Mapping[str, str]] = {"mesh": "mesh-gateway"}
"""The kinds of gateways that have an Envoy, by the words for them."""

_LATER: Final = ("api", "ingress", "terminating")
_DEREGISTER: Final = "xdsmesh services deregister"
_EVERY: Final = "10s"
_GONE_AFTER: Final = "6h"
_NO_DEFAULT: Final = "envoy_gateway_no_default_bind"


class Registration(NamedTuple):
    """What the command says about the gateway to register."""

    kind: str
    service: str
    proxy_id: str
    address: str
    wan_address: str
    bind_addresses: list[str]

    def body(self) -> bytes:
        """The gateway as the API takes it.

        Raises:
            typer.BadParameter: something is missing, or no address.
        """
        if not self.address:
            raise typer.BadParameter("--register: give --address, where this datacenter reaches the gateway")
        lan = parse_address("--address", self.address)
        wan = parse_address("--wan-address", self.wan_address) if self.wan_address else lan
        if not lan.is_ip:
            raise typer.BadParameter(f"--address: {lan.host!r} is not an IP address, such as 10.0.1.9")
        name = self.service or self.kind
        return json.dumps(
            {
                "Kind": self.kind,
                "Name": name,
                "ID": self.own_id,
                "Address": lan.host,
                "Port": lan.port,
                "TaggedAddresses": {"lan": _tagged(lan), "wan": _tagged(wan)},
                "Proxy": {"Config": self._binds(lan, wan)},
                "Check": {
                    "Name": f"{self.kind} listening",
                    "TCP": str(lan),
                    "Interval": _EVERY,
                    "DeregisterCriticalServiceAfter": _GONE_AFTER,
                },
            }
        ).encode()

    @property
    def own_id(self) -> str:
        """The id under which it is registered."""
        return self.proxy_id or self.service or self.kind

    def _binds(self, lan: "HostPort", wan: "HostPort") -> dict[str, Any]:
        """Where it listens: as it was told; else at both addresses, if this machine has the outer one too."""
        if self.bind_addresses:
            given = pairs(self.bind_addresses, "--bind-address", "lan=10.0.1.9:8443") or {}
            places = {name: parse_address("--bind-address", text) for name, text in given.items()}
            binds = {name: {"address": place.host, "port": place.port} for name, place in places.items()}
            return {_NO_DEFAULT: True, "envoy_gateway_bind_addresses": binds}
        if wan != lan and wan.is_ip and _is_ours(wan.host):
            return {_NO_DEFAULT: True, "envoy_gateway_bind_tagged_addresses": True}
        return {}


def kind_of(word: str) -> str:
    """The kind of gateway that a word means.

    Raises:
        typer.BadParameter: there is none, or it has no Envoy yet.
    """
    if word in SERVED:
        return SERVED[word]
    if word in _LATER:
        raise typer.BadParameter(f"--gateway: {word} gateways are not served yet; {', '.join(SERVED)} is")
    raise typer.BadParameter(f"--gateway: {word!r} is not a kind of gateway; {', '.join(SERVED)} is")


def check_id(services: "dict[str, AgentService]", gateway: Registration) -> None:
    """See that a gateway does not take the place of another one.

    Raises:
        CommandError: there is one with its id at another address.
    """
    from xdsmesh.bootstrap import HostPort

    found = services.get(gateway.own_id)
    if found is None:
        return
    wanted = parse_address("--address", gateway.address)
    if found.kind != gateway.kind:
        what = (
            f"the id {found.id!r} is that of a {found.kind or 'service'} (choose another one: --proxy-id ID)"
        )
        raise CommandError(what)
    registered = HostPort(found.address, found.port)
    if registered != wanted:
        remedy = f"one more needs an id of its own: --proxy-id ID; to move this one: {_DEREGISTER} {found.id}"
        raise CommandError(
            f"a {found.kind} with the id {found.id!r} is registered at {registered} already ({remedy})"
        )


def find_gateway(services: "dict[str, AgentService]", kind: str, service: str = "") -> "AgentService":
    """The one registered gateway of a kind, or of those with a service's name.

    Raises:
        CommandError: there is none, or more than one.
    """
    gateways = [each for each in services.values() if each.kind == kind and service in ("", each.service)]
    if len(gateways) == 1:
        return gateways[0]
    named = f"{kind} named {service}" if service else kind
    if gateways:
        ids = ", ".join(sorted(each.id for each in gateways))
        raise CommandError(f"several are registered as {named}: {ids} (say which one with --proxy-id)")
    raise CommandError(
        f"no {named} is registered (add --register --address IP:PORT to do that with the same command)"
    )


def _tagged(address: "HostPort") -> dict[str, Any]:
    return {"Address": address.host, "Port": address.port}


def _is_ours(host: str) -> bool:
    """Whether this machine has an IP address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True
