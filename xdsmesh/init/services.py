"""The services that a person names for `xdsmesh init`, and who calls whom."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service that another one calls, and the port at which its own sidecar listens for that."""

    service: str
    port: int


@dataclass(frozen=True, slots=True)
class Service:
    """A service, with the port of its application, and in containers its image and published port.

    ``protocol`` is empty for what all services speak. Without ``image`` an application of ours stands in its
    place. ``published`` is 0 if nobody outside of the mesh reaches the application.
    """

    name: str
    port: int
    upstreams: tuple[Upstream, ...] = ()
    protocol: str = ""
    image: str = ""
    published: int = 0

    @property
    def id(self) -> str:
        """The id of its only instance."""
        return f"{self.name}-1"


def callers(services: Sequence[Service], name: str) -> Iterator[str]:
    """The names of those that call a service."""
    return (each.name for each in services if any(upstream.service == name for upstream in each.upstreams))


def clashes(listeners: Sequence[tuple[str, int, str]]) -> Iterator[str]:
    """The ports that two want at one address: ``listeners`` are the address, the port, and who wants it.

    The first one has it: it is the other one whose port a person can choose.
    """
    holders: dict[tuple[str, int], str] = {}
    for address, port, who in listeners:
        holder = holders.setdefault((address, port), who)
        if port and holder != who:
            yield f"port {port} of {address}: {holder} has it, and {who} wants it: give {who} another one"
