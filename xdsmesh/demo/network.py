"""The addresses of one demo: a /24 of its own inside 127.0.0.0/8, so that several demos can run at once."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from xdsmesh.demo.errors import DemoError

_ATTEMPTS: Final = 50
_CLAIM_HOST: Final = 254
_CLAIM_PORT: Final = 4242
_PREFERRED_PORTS: Final = (8500, 8502, 8080, 21000, 9191, 19000, 9192, 8443, 8300)


@dataclass(frozen=True, slots=True)
class Network:
    """A network, such as ``127.80.3``, and the ports that nothing else on this machine listens on."""

    prefix: str
    http_port: int
    xds_port: int
    app_port: int
    sidecar_port: int
    upstream_port: int
    admin_port: int
    tcp_upstream_port: int
    gateway_port: int
    federation_port: int

    def host(self, number: int) -> str:
        """The address with this last number."""
        return f"{self.prefix}.{number}"


@contextmanager
def claimed_network() -> Iterator[Network]:
    """Find a network that no other demo uses, and keep it from them until the context ends.

    Raises:
        DemoError: this machine lets us bind to no address of 127.0.0.0/8 but 127.0.0.1.
    """
    prefix, claim = _claim()
    with claim:
        address = f"{prefix}.{_CLAIM_HOST}"
        yield Network(prefix, *(open_port(address, port) for port in _PREFERRED_PORTS))


def _claim() -> tuple[str, socket.socket]:
    failure = None
    for _ in range(_ATTEMPTS):
        prefix = f"127.{random.randint(16, 250)}.{random.randint(0, 255)}"  # noqa: S311 - not a secret
        claim = socket.socket()
        try:
            claim.bind((f"{prefix}.{_CLAIM_HOST}", _CLAIM_PORT))
        except OSError as error:
            claim.close()
            failure = error
        else:
            return prefix, claim
    raise DemoError(
        f"no free network in 127.0.0.0/8: the last try was {prefix}.0/24 ({failure}). "
        "The demo needs an operating system that has all of 127.0.0.0/8 on its loopback, as Linux does."
    )


def open_port(address: str, preferred: int) -> int:
    """The port, or another one if something on this machine listens on it at every address."""
    with socket.socket() as probe:
        try:
            probe.bind((address, preferred))
        except OSError:
            probe.bind((address, 0))
        port: int = probe.getsockname()[1]
    return port
