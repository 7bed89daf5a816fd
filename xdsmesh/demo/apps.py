"""The demo's applications: ``python -m xdsmesh.demo.apps FILE`` answers for all instances of the mesh.

FILE is JSON: a list of :class:`~xdsmesh.demo.layout.App`. Each has an address of its own and says, whatever
it is asked, who it is, for which path it was asked, and who the sidecar says has called.
"""

import json
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import uvicorn

from xdsmesh.demo.layout import App

Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class _Answers:
    """An ASGI application: https://asgi.readthedocs.io/en/latest/specs/www.html."""

    def __init__(self, apps: Iterable[App]) -> None:
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


def main() -> None:
    """Serve until SIGTERM."""
    apps = [App(**app) for app in json.loads(Path(sys.argv[1]).read_text("utf-8"))]
    config = uvicorn.Config(
        _Answers(apps),
        log_level="warning",
        lifespan="off",
        # A sidecar keeps its connections to the application. If the application closed an idle one just
        # when the next request is sent on it, that request would fail.
        timeout_keep_alive=3600,
    )
    sockets = [socket.create_server((app.address, app.port), backlog=1024) for app in apps]
    uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main()
