"""The demo's applications: ``python -m xdsmesh.demo.apps FILE`` answers for all instances of the mesh.

FILE is JSON: a list of :class:`~xdsmesh.demo.layout.App`. Each has an address of its own. Over HTTP it says,
whatever it is asked, who it is, for which path it was asked, and who the sidecar says has called. Over TCP it
greets whoever connects, as a database does.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import uvicorn

from xdsmesh.demo.layout import App

Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class _Answers:
    """An ASGI application: https://asgi.readthedocs.io/en/latest/specs/www.html."""

    def __init__(self, apps: Sequence[App]) -> None:
        self._by_address = {app.address: app for app in apps}

    async def __call__(self, scope: Mapping[str, Any], _receive: object, send: Send) -> None:
        app = self._by_address[scope["server"][0]]
        headers = dict(scope["headers"])
        body = json.dumps(
            {
                "service": app.service,
                "version": app.version,
                "instance": app.instance,
                "path": scope["path"],
                "client_cert": headers.get(b"x-forwarded-client-cert", b"").decode("latin-1"),
            }
        ).encode()
        kind = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": kind})
        await send({"type": "http.response.body", "body": body})


def _greeter(app: App) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{app.service} is ready\n".encode())
        await reader.read()  # until the caller has had enough
        writer.close()

    return greet


def main() -> None:
    """Serve until SIGTERM."""
    asyncio.run(_serve([App(**app) for app in json.loads(Path(sys.argv[1]).read_text("utf-8"))]))


async def _serve(apps: Sequence[App]) -> None:
    by_http = [app for app in apps if app.protocol == "http"]
    config = uvicorn.Config(
        _Answers(by_http),
        log_level="warning",
        lifespan="off",
        # A sidecar keeps its connections to the application. If the application closed an idle one just
        # when the next request is sent on it, that request would fail.
        timeout_keep_alive=3600,
    )
    sockets = [socket.create_server((app.address, app.port), backlog=1024) for app in by_http]
    async with AsyncExitStack() as stack:
        for app in apps:
            if app.protocol == "tcp":
                server = await asyncio.start_server(_greeter(app), app.address, app.port)
                await stack.enter_async_context(server)
        await uvicorn.Server(config).serve(sockets)


if __name__ == "__main__":
    main()
