"""A TCP server on a host, in the test's own process, and who asks it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from tests.namespaces.hosts import SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.namespaces.hosts import Host

PORT: Final = 8000


class Echo(asyncio.Protocol):
    """Greets who connects, and says all again that it is told."""

    def __init__(self, greeting: bytes, transports: list[asyncio.Transport]) -> None:
        self._greeting = greeting
        self._made = transports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._made.append(transport)
        transport.write(self._greeting)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


@asynccontextmanager
async def echo(host: Host, greeting: bytes) -> AsyncIterator[None]:
    transports: list[asyncio.Transport] = []
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: Echo(greeting, transports), sock=host.listen(PORT)):
        yield
        for transport in transports:
            transport.abort()


async def told(host: Host, address: str) -> bytes:
    """How a host is greeted there."""
    reader, writer = await host.connect(address, PORT)
    async with asyncio.timeout(SECONDS):
        greeting = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return greeting
