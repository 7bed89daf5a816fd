"""Hosts and ports as texts."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address


@lru_cache(maxsize=65_536)  # asked again and again about the same instances
def ip_of(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that a text is, if it is one."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def is_loopback(text: str) -> bool:
    """Whether an IP address is one that only this machine itself reaches, also where IPv6 has IPv4 in it."""
    ip = ip_of(text)
    mapped = getattr(ip, "ipv4_mapped", None)
    return ip is not None and (mapped or ip).is_loopback


def host_port(host: str, port: int) -> str:
    """A host and a port as one text; an IPv6 address stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
