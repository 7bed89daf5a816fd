"""The addresses of a mesh in containers. They are fixed: definitions name them, and restarts keep them."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final

_DEFAULT: Final = IPv4Network("10.73.0.0/16")
_PREFIX: Final = 16


@dataclass(frozen=True, slots=True)
class Pair:
    """Those of a service: its network, with its application and its sidecar, and ``in_mesh`` the latter."""

    network: IPv4Network
    in_mesh: IPv4Address

    @property
    def sidecar(self) -> IPv4Address:
        """Where the application finds its sidecar."""
        return self.network[2]

    @property
    def application(self) -> IPv4Address:
        """Where the sidecar finds its application."""
        return self.network[3]


@dataclass(frozen=True, slots=True)
class Addresses:
    """All of them, in one /16."""

    subnet: IPv4Network = _DEFAULT

    @property
    def mesh(self) -> IPv4Network:
        """The network of the sidecars."""
        return IPv4Network((self.subnet[0], 24))

    @property
    def control_plane(self) -> IPv4Address:
        """Where the sidecars find it."""
        return self.subnet[2]

    @property
    def tokens(self) -> IPv4Address:
        """Where the tokens are made."""
        return self.subnet[3]

    def pair(self, at: int) -> Pair:
        """Those of the first service, 1, or a later one, up to 240."""
        return Pair(IPv4Network((self.subnet[256 * at], 29)), self.subnet[10 + at])


def read_subnet(text: str) -> tuple[Addresses, tuple[str, ...]]:
    """Read ``--subnet``: the addresses, or the default ones and what is wrong."""
    try:
        subnet = IPv4Network(text)
    except ValueError:
        subnet = None
    if subnet and subnet.prefixlen == _PREFIX and subnet.is_private and not subnet.is_loopback:
        return Addresses(subnet), ()
    what = f"--subnet {text}: this is no private ADDRESS/{_PREFIX}"
    return Addresses(), (f"{what}: write one that nothing on this machine has, as in 10.74.0.0/16",)
