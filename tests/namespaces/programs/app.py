"""The applications of a host: ``python app.py JSON``, a list of ``[name, protocol, port]``, on its loopback.

Each says who it is, and a marker, to whoever calls it: over HTTP/1.1, HTTP/2 without TLS, gRPC, or
in a line over TCP.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Final

import grpc
import grpc.aio
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

ANSWER: Final = b"what the application answers"
"""A marker: nobody else says it."""
METHOD: Final = "/mesh.Application/Call"


def answer(name: str) -> bytes:
    return b"%s: %s" % (name.encode(), ANSWER)


async def main(apps: list[tuple[str, str, int]]) -> None:
    for name, protocol, port in apps:
        await _SERVE[protocol](name, port)
    await asyncio.Event().wait()


async def _serve_tcp(name: str, port: int) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readline():
            writer.write(answer(name) + b"\n")
        writer.close()

    await asyncio.start_server(connected, "127.0.0.1", port)


async def _serve_http(name: str, port: int) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(line for line in head.lower().split(b"\r\n") if b"content-length" in line)
                await reader.readexactly(int(length.partition(b":")[2]))
                body = answer(name)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    await asyncio.start_server(connected, "127.0.0.1", port)


async def _serve_http2(name: str, port: int) -> None:
    await asyncio.get_running_loop().create_server(lambda: _Http2(answer(name)), "127.0.0.1", port)


async def _serve_grpc(name: str, port: int) -> None:
    async def call(_request: bytes, _context: object) -> bytes:
        return answer(name)

    server = grpc.aio.server()
    _, service, method = METHOD.split("/")
    handler = grpc.unary_unary_rpc_method_handler(call)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    _SERVERS.append(server)


_SERVERS: Final[list[grpc.aio.Server]] = []
"""One that nobody refers to stops."""


class _Http2(asyncio.Protocol):
    """Gives every request one answer."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._h2 = H2Connection(H2Configuration(client_side=False))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._h2.initiate_connection()
        transport.write(self._h2.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            if isinstance(event, DataReceived):
                self._h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
            elif isinstance(event, RequestReceived):
                self._h2.send_headers(event.stream_id or 0, [(":status", "200")])
            elif isinstance(event, StreamEnded):
                self._h2.send_data(event.stream_id or 0, self._body, end_stream=True)
        self._transport.write(self._h2.data_to_send())


_SERVE: Final = {"http": _serve_http, "http2": _serve_http2, "grpc": _serve_grpc, "tcp": _serve_tcp}

if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
