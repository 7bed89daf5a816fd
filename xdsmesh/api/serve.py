"""uvicorn inside the caller's event loop, under the caller's signals."""

import asyncio
import contextlib
import socket
import ssl
from typing import Final

import uvicorn
from litestar.types import ASGIApp

from xdsmesh.model.errors import AddressInUseError

_KEEP_ALIVE: Final = 120
"""Seconds. Longer than clients keep an idle connection (Go's: 90), so that it is they who close it."""

_GRACE: Final = 2
"""Seconds that requests under way have to finish when the server stops."""


class HttpServer:
    """An ASGI application on a TCP port, from ``start`` to ``stop``; with ``tls`` it is HTTPS."""

    def __init__(self, app: ASGIApp, tls: ssl.SSLContext | None = None) -> None:
        self._config = uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            headers=[("X-Consul-Default-ACL-Policy", "allow")],  # there are no rules to deny by default
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
        )
        self._config.load()
        self._config.ssl = tls  # uvicorn would make one itself, from files
        self._server = uvicorn.Server(self._config)
        self._server.lifespan = self._config.lifespan_class(self._config)
        self._listeners: list[socket.socket] = []
        self._ticks: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the bound port; port 0 takes a free one.

        Raises:
            AddressInUseError: the address is taken, not this machine's, or not allowed.
        """
        self._listeners = [_bind(host, port, "--https-addr" if self._config.ssl else "--http-addr")]
        # `Server.serve` is these three, wrapped in signal handlers of its own.
        await self._server.startup(sockets=self._listeners)
        self._ticks = asyncio.create_task(self._server.main_loop(), name="http server ticks")
        return int(self._listeners[0].getsockname()[1])

    async def stop(self) -> None:
        """Accept nothing more, let requests under way finish, and close; after some seconds cut them off."""
        if self._ticks is None:
            return
        self._ticks.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._ticks
        self._ticks = None
        at_work = self._server.server_state
        if at_work.connections or at_work.tasks:
            await self._server.shutdown(sockets=self._listeners)
            return
        for server in self._server.servers:  # uvicorn would wait a while for nobody
            server.close()
            await server.wait_closed()


def _bind(host: str, port: int, flag: str) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Only sockets that say so are taken for TCP by asyncio, and then send without delay.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise _refused(host, port, flag, error) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
        listener.setblocking(False)  # noqa: FBT003 the socket API has it positional
    except OSError as error:
        listener.close()
        raise _refused(host, port, flag, error) from error
    return listener


def _refused(host: str, port: int, flag: str, error: OSError) -> AddressInUseError:
    return AddressInUseError(
        f"cannot serve HTTP on {host}:{port}: {error.strerror}"
        f" (is another server running there? {flag} takes another address, and port 0 a free port)"
    )
