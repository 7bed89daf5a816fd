"""Where the mesh gateways of this datacenter find its control plane, to lead others there."""

import ipaddress
import socket
from contextlib import suppress
from typing import Final

from xdsmesh.model.catalog import ServiceAddress
from xdsmesh.settings import Address

_FAR_AWAY: Final = {4: "192.0.2.1", 6: "2001:db8::1"}
"""Addresses of documentation, behind the default route: https://www.rfc-editor.org/rfc/rfc5737."""
_DISCARD: Final = 9


def federation_address(listener: Address, advertised: str) -> ServiceAddress:
    """Where gateways on other machines should dial a listener.

    At the address that is ``advertised``, if any, or at the listener's. Where that is all of this machine's,
    at the one by which it reaches others.
    """
    ip = ipaddress.ip_address(listener.host)
    own = _own_address(ip.version) if ip.is_unspecified else listener.host
    return ServiceAddress(advertised or own, listener.port)


def _own_address(version: int) -> str:
    """The address of this machine on its default route, or of itself alone. Nothing is sent."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6  # noqa: PLR2004 - versions of IP
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((_FAR_AWAY[version], _DISCARD))
        address: str = probe.getsockname()[0]
        return address
    return "127.0.0.1" if version == 4 else "::1"  # noqa: PLR2004
