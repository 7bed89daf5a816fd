"""The applications of the mesh: ``python echo.py ADDRESS:PORT=NAME...`` tell who answers, and what arrived.

A request says how it wants to be treated: ``x-sleep: 2`` is answered after two seconds, ``x-fail: 2 503``
fails at the first two attempts. All attempts at one request share its ``x-key``.
"""

import asyncio
import json
import socket
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import uvicorn

Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Echo:
    """An ASGI application: https://asgi.readthedocs.io/en/latest/specs/www.html."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._attempts: Counter[str] = Counter()

    async def __call__(self, scope: Mapping[str, Any], _receive: object, send: Send) -> None:
        headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        wishes = dict(headers)
        await asyncio.sleep(float(wishes.get("x-sleep", "0")))
        key = wishes.get("x-key", "")
        self._attempts[key] += 1
        failures, _, status = wishes.get("x-fail", "0 200").partition(" ")
        query = scope["query_string"].decode()
        told = {
            "name": self._names[scope["server"][0]],
            "method": scope["method"],
            "path": scope["raw_path"].decode() + (f"?{query}" if query else ""),
            "headers": headers,
            "attempts": self._attempts[key],
        }
        answer = {
            "type": "http.response.start",
            "status": int(status) if self._attempts[key] <= int(failures) else 200,
            "headers": [(b"x-from-app", b"1"), (b"x-secret", b"1")],
        }
        await send(answer)
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})


def main() -> None:
    """Serve until SIGTERM."""
    names, sockets = {}, []
    for argument in sys.argv[1:]:
        place, _, name = argument.partition("=")
        host, _, port = place.rpartition(":")
        names[host] = name
        sockets.append(socket.create_server((host, int(port)), backlog=1024))
    # A sidecar keeps its connections: the application must not be the one who closes them.
    config = uvicorn.Config(Echo(names), log_level="warning", lifespan="off", timeout_keep_alive=3600)
    uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main()
