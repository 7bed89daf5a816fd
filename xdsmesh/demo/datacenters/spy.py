"""Somebody on the line: passes on every byte of a TCP connection, and reads along."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass
from typing import Final, Self

from xdsmesh.demo.datacenters.client_hello import server_name

Address = tuple[str, int]

_CHUNK: Final = 64 * 1024
_LONGEST_HELLO: Final = 16 * 1024
_SECONDS: Final = 10


class Overheard:
    """What went one way: ``size`` in bytes, how it began, and which of some texts were in it."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.size = 0
        self.beginning = b""
        self.readable: set[bytes] = set()
        self._texts = texts
        self._overlap = max(map(len, texts), default=1) - 1
        self._end = b""

    def hear(self, chunk: bytes) -> None:
        """Take the next bytes: a text may begin in one chunk and end in a later one."""
        heard = self._end + chunk
        self.readable.update(text for text in self._texts if text in heard)
        self.size += len(chunk)
        self.beginning += chunk[: _LONGEST_HELLO - len(self.beginning)]
        self._end = heard[len(heard) - min(self._overlap, len(heard)) :]


@dataclass(frozen=True, slots=True)
class Line:
    """One connection: what the caller said, and what it was answered."""

    said: Overheard
    answered: Overheard


class Spy:
    """A context: it listens where it was told to, until it is left; ``texts`` are what it looks for."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self._texts = texts
        self._lines: list[Line] = []
        self._relays: set[asyncio.Task[None]] = set()
        self._servers = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        # The relays first: a server waits for its connections.
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)
        await self._servers.aclose()

    async def tap(self, address: Address, target: Address) -> int:
        """Listen at an address, and pass on what comes to the target, and its answers back; the port."""

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            relay = asyncio.create_task(self._relay(reader, writer, target))
            self._relays.add(relay)
            relay.add_done_callback(self._relays.discard)

        server = await asyncio.start_server(connected, *address)
        await self._servers.enter_async_context(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    @property
    def size(self) -> int:
        """How many bytes it has seen."""
        return sum(line.said.size + line.answered.size for line in self._lines)

    @property
    def readable(self) -> frozenset[bytes]:
        """Which of the texts it could read."""
        return frozenset().union(*(line.said.readable | line.answered.readable for line in self._lines))

    def server_names(self) -> Counter[str]:
        """The names that TLS clients asked for, by the number of connections; empty: no name, or no TLS."""
        spoken = (line.said.beginning for line in self._lines if line.said.size)
        return Counter(server_name(beginning) or "" for beginning in spoken)

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Address
    ) -> None:
        line = Line(Overheard(self._texts), Overheard(self._texts))
        self._lines.append(line)
        with closing(writer), suppress(OSError):  # nobody listens there: the caller sees an end
            async with asyncio.timeout(_SECONDS):
                far_reader, far_writer = await asyncio.open_connection(*target)
            with closing(far_writer):
                async with asyncio.TaskGroup() as both_ways:
                    both_ways.create_task(_pass_on(reader, far_writer, line.said))
                    both_ways.create_task(_pass_on(far_reader, writer, line.answered))


async def _pass_on(source: asyncio.StreamReader, to: asyncio.StreamWriter, overheard: Overheard) -> None:
    """Until the source ends; who is reset on one side is reset on the other."""
    try:
        while chunk := await source.read(_CHUNK):
            overheard.hear(chunk)
            to.write(chunk)
            await to.drain()
        to.write_eof()
    except OSError:
        to.transport.abort()
