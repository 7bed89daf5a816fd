"""Datacenters in one process: real parts, real TLS, and a relay for each gateway that can be cut."""

from __future__ import annotations

import asyncio
import json
import random
import re
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.sealing import Sealer
from xdsmesh.ca.server_certificate import ServerCertificate, ServerNames
from xdsmesh.catalog import codec, keys
from xdsmesh.config.files import decode_entry, decode_service
from xdsmesh.config.kinds.service_resolver import ServiceResolver
from xdsmesh.federation.credentials import server_credentials
from xdsmesh.federation.status import LinkState, LinkStatus
from xdsmesh.federation.store_id import ORIGIN
from xdsmesh.federation.summaries import remote_service
from xdsmesh.ir.endpoints import with_checks_of
from xdsmesh.model.catalog import Instance, Kind, Node
from xdsmesh.model.checks import CheckStatus, Health
from xdsmesh.model.errors import NotFoundError
from xdsmesh.model.federation import Member, Membership, RemoteGateway, RemoteGateways
from xdsmesh.model.origin import PROBER, Origin, Source
from xdsmesh.store.base import Put, Store, Txn
from xdsmesh.store.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.conftest import AtWork
    from xdsmesh.parts import ServerParts

SECONDS: Final = 40
CLIENT: Final = Origin(Source.API, where="127.0.0.1")
SEALER: Final = Sealer.in_memory()
JOINED: Final = datetime(2026, 1, 1, tzinfo=UTC)
SERVER_NAME: Final = re.compile(rb"server\.(dc\d)\.consul")


def now() -> datetime:
    return datetime.now(UTC)


async def until(condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Return when the condition holds, within a bound."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited in vain until {what}"
        await asyncio.sleep(0.02)


class Relay:
    """A mesh gateway as far as links care: it forwards bytes by the server name in the TLS handshake.

    ``stall`` keeps connections and forwards nothing; ``cut`` closes them, and takes no more.
    """

    def __init__(self) -> None:
        self.targets: dict[str, int] = {}
        """The ports to forward to, by datacenter."""
        self.port = 0
        self._open = asyncio.Event()
        self._open.set()
        self._refusing = False
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def stall(self) -> None:
        self._open.clear()

    def cut(self) -> None:
        self._refusing = True
        for task in self._tasks:
            task.cancel()

    def heal(self) -> None:
        self._refusing = False
        self._open.set()

    async def close(self) -> None:
        self.cut()
        if self._server:
            self._server.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        others: list[asyncio.StreamWriter] = [writer]
        try:
            if self._refusing:
                return
            await self._open.wait()
            hello = await reader.read(65536)
            name = SERVER_NAME.search(hello)
            port = self.targets.get(name[1].decode(), 0) if name else 0
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            others.append(far_writer)
            far_writer.write(hello)
            ways = {
                asyncio.ensure_future(self._forward(reader, far_writer)),
                asyncio.ensure_future(self._forward(far_reader, writer)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            for each in others:
                each.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._open.wait()
            writer.write(data)
            await writer.drain()


class Datacenter:
    """One control plane: its store, its parts at work, and its certificate."""

    def __init__(self, name: str, store: Store, parts: ServerParts, certificate: ServerCertificate) -> None:
        self.name = name
        self.store = store
        self.parts = parts
        self.certificate = certificate

    async def has(self, key: str) -> dict[str, Any] | None:
        """What is stored under a key."""
        record = await self.store.get(key)
        return json.loads(record.value) if record else None

    async def told(self, datacenter: str) -> dict[str, bytes]:
        """What it knows of another one, by the keys there, the cursor left out."""
        _, records = await self.store.list(keys.remote_key(datacenter, ""))
        found = {keys.remote_pair(record.key)[1]: record.value for record in records}
        return {key: value for key, value in found.items() if key != keys.CURSOR}

    async def tells(self) -> dict[str, bytes]:
        """What it has for others, by keys."""
        _, records = await self.store.list(keys.SHARED)
        return {record.key.removeprefix(keys.SHARED): record.value for record in records}

    async def entries(self) -> dict[str, bytes]:
        """Its config entries."""
        _, records = await self.store.list(keys.ENTRIES)
        return {record.key: record.value for record in records}

    async def write(self, **values: Any) -> None:
        """Write config entries of kind service-defaults, by name: their protocol, or None to delete."""
        for name, protocol in values.items():
            if protocol is None:
                await self.parts.repository.delete_entry("service-defaults", name, CLIENT)
            else:
                data = {"Kind": "service-defaults", "Name": name, "Protocol": protocol}
                await self.entry(data)

    async def entry(self, data: dict[str, Any]) -> None:
        await self.parts.repository.put_entry(decode_entry(json.dumps(data).encode()), CLIENT)

    async def register(self, service: str, port: int = 8080, **more: Any) -> None:
        """Register a service with a sidecar on this node, as the agent's API would, and see it healthy."""
        data = {
            "ID": f"{service}-{port}", "Name": service, "Port": port, "Address": f"10.0.0.{port % 200}",
            "Connect": {"SidecarService": {"Port": port + 10_000}}, **more,
        }  # fmt: skip
        definition = decode_service(json.dumps(data).encode())
        await self.parts.registrations.register(definition, CLIENT)
        await until(lambda: self._is_there(service, port), f"{service} is there, and what it says is known")

    def _is_there(self, service: str, port: int) -> bool:
        """Its sidecar is as healthy as the application; at first it is not."""
        view, node = self.parts.feed.view, self.parts.repository.node.name
        pair = [view.instances.get((node, f"{service}-{port}{what}")) for what in ("", "-sidecar-proxy")]
        return len({each.value.health if each else None for each in pair} - {None}) == 1

    async def deregister(self, service: str, port: int = 8080) -> None:
        await self.parts.registrations.deregister(f"{service}-{port}", CLIENT)

    async def deregister_if_there(self, service: str, port: int) -> None:
        with suppress(NotFoundError):
            await self.deregister(service, port)

    async def report(self, service: str, status: str, output: str = "") -> None:
        """Have the check of a service say something."""
        said = Put(
            keys.status_key(self.parts.repository.node.name, service),
            codec.encode_status(CheckStatus(Health(status), output)),
        )
        await self.store.commit(Txn((said,)), PROBER)

    async def gateway(self, relay: Relay, name: str = "mesh-gateway") -> None:
        """Register a mesh gateway whose wan address is a relay."""
        node = self.parts.repository.node
        instance = Instance(name, "mesh-gateway", node, Kind.MESH_GATEWAY, "127.0.0.1", relay.port)
        put = Put(keys.instance_key(node.name, name), codec.encode_instance(instance))
        await self.store.commit(Txn((put,)), CLIENT)

    def link(self, datacenter: str) -> LinkStatus:
        return next(each for each in self.parts.links.status() if each.datacenter == datacenter)

    def is_up(self, datacenter: str) -> bool:
        links = self.parts.links.status()
        return any(each.datacenter == datacenter and each.state is LinkState.UP for each in links)


class Mesh:
    """Datacenters that trust one another, with a relay to each, by name. The first one is the primary."""

    def __init__(self, folder: Path, at_work: AtWork) -> None:
        self.relays: dict[str, Relay] = {}
        self.datacenters: dict[str, Datacenter] = {}
        self._folder = folder
        self._at_work = at_work
        self._running: dict[str, AsyncExitStack] = {}

    def __getitem__(self, name: str) -> Datacenter:
        return self.datacenters[name]

    async def start(self, name: str, keep: int = 10_000) -> Datacenter:
        """Start a datacenter, for the first time or again over what it has stored."""
        stack = self._running[name] = AsyncExitStack()
        store = await SQLiteStore.open(self._folder / f"{name}.db", keep)
        stack.push_async_callback(store.close)
        await self._share_trust(store)
        issuer = await Issuer.open(store, "corp.consul", now, SEALER)
        node = Node(f"node-{name}", "127.0.0.1", name)
        parts = await stack.enter_async_context(self._at_work(store, node, issuer))
        await parts.feed.catch_up()
        certificate = await ServerCertificate.make(issuer, ServerNames(name), now, random.uniform)
        credentials = server_credentials(lambda: certificate.leaf, lambda: issuer.bundle)
        port = await parts.federation.start("127.0.0.1:0", credentials)
        stack.push_async_callback(parts.federation.stop, 1.0)
        parts.links.prove_by(certificate)
        await self._lead_to(name, port)
        self.datacenters[name] = Datacenter(name, store, parts, certificate)
        return self.datacenters[name]

    async def stop(self, name: str) -> None:
        await self._running.pop(name).aclose()

    async def close(self) -> None:
        for relay in self.relays.values():
            await relay.close()
        for name in tuple(self._running):
            await self.stop(name)

    async def federate(self, *names: str) -> None:
        """Make these the members of the mesh, and let each know the way to each other one."""
        primary, *secondaries = names
        await self.let_in(*names)
        for name in secondaries:
            await put(self[name].store, keys.MEMBERSHIP, Membership(primary, JOINED))
            await self.show_the_way(name, primary)
        for name in names:
            await self[name].gateway(self.relays[name])

    async def let_in(self, *names: str) -> None:
        """Have the primary list members."""
        for name in names:
            member = Member(name, name == names[0], JOINED)
            await put(self[names[0]].store, keys.shared_key(f"{keys.MEMBER}{name}"), member)

    async def show_the_way(self, name: str, to: str) -> None:
        """Let a datacenter know the relay of another one."""
        gateways = RemoteGateways((RemoteGateway("mesh-gateway", "127.0.0.1", self.relays[to].port),))
        await put(self[name].store, keys.remote_key(to, keys.GATEWAYS), gateways)

    async def _lead_to(self, name: str, port: int) -> None:
        """As gateways do: each leads to its own control plane, and to the gateways of the others."""
        if name not in self.relays:
            self.relays[name] = Relay()
            await self.relays[name].start()
        self.relays[name].targets[name] = port
        for one, relay in self.relays.items():
            for other, beyond in self.relays.items():
                if one != other:
                    relay.targets[other] = beyond.port

    async def _share_trust(self, store: Store) -> None:
        """As if it had joined: it has the authority of the first one."""
        first = next(iter(self.datacenters.values()), None)
        if first and not (await store.list("ca/"))[1]:
            _, records = await first.store.list("ca/")
            puts = tuple(Put(record.key, record.value, record.origin) for record in records)
            await store.commit(Txn(puts), ORIGIN)


async def put(store: Store, key: str, value: codec.Federated) -> None:
    await store.commit(Txn((Put(key, codec.encode_federated(value)),)), ORIGIN)


@pytest.fixture
async def mesh(tmp_path: Path, at_work: AtWork) -> AsyncIterator[Mesh]:
    made = Mesh(tmp_path, at_work)
    yield made
    await made.close()


async def until_agreed(primary: Datacenter, *others: Datacenter) -> None:
    """Return once each knows all that each other one tells, and secondaries have the primary's entries."""
    deadline = asyncio.get_running_loop().time() + SECONDS
    while problem := await disagreement(primary, *others):
        assert asyncio.get_running_loop().time() < deadline, f"they don't come to agree: {problem}"
        await asyncio.sleep(0.05)


async def disagreement(primary: Datacenter, *others: Datacenter) -> str:
    everybody = (primary, *others)
    for one in everybody:
        if expected(one) != await services(one):
            return f"{one.name} does not tell what it has"
        for other in everybody:
            if one is not other and await one.tells() != await other.told(one.name):
                return (
                    f"{other.name} knows {await other.told(one.name)} of {one.name}, not {await one.tells()}"
                )
    entries = await primary.entries()
    behind = [each.name for each in others if await each.entries() != entries]
    return f"the entries of {behind}" if behind else ""


def expected(datacenter: Datacenter) -> dict[str, bytes]:
    """The services that it should tell of, each from scratch."""
    view = datacenter.parts.feed.view
    sidecars: dict[str, list[Instance]] = {}
    for (node, _), stored in view.instances.items():
        if stored.value.proxy:
            proxy = stored.value.proxy
            application = view.instances.get((node, proxy.destination_service_id))
            sidecar = with_checks_of(application.value if application else None, stored.value)
            sidecars.setdefault(proxy.destination_service_name, []).append(sidecar)
    resolvers = {
        each.value.name: each.value
        for each in view.entries.values()
        if isinstance(each.value, ServiceResolver)
    }
    return {
        f"{keys.SERVICE}{name}": codec.encode_federated(remote_service(each, resolvers.get(name)))
        for name, each in sidecars.items()
    }


async def services(datacenter: Datacenter) -> dict[str, bytes]:
    """The services that it tells others of."""
    return {key: value for key, value in (await datacenter.tells()).items() if key.startswith(keys.SERVICE)}
