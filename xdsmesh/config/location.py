"""Where a service is: its addresses for callers of several sorts, and its region and zone.

Shape: https://developer.hashicorp.com/consul/docs/reference/service#tagged_addresses.
"""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Port, Shape
from xdsmesh.model import catalog
from xdsmesh.model.address import ip_of
from xdsmesh.model.catalog import ServiceAddress
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

_FAMILIES: Final = {"ipv4": 4, "ipv6": 6}
_NETWORKS: Final = ("lan", "wan")


class TaggedAddress(Shape, frozen=True):
    """An address, and a port unless it is the service's own."""

    address: str = ""
    port: Port = 0

    def problems(self, path: str, tag: str) -> Iterator[Problem]:
        """What is wrong with it; ``wan`` may be a host name, ``lan`` and those of one family may not."""
        at = f"{path}.Address"
        network, _, family = tag.partition("_")
        yield from rules.required(at, self.address)
        if network not in _NETWORKS or family not in ("", *_FAMILIES):
            yield from rules.printable(at, self.address)
            return
        wrong = list(address_problems(at, self.address, or_name=tag == "wan"))
        yield from wrong
        ip = ip_of(self.address)
        if ip and family and not wrong and _family(ip) != family:
            what = f"{tag} is an address of IP{family[2:]}, which {self.address} is not"
            yield rules.problem(at, what, code=Code.ADDRESS)


class LocalityDefinition(Shape, frozen=True):
    """Where something runs; a zone is one of a region."""

    region: str = ""
    zone: str = ""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with it."""
        if self.zone and not self.region:
            what = "a Zone is one of a Region"
            yield rules.problem(f"{path}.Zone", what, "add Region", code=Code.NEEDS_ANOTHER)

    def locality(self) -> catalog.Locality | None:
        """The catalog's form of it, if it says anything."""
        return catalog.Locality(self.region, self.zone) if self.region else None


def address_problems(path: str, address: str, *, or_name: bool = False) -> Iterator[Problem]:
    """An IP address that others can reach, or none; a DNS name only where no Envoy is to dial it."""
    wrong = list(rules.host(path, address) if or_name else rules.address(path, address))
    yield from wrong
    ip = ip_of(address)
    if ip and not wrong and ip.is_unspecified:
        what = f"{paths.label(path)} {address} is none that others can reach"
        yield rules.problem(path, what, "leave it out to use the node's", code=Code.ADDRESS)


def with_tags_of_family(
    given: Mapping[str, ServiceAddress], address: str, port: int
) -> dict[str, ServiceAddress]:
    """An instance's tagged addresses, with those that follow from its address if it has one."""
    ip = ip_of(address)
    if ip is None:
        return dict(given)
    own = ServiceAddress(address, port)
    return {f"{network}_{_family(ip)}": own for network in _NETWORKS} | dict(given)


def _family(address: IPv4Address | IPv6Address) -> str:
    return next(name for name, number in _FAMILIES.items() if number == address.version)
