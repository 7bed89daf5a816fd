"""Just enough of an HTTP/1.1 client: a connection that is kept, with one request at a time under way.

A library's client costs more CPU than the server that is measured.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Self, cast

import httptools

HOST: Final = "127.0.0.1"
_AT_ONCE: Final = 100
"""Connections that are opened together; a listener has a short queue."""


class Connection(asyncio.Protocol):
    """What every caller is. ``answered`` is called at the end of each answer."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None

    def itself(self) -> Self:
        """The factory that asyncio asks for."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        status, self._parser = self._parser.get_status_code(), httptools.HttpResponseParser(self)
        self.answered(status)

    def send(self, request: bytes) -> None:
        """Send a whole request."""
        assert self._transport
        self._transport.write(request)

    def close(self) -> None:
        """Drop the connection."""
        if self._transport:
            self._transport.abort()

    def answered(self, status: int) -> None:
        """Take note of an answer."""


async def connect(connections: Sequence[Connection], port: int) -> None:
    """Open connections to a server."""
    loop = asyncio.get_running_loop()
    for start in range(0, len(connections), _AT_ONCE):
        some = connections[start : start + _AT_ONCE]
        await asyncio.gather(*(loop.create_connection(each.itself, HOST, port) for each in some))
