"""Which protocol a service speaks, and who says so."""

from dataclasses import dataclass
from typing import Final

from xdsmesh.chain.read import read_as, read_proxy_defaults
from xdsmesh.chain.types import ReadEntry
from xdsmesh.config.kinds.service_defaults import ServiceDefaults

_TCP: Final = "tcp"


@dataclass(frozen=True, slots=True)
class ServiceProtocol:
    """The protocol of a service, in lower case, and which entry says so."""

    service: str
    protocol: str
    reason: str
    has_service_defaults: bool = False

    def __str__(self) -> str:
        return f"{self.protocol} ({self.reason})"


def protocol_of(service: str, read: ReadEntry) -> ServiceProtocol:
    """The protocol that config entries give a service.

    A service-defaults entry decides alone: without a protocol it means tcp. Only where there is none,
    proxy-defaults are asked.
    """
    if defaults := read_as(read, ServiceDefaults, service):
        said = defaults.protocol.lower()
        verb = "says so" if said else "sets no protocol"
        reason = f'service-defaults "{service}" {verb}'
        return ServiceProtocol(service, said or _TCP, reason, has_service_defaults=True)
    said = read_proxy_defaults(read).config.protocol.lower()
    reason = "proxy-defaults say so" if said else "no service-defaults or proxy-defaults set one"
    return ServiceProtocol(service, said or _TCP, reason)
