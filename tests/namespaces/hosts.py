"""A host of a datacenter: a network namespace, its addresses, and the processes that run on it."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.namespaces.capture import Capture
from tests.namespaces.transport import InsideTransport

if TYPE_CHECKING:
    import ssl

    from tests.namespaces.namespaces import Namespace
    from xdsmesh.demo.processes import Child, Processes

SECONDS: Final = 10
"""How long one request or one attempt to connect may take."""


class Host:
    """Has ``address`` on its datacenter's LAN; a gateway has ``outer`` between the datacenters, others "".

    Its interfaces are ``lan``, ``outer`` and ``lo``. Its name is like ``dc1-gateway-1``.
    """

    def __init__(
        self, name: str, namespace: Namespace, processes: Processes, address: str, outer: str
    ) -> None:
        self.name = name
        self.address = address
        self.outer = outer
        self.namespace = namespace
        self._processes = processes
        self._http = self.http()

    async def run(self, name: str, *command: str) -> Child:
        """Start a process here; its ``log`` is a file of its output. It ends with the datacenters at last.

        Under a name that was used before, the log begins anew.
        """
        inside = ("ip", "netns", "exec", self.namespace.name, *command)
        return await self._processes.start(f"{self.name}-{name}", *inside)

    async def kill(self, child: Child) -> None:
        """End a process without a warning, as a crash would."""
        await self._processes.kill(child)

    def http(self, base_url: str = "") -> httpx.AsyncClient:
        """A client whose requests are sent from here; each response is read whole. The caller closes it."""
        transport = InsideTransport(self.namespace)
        return httpx.AsyncClient(transport=transport, base_url=base_url, timeout=SECONDS)

    async def request(self, url: str, method: str = "GET", **more: Any) -> httpx.Response:
        """Send one request from here.

        Raises:
            httpx.TransportError: no response.
        """
        return await self._http.request(method, url, **more)

    async def connect(
        self,
        address: str,
        port: int,
        tls: ssl.SSLContext | None = None,
        sni: str = "",
        seconds: float = SECONDS,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a TCP connection from here, and TLS on it if ``tls`` is given; an empty ``sni`` is not sent.

        Raises:
            TimeoutError: nothing came back within these seconds: what was sent has been dropped.
            OSError: refused, or there is no route.
        """
        sock = self._socket()
        try:
            async with asyncio.timeout(seconds):
                await asyncio.get_running_loop().sock_connect(sock, (address, port))
                return await asyncio.open_connection(sock=sock, ssl=tls, server_hostname=sni if tls else None)
        except BaseException:
            sock.close()
            raise

    def listen(self, port: int) -> socket.socket:
        """A socket for a server in the test's own process that is reached at all addresses of this host."""
        sock = self._socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("0.0.0.0", port))
        sock.listen()
        return sock

    def capture(self) -> Capture:
        """A context: all packets that this host sends and receives while it lives."""
        return Capture(self.namespace)

    async def aclose(self) -> None:
        """Leave no connection behind; who made the namespace and the processes ends them."""
        await self._http.aclose()

    def _socket(self) -> socket.socket:
        sock = self.namespace.submit(socket.socket, socket.AF_INET, socket.SOCK_STREAM).result()
        sock.settimeout(0)
        return sock
