"""Where something listens, as people write it: ``127.0.0.1:8502``, ``[::1]:8502``, ``mesh.example:8502``."""

from dataclasses import dataclass
from typing import Final, Self

from xdsmesh.model.address import host_port, ip_of

_MAX_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host, without the brackets of an IPv6 address, and a port from 0 to 65535."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``host:port``.

        Raises:
            ValueError: the text is not a host and a port; its message is a sentence for a person.
        """
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > _MAX_PORT:
            raise ValueError(f"{text!r} is not host:port, such as 127.0.0.1:8502")
        if ":" in host and not bracketed:
            raise ValueError(f"{text!r}: write an IPv6 address in brackets, such as [::1]:8502")
        return cls(host[1:-1] if bracketed else host, int(port))

    @property
    def is_ip(self) -> bool:
        """The host is an address, so nobody has to resolve it."""
        return ip_of(self.host) is not None

    def __str__(self) -> str:
        return host_port(self.host, self.port)
