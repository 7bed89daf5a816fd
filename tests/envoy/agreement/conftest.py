"""One stock Envoy, fed by a real xDS server; behind it plain TLS servers that tell what reached them."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import re
import ssl
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from xdsmesh.bootstrap import HostPort, find_envoy, make_bootstrap
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.keeper import LeafKeeper
from xdsmesh.ca.sealing import Sealer
from xdsmesh.catalog.feed import Feed
from xdsmesh.config.files import parse_file
from xdsmesh.config.service import expand
from xdsmesh.demo.network import Network, claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.explain.explain import explain
from xdsmesh.index.views import Index
from xdsmesh.loop import Loop
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.checks import Health
from xdsmesh.model.facts import Batch, Fact, FactKey
from xdsmesh.model.trust import TrustBundle, service_spiffe_id
from xdsmesh.status import Registry, State
from xdsmesh.store.memory import MemoryStore
from xdsmesh.tokens.admission import Admissions
from xdsmesh.tokens.known import Tokens
from xdsmesh.xds.server import AdsServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from pathlib import Path

    from xdsmesh.explain.types import Explanation, Request, Source

    Json = dict[str, Any]

INSTANCES = 12
PATIENCE = 20.0

TRUST_DOMAIN = "test.consul"
NODE = Node("node-1", "127.0.0.1", "dc1")
PROXY = "client-1-sidecar-proxy"
SERVER_HOST, ADMIN_HOST, UPSTREAM_HOST, FIRST_INSTANCE_HOST = 1, 2, 3, 10
FIRST_UPSTREAM_PORT = 10_000
UPSTREAM_PORTS = 10_000
SETTLED = (State.SYNCED, State.NOT_SENT)


# --- behind Envoy


class Identity(ssl.SSLContext):
    """What a server shows to those who ask for it by ``name``."""

    name = ""


class Identities:
    """Certificates of the mesh's services, by the server name that a caller asks for."""

    def __init__(self, issuer: Issuer, folder: Path) -> None:
        self._issuer = issuer
        self._file = folder / "leaf.pem"
        self._known: dict[str, Identity] = {}
        self.front = self._make("nobody")
        self.front.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        asked = name or ""
        if asked not in self._known:
            self._known[asked] = self._make(asked)
        connection.context = self._known[asked]

    def _make(self, name: str) -> Identity:
        """The context for ``[subset.]service.default.datacenter.internal.domain``."""
        service = name.partition(".default.")[0].rpartition(".")[2]
        leaf = self._issuer.issue(service_spiffe_id(TRUST_DOMAIN, NODE.datacenter, service))
        self._file.write_text(leaf.key_pem + leaf.chain_pem)
        identity = Identity(ssl.PROTOCOL_TLS_SERVER)
        identity.name = name
        identity.load_cert_chain(self._file)
        identity.load_verify_locations(cadata=self._issuer.bundle.roots_pem)
        identity.verify_mode = ssl.CERT_REQUIRED
        return identity


class Echo(asyncio.Protocol):
    """Answers a request with what it got, in a header, so that an answer to HEAD tells it too.

    One with ``x-fail`` is answered with 503. ``count`` is called for each.
    """

    def __init__(self, count: Callable[[], object]) -> None:
        self._count = count
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._count()
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        address, port = self._transport.get_extra_info("sockname")
        name = self._transport.get_extra_info("ssl_object").context.name
        received = base64.b64encode(head).decode()
        fields = f"x-instance: {address}:{port}\r\nx-name: {name}\r\nx-received: {received}\r\nx-a: backend"
        status = "503 Busy" if b"\r\nx-fail:" in head else "200 OK"
        return f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n{fields}\r\n\r\n".encode()


# --- before Envoy


@dataclass(frozen=True)
class Answer:
    """What came back; from an instance, under a name, with the request line and headers that it got."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    instance: str = ""
    name: str = ""
    request_line: str = ""
    received: tuple[tuple[str, str], ...] = ()


class Connection:
    """A connection to one upstream listener, made anew when Envoy has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._place = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        self._streams = await asyncio.open_connection(*self._place)

    async def ask(self, request: Request) -> Answer:
        if self._streams is None:
            await self.open()
        assert self._streams
        reader, writer = self._streams
        fields = [("host", request.host), *request.headers]
        lines = [f"{request.method} {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
        writer.write("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        async with asyncio.timeout(PATIENCE):
            _, status, headers = _head((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
            size = 0 if request.method == "HEAD" else int(dict(headers).get("content-length", "0"))
            body = (await reader.readexactly(size)).decode()
        if dict(headers).get("connection") == "close":
            self.close()
        return _answer(int(status.split()[0]), headers, body)

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None


def _answer(status: int, headers: tuple[tuple[str, str], ...], body: str) -> Answer:
    fields = dict(headers)
    if "x-received" not in fields:
        return Answer(status, headers, body)
    text = base64.b64decode(fields["x-received"]).decode("latin-1")
    method, rest, received = _head(text)
    return Answer(status, headers, body, fields["x-instance"], fields["x-name"], f"{method} {rest}", received)


def _head(text: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """The first word of a head, the rest of its first line, and its headers."""
    first, *lines = text.rstrip("\r\n").split("\r\n")
    word, _, rest = first.partition(" ")
    fields = (line.partition(":") for line in lines)
    return word, rest, tuple((name.lower(), value.strip()) for name, _, value in fields)


# --- the mesh


class Mesh:
    """A mesh of one caller, whose Envoy is real, and of services that are configured anew again and again.

    The caller calls ``web``. Each configuration gets the names of its services with a number, and its
    upstream a port of its own: so nothing that Envoy still holds of the one before can be mistaken for it.
    """

    def __init__(self, network: Network, folder: Path) -> None:
        self._network = network
        self._folder = folder
        self._index = Index()
        self._registry = Registry()
        self._batches: asyncio.Queue[Batch] = asyncio.Queue()
        self._number = 0
        self._known: set[FactKey] = set()
        self._connection: Connection | None = None
        self._caller: Source | None = None
        self.served = 0
        """How many requests have reached an instance."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve until the context is left."""
        issuer = await Issuer.open(MemoryStore(), TRUST_DOMAIN, now, Sealer.in_memory())
        loop = Loop(self._index)
        loop.tell(Fact(("roots",), issuer.bundle))
        keeper = LeafKeeper(issuer, loop.tell, now, random.uniform)
        loop.keep_leaves(keeper)
        async with AsyncExitStack() as stack:
            for work in (loop.run(), self._feed(loop), keeper.run()):
                stack.push_async_callback(_cancel, asyncio.create_task(work))
            everybody = Admissions(Tokens(Feed(MemoryStore())))
            ads = AdsServer(loop, everybody, self._registry, now)
            await ads.start(f"{self._network.host(SERVER_HOST)}:{self._network.xds_port}")
            stack.push_async_callback(ads.stop, 1)
            await self._start_instances(issuer, stack)
            await self.configure([{"services": []}])
            await self._start_envoy(await stack.enter_async_context(Processes(self._folder)))
            yield
            self._disconnect()

    async def _feed(self, loop: Loop) -> None:
        while True:
            loop.take(await self._batches.get())

    async def _start_instances(self, issuer: Issuer, stack: AsyncExitStack) -> None:
        front = Identities(issuer, self._folder).front
        for number in range(INSTANCES):
            host = self._network.host(FIRST_INSTANCE_HOST + number)
            server = await asyncio.get_running_loop().create_server(
                lambda: Echo(self._serve), host, self._network.sidecar_port, ssl=front
            )
            stack.callback(server.close)

    def _serve(self) -> None:
        self.served += 1

    async def _start_envoy(self, processes: Processes) -> None:
        xds = HostPort(self._network.host(SERVER_HOST), self._network.xds_port)
        file = self._folder / "bootstrap.json"
        file.write_text(json.dumps(make_bootstrap(PROXY, "client", xds)))
        options = ("--concurrency", "1", "--disable-hot-restart", "--log-level", "warning")
        await processes.start("envoy", str(find_envoy()), "-c", str(file), *options)

    async def configure(self, document: list[Json]) -> bool:
        """Replace the configuration by a file's document, where ``@3`` is the address of the fourth instance.

        If it has problems, or its chain does not compile, nothing is done; whether it was.
        """
        facts = {fact.key: fact for fact in self._facts(document, self._number + 1)}
        if not _compiles(facts.values()):
            return False
        gone = {key: Fact(key, None) for key in self._known - facts.keys()}
        self._known = set(facts)
        self._number += 1
        await self._batches.put(Batch(self._number, (*facts.values(), *gone.values())))
        self._disconnect()
        return True

    async def connect(self) -> None:
        """Return when Envoy has taken in the configuration, and listens for its upstream."""
        deadline = time.monotonic() + PATIENCE
        while not self._synced():
            assert time.monotonic() < deadline, self._registry.snapshot()
            await asyncio.sleep(0.005)
        self._connection = Connection(self._network.host(UPSTREAM_HOST), _port(self._number))
        self._caller = self._index.source(PROXY)

    @property
    def upstream(self) -> str:
        """The name that ``web`` has now."""
        return f"web-{self._number}"

    def explain(self, request: Request) -> Explanation:
        """What the model says."""
        assert self._caller
        return explain(self._caller, replace(request, upstream=self.upstream))

    async def ask(self, request: Request) -> Answer:
        """What Envoy does."""
        assert self._connection
        return await self._connection.ask(request)

    def plain(self, text: str) -> str:
        """A text with the names of services and instances that the configuration has."""
        hosts = re.escape(f"{self._network.prefix}.") + r"(\d+):\d+"
        text = re.sub(hosts, lambda found: f"@{int(found[1]) - FIRST_INSTANCE_HOST}", text)
        return text.replace(f"-{self._number}", "")

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _synced(self) -> bool:
        return any(
            proxy.revision >= self._number
            and len(proxy.types) >= len(("CDS", "EDS", "LDS", "SDS"))
            and all(status.state in SETTLED for status in proxy.types)
            for proxy in self._registry.snapshot().connected
        )

    def _facts(self, document: list[Json], number: int) -> Iterator[Fact]:
        """What the document declares, and the caller; nothing if it has problems."""
        bind = {"LocalBindAddress": self._network.host(UPSTREAM_HOST), "LocalBindPort": _port(number)}
        sidecar = {"Port": 20_000, "Proxy": {"Upstreams": [{"DestinationName": "web", **bind}]}}
        client = {"Name": "client", "ID": "client-1", "Port": 80, "Connect": {"SidecarService": sidecar}}
        whole = self._placed([*document, {"services": [client]}], _names(document) | {"web"}, number)
        parsed = parse_file("config.json", json.dumps(whole).encode())
        if parsed.problems:
            return
        for entry in parsed.entries:
            yield Fact(("entry", entry.value.KIND, entry.value.name), entry.value)
        for service in parsed.services:
            for instance in expand(service.value, NODE, lambda _: self._network.sidecar_port):
                yield Fact(("instance", instance.id), _probed(instance))

    def _placed(self, value: Any, names: set[str], number: int) -> Any:
        """The same with this configuration's names of services, and with addresses."""
        if isinstance(value, dict):
            return {key: self._placed(each, names, number) for key, each in value.items()}
        if isinstance(value, list):
            return [self._placed(each, names, number) for each in value]
        if isinstance(value, str) and value in names:
            return f"{value}-{number}"
        if isinstance(value, str) and value.startswith("@"):
            return self._network.host(FIRST_INSTANCE_HOST + int(value[1:]))
        return value


def _names(document: list[Json]) -> set[str]:
    """The services that a document speaks of."""
    return {each["Name"] for part in document for each in part.get("services", [part]) if "Name" in each}


def _probed(instance: Instance) -> Instance:
    """An instance after its sidecar was found listening: default checks pass, others are as given."""
    checks = (
        replace(check, status=Health.PASSING) if check.name.startswith("Connect Sidecar ") else check
        for check in instance.checks
    )
    return replace(instance, checks=tuple(checks))


def now() -> datetime:
    return datetime.now(UTC)


def _port(number: int) -> int:
    return FIRST_UPSTREAM_PORT + number % UPSTREAM_PORTS


def _compiles(facts: Iterable[Fact]) -> bool:
    """Whether an index makes an upstream of them."""
    index = Index()
    index.apply(Batch(0, (Fact(("roots",), TrustBundle(TRUST_DOMAIN, "roots")), *facts)))
    caller = index.source(PROXY)
    return caller is not None and bool(caller.upstreams)


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """Runs everything in one event loop, of which hypothesis need not know."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def mesh(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with claimed_network() as network:
        mesh = Mesh(network, tmp_path_factory.mktemp("mesh"))
        running = mesh.running()
        runner.run(running.__aenter__())
        yield mesh
        runner.run(running.__aexit__(None, None, None))
