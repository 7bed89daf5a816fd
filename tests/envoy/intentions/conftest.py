"""An HTTP service and a tcp one behind stock Envoys of a real server, and callers with any certificate."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

import pytest

from xdsmesh.bootstrap import HostPort, find_envoy, make_bootstrap
from xdsmesh.ca.intermediate import Subject
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.keys import generate
from xdsmesh.ca.sealing import Sealer
from xdsmesh.config.files import parse_file
from xdsmesh.demo.network import Network, claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.model.catalog import Node
from xdsmesh.model.origin import Origin, Source
from xdsmesh.model.trust import Leaf, service_spiffe_id
from xdsmesh.settings import IntentionPolicy
from xdsmesh.status.types import State
from xdsmesh.store.memory import MemoryStore
from xdsmesh.xds.server import AdsServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from xdsmesh.parts import ServerParts

TRUST_DOMAIN: Final = "test.consul"
NODE: Final = Node("node-1", "127.0.0.1", "dc1")
API: Final = Origin(Source.API, "test")
GREETING: Final = b"220 ledger ready\r\n"
PATIENCE: Final = 20.0
DRAIN_SECONDS: Final = 1
HTTP, TCP = "db", "ledger"
HOSTS: Final = {HTTP: 10, TCP: 20}


def now() -> datetime:
    return datetime.now(UTC)


class Services:
    """What is called, how it is described, and who calls it."""

    now = staticmethod(now)

    def __init__(self, parts: ServerParts, network: Network, folder: Path) -> None:
        self.parts = parts
        self.network = network
        self.heard: list[dict[str, Any]] = []
        """The requests that have reached the HTTP application: method, path, headers."""
        self.connections = 0
        """How many connections have reached the tcp application."""
        self.envoys = 0
        self.processes: Processes
        self._folder = folder
        self._certificates = 0

    # --- what is written

    async def write(self, *texts: str) -> None:
        """Write config entries in HCL; return once the Envoys have acknowledged what follows."""
        entries = []
        for text in texts:
            parsed = parse_file("test.hcl", text.encode())
            assert not parsed.problems, [str(problem) for problem in parsed.problems]
            entries += [each.value for each in parsed.entries]
        await self.parts.repository.put_entries(entries, API)
        await self.synced()

    async def remove(self, kind: str, name: str) -> None:
        await self.parts.repository.delete_entry(kind, name, API)
        await self.synced()

    async def synced(self) -> None:
        """Return once all Envoys hold what they should of all that was written by now."""
        revision, _ = await self.parts.repository.store.list("")
        await self.parts.loop.wait_revision(revision)
        await until(lambda: self._have(revision), "the Envoys have acknowledged it")

    def _have(self, revision: int) -> bool:
        streams = self.parts.registry.snapshot().connected
        return len(streams) == self.envoys and all(
            each.revision >= revision
            and {status.type for status in each.types} >= {"CDS", "LDS", "SDS"}
            and all(status.state is State.SYNCED for status in each.types)
            for each in streams
        )

    async def register(self, definition: dict[str, Any]) -> None:
        """Register a service as people write it."""
        parsed = parse_file("services.json", json.dumps({"services": [definition]}).encode())
        assert not parsed.problems, parsed.problems
        for service in parsed.services:
            await self.parts.registrations.register(service.value, API)

    async def start_envoy(self, service: str, host: int) -> None:
        """Run the Envoy of a service's sidecar."""
        xds = HostPort(self.network.host(1), self.network.xds_port)
        admin = HostPort(self.network.host(host), self.network.admin_port)
        file = self._folder / f"{service}.json"
        file.write_text(json.dumps(make_bootstrap(f"{service}-1-sidecar-proxy", service, xds, admin)))
        options = ("--concurrency", "1", "--disable-hot-restart", "--log-level", "warning")
        drain = ("--drain-time-s", str(DRAIN_SECONDS), "--file-flush-interval-msec", "50")
        await self.processes.start(service, str(find_envoy()), "-c", str(file), *options, *drain)
        self.envoys += 1

    # --- who calls

    def leaf(self, service: str, *, issuer: Issuer | None = None, ended: bool = False) -> Leaf:
        """A certificate of a service: of the mesh's authority or another, good or ended an hour ago."""
        authority = (issuer or self.parts.leaves.issuer).authority
        subject = Subject(service_spiffe_id(TRUST_DOMAIN, "dc1", service))
        begin = now() - timedelta(hours=2 if ended else 0)
        kind = self.parts.leaves.issuer.leaf_kind
        return authority.signer.sign(subject, generate(kind), begin, timedelta(hours=1))

    def context(self, leaf: Leaf | None) -> ssl.SSLContext:
        """What a caller with this certificate uses; None: it has none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(cadata=self.parts.leaves.issuer.bundle.roots_pem)
        if leaf:
            self._certificates += 1
            file = self._folder / f"caller-{self._certificates}.pem"
            file.write_text(leaf.key_pem + leaf.chain_pem)
            context.load_cert_chain(file)
        return context

    def caller(self, to: str, leaf: Leaf | str | None) -> Caller:
        """Somebody who speaks to a service's public listener; by a name with a good certificate."""
        shown = self.leaf(leaf) if isinstance(leaf, str) else leaf
        return Caller(self.network.host(HOSTS[to]), self.network.sidecar_port, self.context(shown))


class Caller:
    """A connection over mTLS."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        self._place = (host, port)
        self._context = context
        self._connections = 0
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._writer:
            self._writer.close()
            self._writer = None

    @property
    def connected_once(self) -> bool:
        """Whether there was one connection all the time."""
        return self._connections == 1

    async def connect(self) -> None:
        self._connections += 1
        self._reader, self._writer = await asyncio.open_connection(*self._place, ssl=self._context)

    async def ask(
        self, path: str = "/", method: str = "GET", headers: tuple[tuple[str, str], ...] = ()
    ) -> tuple[int, dict[str, str]]:
        """Send a request over the open connection, or a new one; the status and headers of its answer."""
        if self._writer is None:
            await self.connect()
        assert self._writer
        lines = [f"{method} {path} HTTP/1.1", "host: db", *(f"{name}: {value}" for name, value in headers)]
        if method in ("POST", "PUT"):
            lines.append("content-length: 0")
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(PATIENCE):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, *fields = head.strip().split("\r\n")
            found = dict(map(_field, fields))
            await self._reader.readexactly(int(found.get("content-length", 0)))
        if found.get("connection") == "close":
            self.close()
        return int(status.split()[1]), found

    async def listen(self) -> bytes:
        """Connect, say nothing, and hear what the other end says first; nothing if it ends the connection."""
        try:
            await self.connect()
            return await self.hear()
        except OSError:  # ssl.SSLError is one
            return b""

    async def hear(self) -> bytes:
        """What comes next; nothing if the connection is ended."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self._reader.read(1000)
            except OSError:
                return b""

    async def say(self, text: bytes) -> None:
        assert self._writer
        self._writer.write(text)
        await self._writer.drain()


async def until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Return when the condition holds, within a bound."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        await asyncio.sleep(0.01)


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip()


class _Application(asyncio.Protocol):
    """The HTTP application: notes each request, and answers with 200, or what ``x-answer`` asks for."""

    def __init__(self, heard: list[dict[str, Any]]) -> None:
        self._heard = heard
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            method, path, _ = first.split(" ")
            headers = list(map(_field, lines))
            self._heard.append({"method": method, "path": path, "headers": headers})
            status = dict(headers).get("x-answer", "200")
            self._transport.write(f"HTTP/1.1 {status} Told\r\ncontent-length: 0\r\n\r\n".encode())


async def _greet(services: Services, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The tcp application: speaks first, as a mail server or a database does, then echoes."""
    services.connections += 1
    writer.write(GREETING)
    while data := await reader.read(1000):
        writer.write(data)
    writer.close()


@pytest.fixture
def default_policy() -> IntentionPolicy:
    """What holds where no intention decides; a test overrides it by parametrizing."""
    return IntentionPolicy.DENY


@pytest.fixture
def network() -> Iterator[Network]:
    with claimed_network() as claimed:
        yield claimed


@pytest.fixture
async def services(
    at_work: Any, tmp_path: Path, network: Network, default_policy: IntentionPolicy
) -> AsyncIterator[Services]:
    store = MemoryStore()
    issuer = await Issuer.open(store, TRUST_DOMAIN, now, Sealer.in_memory())
    async with at_work(store, NODE, issuer, policy=default_policy) as parts, AsyncExitStack() as stack:
        services = Services(parts, network, tmp_path)
        await _start_applications(services, stack)
        await _register(services)
        ads = AdsServer(parts.loop, parts.admissions, parts.registry, now)
        await ads.start(f"{network.host(1)}:{network.xds_port}")
        stack.push_async_callback(ads.stop, 1)
        services.processes = await stack.enter_async_context(Processes(tmp_path))
        for service, host in HOSTS.items():
            await services.start_envoy(service, host)
        await services.synced()
        await until(lambda: all(_listens(services, each) for each in HOSTS), "both Envoys listen")
        yield services


async def _start_applications(services: Services, stack: AsyncExitStack) -> None:
    network = services.network
    http = await asyncio.get_running_loop().create_server(
        lambda: _Application(services.heard), network.host(HOSTS[HTTP]), network.app_port
    )
    tcp = await asyncio.start_server(
        lambda reader, writer: _greet(services, reader, writer), network.host(HOSTS[TCP]), network.app_port
    )
    for server in (http, tcp):
        stack.callback(server.close)


async def _register(services: Services) -> None:
    network, repository = services.network, services.parts.repository
    for name, host in HOSTS.items():
        await services.register(
            {
                "Name": name,
                "ID": f"{name}-1",
                "Address": network.host(host),
                "Port": network.app_port,
                "Connect": {
                    "SidecarService": {
                        "Port": network.sidecar_port,
                        "Proxy": {"LocalServiceAddress": network.host(host)},
                    }
                },
            }
        )
    await repository.put_entries(
        [entry.value for entry in parse_file("a.hcl", HTTP_DB.encode()).entries], API
    )


HTTP_DB: Final = """
Kind = "service-defaults"
Name = "db"
Protocol = "http"
"""


def _listens(services: Services, service: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((services.network.host(HOSTS[service]), services.network.sidecar_port)) == 0
