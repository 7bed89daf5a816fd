"""Where an Envoy finds its control plane, and how it knows it: what the server says, unless a flag does."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import typer

from xdsmesh.cli.errors import CommandError
from xdsmesh.model.address import is_loopback

if TYPE_CHECKING:
    from xdsmesh.bootstrap import HostPort, ServerTrust
    from xdsmesh.cli.answers import AgentSelf
    from xdsmesh.cli.client import Client

_SCHEMES: Final = {"https": True, "http": False}


def parse_address(flag: str, text: str) -> "HostPort":
    """The ``host:port`` of a flag."""
    from xdsmesh.bootstrap import HostPort

    try:
        return HostPort.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"{flag}: {error}") from error


def parse_xds(text: str) -> "tuple[HostPort, bool | None]":
    """The address of ``--xds-addr``, and whether it is said to speak TLS, as in ``https://host:port``."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return parse_address("--xds-addr", text), None
    if scheme not in _SCHEMES:
        raise typer.BadParameter(f"--xds-addr: write {rest}, or https://{rest} for TLS, and not {scheme}://")
    return parse_address("--xds-addr", rest.rstrip("/")), _SCHEMES[scheme]


def find_control_plane(
    client: "Client", wanted: "tuple[HostPort, bool | None] | None", ca_cert: Path | None
) -> "tuple[HostPort, ServerTrust | None]":
    """The address of the server's xDS, and whom to trust there if it speaks TLS, which is preferred.

    Raises:
        CommandError: the server has no xDS, or its roots can't be had in a way that is to be believed.
    """
    from xdsmesh.bootstrap import HostPort

    about = client.agent_self()
    ports = about.xds.ports
    if wanted:
        address, says_tls = wanted
        is_tls = address.port == ports.tls if says_tls is None else says_tls
    else:
        is_tls = ports.tls > 0
        address = HostPort(client.host, ports.tls if is_tls else ports.plaintext)
    if address.port <= 0:
        what = "the server has no xDS port"
        raise CommandError(f"{what} (start it with --xds-addr or --xds-tls-addr, or give --xds-addr here)")
    return address, _trust(client, about, ca_cert) if is_tls else None


def transport_socket(trust: "ServerTrust", *, in_memory: bool) -> dict[str, Any]:
    """How Envoy speaks TLS to the control plane.

    ``in_memory``: this process becomes Envoy, which then can read a file of roots again when it is replaced.
    """
    from xdsmesh.bootstrap import hold_in_memory

    is_followed = in_memory and isinstance(trust.roots, Path)
    return trust.transport_socket(hold_in_memory("roots.json", trust.secret()) if is_followed else "")


def _trust(client: "Client", about: "AgentSelf", ca_cert: Path | None) -> "ServerTrust":
    from xdsmesh.bootstrap import ServerTrust

    url = urlsplit(client.address)
    if ca_cert is None and url.scheme != "https" and not _is_here(url.hostname or ""):
        raise CommandError(
            f"the roots of the mesh would come from {client.address} in the clear, for anybody to replace"
            " (give --ca-cert FILE; `xdsmesh ca roots --format pem` on that machine prints what is in it)"
        )
    return ServerTrust.of(about.config.datacenter, ca_cert or client.roots())


def _is_here(host: str) -> bool:
    return host == "localhost" or is_loopback(host)
