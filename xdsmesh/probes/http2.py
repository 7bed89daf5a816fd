"""One HTTP/2 connection, for as long as a probe takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, Event

from xdsmesh.model.checks import Probe
from xdsmesh.probes.target import host_port
from xdsmesh.probes.tls import tls_context

_CHUNK: Final = 65536
_CHUNKS: Final = 16
"""No answer to a probe is so long; h2 would gather 16 MiB of a frame before it looks at it."""

_HEAD: Final = 9
_SETTINGS: Final = 4


class Http2:
    """``state`` is h2's own connection; what it has to say is sent by ``flush`` and between events."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.state = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._reader = reader
        self._writer = writer

    async def flush(self) -> None:
        """Send what there is to send."""
        self._writer.write(self.state.data_to_send())
        await self._writer.drain()

    async def events(self) -> AsyncIterator[Event]:
        """What the server does.

        Raises:
            OSError: the connection is over.
            h2.exceptions.ProtocolError: this is not HTTP/2.
        """
        async for data in self._received():
            for event in self.state.receive_data(data):
                if isinstance(event, ConnectionTerminated):
                    raise ConnectionError(f"the server ended the HTTP/2 connection: {event.error_code!r}")
                yield event
            await self.flush()

    async def _received(self) -> AsyncIterator[bytes]:
        head = await self._reader.read(_HEAD)
        if head[3:4] not in (b"", bytes([_SETTINGS])):
            raise ConnectionError("the server does not speak HTTP/2")
        yield head
        for _ in range(_CHUNKS):
            data = await self._reader.read(_CHUNK)
            if not data:
                raise ConnectionError("the server closed the connection")
            yield data
        raise ConnectionError("the server sends too much")


@asynccontextmanager
async def http2(probe: Probe, target: str) -> AsyncIterator[Http2]:
    """Connect to ``host:port``, with TLS if the probe says so.

    Raises:
        OSError: there is no connection, or over TLS none with HTTP/2.
        ValueError: the target is no address.
    """
    host, port = host_port(target)
    reader, writer = await asyncio.open_connection(
        host,
        port,
        ssl=tls_context(skip_verify=probe.tls_skip_verify, http2=True) if probe.use_tls else None,
        server_hostname=(probe.tls_server_name or host) if probe.use_tls else None,
    )
    try:
        tls = writer.get_extra_info("ssl_object")
        if tls and tls.selected_alpn_protocol() != "h2":
            raise ConnectionError("the server does not offer HTTP/2 (ALPN h2)")
        connection = Http2(reader, writer)
        connection.state.initiate_connection()
        yield connection
    finally:
        writer.transport.abort()
