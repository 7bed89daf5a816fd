"""Where a probe goes: ``127.0.0.1:8080``, ``[::1]:8080``, ``web.example.com:8080``, ``:8080``."""

from typing import Final

_MAX_PORT: Final = 65535


def host_port(target: str) -> tuple[str, int]:
    """The host and the port of a target; no host is this machine.

    Raises:
        ValueError: the text is no host and port; its message is for a person.
    """
    host, _, port = target.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not (port.isascii() and port.isdigit()) or not 0 < int(port[:6]) <= _MAX_PORT:
        raise ValueError(f"{target!r} is not host:port, such as 127.0.0.1:8080")
    if ":" in host and not bracketed:
        raise ValueError(f"{target!r}: write an IPv6 address in brackets, such as [::1]:8080")
    return (host[1:-1] if bracketed else host) or "localhost", int(port)
