"""Servers on the loopback for probes to find."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest

from xdsmesh.probes.tls import tls_context

NAME = "shop.example.com"
"""The name in the servers' certificate, which this machine trusts while a test runs."""

Answer = Callable[[bytes], bytes]
"""The bytes of a whole answer to the head of a request."""

Health = Callable[[bytes], bytes]
"""The message that answers a health check's message."""


class Servers:
    """Starts servers, and stops them after the test."""

    def __init__(self, cert: Path, key: Path) -> None:
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.tls.load_cert_chain(cert, key)
        self._pair = (key.read_bytes(), cert.read_bytes())
        self._plain: list[asyncio.Server] = []
        self._grpc: list[grpc.aio.Server] = []

    async def tcp(self, *, tls: bool = False, port: int = 0) -> int:
        """A server that says nothing; its port."""
        return await self.http(lambda _: b"", tls=tls, port=port)

    async def http(self, answer: Answer, *, tls: bool = False, port: int = 0) -> int:
        """A server that answers the head of each request, and closes; without an answer it only listens."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(asyncio.IncompleteReadError, OSError), closing(writer):
                writer.write(answer(await reader.readuntil(b"\r\n\r\n")))
                await writer.drain()

        return await self._start(serve, tls=tls, port=port)

    async def mail(self) -> int:
        """A server that speaks first, and no HTTP."""

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError), closing(writer):
                writer.write(b"220 mail.example.com ESMTP\r\n")
                await reader.read()

        return await self._start(greet)

    async def _start(self, serve: Callable[..., Any], *, tls: bool = False, port: int = 0) -> int:
        server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=self.tls if tls else None)
        self._plain.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def grpc(self, health: Health, *, tls: bool = False) -> int:
        """A gRPC server with a health service."""

        async def check(request: bytes, _: grpc.aio.ServicerContext) -> bytes:
            return health(request)

        handlers = {"Check": grpc.unary_unary_rpc_method_handler(check)}
        server = grpc.aio.server()
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("grpc.health.v1.Health", handlers),)
        )
        credentials = grpc.ssl_server_credentials([self._pair])
        port = (
            server.add_secure_port("127.0.0.1:0", credentials)
            if tls
            else server.add_insecure_port("127.0.0.1:0")
        )
        await server.start()
        self._grpc.append(server)
        return int(port)

    async def close(self) -> None:
        """Stop them all."""
        for plain in self._plain:
            plain.close()
            await plain.wait_closed()
        for server in self._grpc:
            await server.stop(None)


@pytest.fixture
async def servers(
    pair: Callable[..., tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Servers]:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    for path, pem in zip((cert, key), pair(dns_names=[NAME]), strict=True):
        path.write_text(pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    tls_context.cache_clear()
    servers = Servers(cert, key)
    yield servers
    await servers.close()
    tls_context.cache_clear()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses: it is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
