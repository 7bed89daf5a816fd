"""Where probes go: a host and a port, and for gRPC the service that is asked about."""

import re
from collections.abc import Iterator
from ipaddress import IPv6Address
from typing import Final

from xdsmesh.config import paths, rules
from xdsmesh.config.wording import quoted
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

_HOST_AND_PORT: Final = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:\[\]]+)):(?P<port>[0-9]{1,5})")
_LAST_PORT: Final = 65535


def host_and_port(path: str, value: str) -> Iterator[Problem]:
    """A name or address and a port, as in ``localhost:80`` or ``[::1]:80``, or nothing."""
    if not value:
        return
    found = _HOST_AND_PORT.fullmatch(value)
    if not found or not 1 <= int(found["port"]) <= _LAST_PORT or not _is_host(found["v6"], found["host"]):
        what = f"{paths.label(path)} {quoted(value)} is not a host and a port"
        yield rules.problem(path, what, "write it as in localhost:80 or [::1]:80", code=Code.ADDRESS)


def grpc(path: str, value: str) -> Iterator[Problem]:
    """A host and a port, with the name of a service behind a slash if only that one is meant; or nothing."""
    place, _, service = value.partition("/")
    yield from rules.single_line(path, service)
    if value:
        yield from host_and_port(path, place or "/")


def _is_host(v6: str | None, host: str | None) -> bool:
    if v6 is None:
        return not list(rules.host_name("", host or ""))
    try:
        IPv6Address(v6)
    except ValueError:
        return False
    return True
