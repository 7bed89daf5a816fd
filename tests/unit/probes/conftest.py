"""Servers on the loopback for probes to find, and a prober that looks for them."""

import asyncio
import random
import socket
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from xdsmesh.model.checks import Check, CheckStatus, CheckType, Health, Probe
from xdsmesh.model.duration import Duration
from xdsmesh.model.facts import Batch, Fact
from xdsmesh.probes.prober import Limits, Prober
from xdsmesh.probes.routes import Address, obstacle
from xdsmesh.probes.tls import tls_context

NODE = "n1"
PATIENCE = 20
HOUR = Duration.of(seconds=3600)
NAME = "shop.example.com"
"""The name in the servers' certificate, which this machine trusts while a test runs."""

Answer = Callable[[bytes], bytes]
"""The bytes of a whole answer to the head of a request."""

HealthService = Callable[[bytes], bytes]
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

    async def grpc(self, health: HealthService, *, tls: bool = False) -> int:
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


class World:
    """A prober, and a store of checks for it: what it reports comes back as a fact."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        pick: Callable[[float, float], float] = random.uniform,
        obstacle: Callable[[Address], str] = obstacle,
        **limits: Any,
    ) -> None:
        self.prober = Prober(NODE, self.report, clock, pick, Limits(**limits), obstacle=obstacle)
        self.checks: dict[str, Check] = {}
        self.reports: list[tuple[str, CheckStatus]] = []
        self.trouble: set[str] = set()
        self.refused: Counter[str] = Counter()
        self._running = asyncio.create_task(self.prober.run())

    async def report(self, check_id: str, status: CheckStatus) -> None:
        if check_id in self.trouble:
            self.refused[check_id] += 1
            raise OSError("the disk is full")
        self.reports.append((check_id, status))
        self.put(replace(self.checks[check_id], status=status.status, output=status.output))

    def put(self, *checks: Check) -> None:
        self.checks |= {check.id: check for check in checks}
        self.prober.take(Batch(1, tuple(Fact(("check", each.node, each.id), each) for each in checks)))

    def remove(self, check_id: str) -> None:
        self.prober.take(Batch(1, (Fact(("check", NODE, check_id), None),)))

    def write(self, check_id: str, status: Health, output: str = "") -> None:
        """Somebody else says what the status is."""
        self.put(replace(self.checks[check_id], status=status, output=output))

    def status(self, check_id: str) -> CheckStatus:
        check = self.checks[check_id]
        return CheckStatus(check.status, check.output)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.wait([self._running], timeout=0.002)
            assert not self._running.done()

    async def until_is(self, check_id: str, health: Health) -> None:
        await self.until(lambda: self.checks[check_id].status is health)

    async def close(self) -> None:
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., World]]:
    worlds: list[World] = []

    def make_one(*before: Check, **limits: Any) -> World:
        world = World(**limits)
        worlds.append(world)
        world.put(*before)
        return world

    yield make_one
    for world in worlds:
        await world.close()


class Door:
    """An HTTP server that counts who comes; it answers with ``code``, or redirects after the first visit."""

    def __init__(self) -> None:
        self.port = 0
        self.visits = 0
        self.code = 200
        self.redirect = ""

    def __call__(self, _: bytes) -> bytes:
        self.visits += 1
        if self.redirect and self.visits > 1:
            return f"HTTP/1.1 302 Any\r\nContent-Length: 0\r\nLocation: {self.redirect}\r\n\r\n".encode()
        return f"HTTP/1.1 {self.code} Any\r\nContent-Length: 3\r\n\r\n{self.visits:03}".encode()

    def check(
        self,
        name: str,
        interval: Duration = HOUR,
        status: Health = Health.CRITICAL,
        node: str = NODE,
        *,
        port: int = 0,
        **more: Any,
    ) -> Check:
        """A check of this server, or of another port of this machine."""
        probe = Probe(f"http://127.0.0.1:{port or self.port}/", interval, **more)
        return Check(name, name, status, node=node, type=CheckType.HTTP, probe=probe)


@pytest.fixture
def doors(servers: Servers) -> Callable[[], Awaitable[Door]]:
    """Open a door."""

    async def open_one() -> Door:
        door = Door()
        door.port = await servers.http(door)
        return door

    return open_one


@pytest.fixture
async def door(doors: Callable[[], Awaitable[Door]]) -> Door:
    return await doors()
