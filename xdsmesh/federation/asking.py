"""What another datacenter asks of this one over a link: requests of the HTTP API, which run in this process.

No request that comes over HTTP can pass for one of these: what marks them is the state of an ASGI scope,
which nothing that a client sends gets into.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import unquote

from xdsmesh.catalog.keys import GUARD
from xdsmesh.federation.peer import Peer
from xdsmesh.federation.v1.federation_pb2 import AskRequest, AskResponse, Header
from xdsmesh.store.base import Store

_Message = MutableMapping[str, Any]
App = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]
"""An ASGI application."""

ASKER: Final = "asking datacenter"
"""Where the state of a request has the name of the datacenter that it comes from."""

CLIENT: Final = "x-forwarded-for"
"""The header by which a datacenter tells for whom it asks: the address of its own client."""

ENTRIES: Final = "x-xdsmesh-entries"
"""The header of an answer to a write: the revision at which config entries changed last, by it or before."""

_NOT_THERE: Final = ("", 0)


class Answering:
    """Answers what other datacenters ask, by an application over a store."""

    def __init__(self, store: Store, app: App) -> None:
        self._store: Final = store
        self._app: Final = app

    async def __call__(self, peer: Peer, request: AskRequest) -> AskResponse:
        """Answer one request; what is wrong with it is told by the status, as over HTTP."""
        exchange = _Exchange(request.body)
        try:
            scope = _scope(peer.datacenter, request)
        except UnicodeEncodeError:
            return AskResponse(status=400, body=b"Invalid request: it has letters that HTTP does not have")
        await self._app(scope, exchange.receive, exchange.send)
        if request.method != "GET":
            guard = await self._store.get(GUARD)
            exchange.headers.append(Header(name=ENTRIES, value=str(guard.modified if guard else 0)))
        return AskResponse(status=exchange.status, headers=exchange.headers, body=bytes(exchange.body))


class _Exchange:
    """One request and its answer, as an ASGI application sees and makes them."""

    def __init__(self, body: bytes) -> None:
        self.status = 0
        self.headers: list[Header] = []
        self.body = bytearray()
        self._sent: bytes | None = body

    async def receive(self) -> _Message:
        if self._sent is None:
            # The asker goes by ending its call, which cancels all of this.
            await asyncio.Event().wait()
        body, self._sent = self._sent, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: _Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [
                Header(name=name.decode("latin-1"), value=value.decode("latin-1"))
                for name, value in message.get("headers", ())
            ]
        else:
            self.body += message.get("body", b"")


def _scope(datacenter: str, request: AskRequest) -> dict[str, Any]:
    path, _, query = request.target.partition("?")
    headers = [(each.name.lower(), each.value) for each in request.headers]
    client = next((value for name, value in headers if name == CLIENT), "")
    length = ("content-length", str(len(request.body)))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "2",
        "method": request.method,
        "scheme": "https",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*headers, length)],
        "client": (client, 0),
        "server": _NOT_THERE,
        "state": {ASKER: datacenter},
    }
