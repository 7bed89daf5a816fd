"""Two datacenters of one mesh: a control plane each, mesh gateways between them, and stock Envoys.

``api`` and ``web`` are in dc1, ``db`` is in dc2. What the datacenters know of one another is written into
their stores, as the link between control planes writes it.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from xdsmesh.bootstrap import HostPort, find_envoy, make_bootstrap
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.sealing import Sealer
from xdsmesh.catalog import codec, keys
from xdsmesh.config.files import parse_file
from xdsmesh.demo.network import Network, claimed_network
from xdsmesh.demo.processes import Child, Processes
from xdsmesh.model.catalog import Node
from xdsmesh.model.checks import Health
from xdsmesh.model.federation import (
    RemoteGateway,
    RemoteGateways,
    RemoteInstance,
    RemoteService,
    RemoteSubset,
)
from xdsmesh.model.origin import Origin, Source
from xdsmesh.model.trust import service_spiffe_id
from xdsmesh.settings import IntentionPolicy
from xdsmesh.status.types import State
from xdsmesh.store.base import Put, Txn
from xdsmesh.store.memory import MemoryStore
from xdsmesh.xds.server import AdsServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from xdsmesh.parts import ServerParts

TRUST_DOMAIN: Final = "test.consul"
API: Final = Origin(Source.API, "test")
PATIENCE: Final = 30.0
HOSTS: Final = {
    "api": 10,
    "web": 11,
    "dc1-gateway-1": 20,
    "dc1-gateway-2": 21,
    "db-1": 30,
    "db-2": 31,
    "dc2-gateway-1": 40,
    "dc2-gateway-2": 41,
    "spare": 50,
}
GATEWAY_PORT: Final = 8443
DB_SNI: Final = f"db.default.dc2.internal.{TRUST_DOMAIN}"


def now() -> datetime:
    return datetime.now(UTC)


class Datacenter:
    """A control plane at work, and the Envoys that it serves."""

    def __init__(self, name: str, parts: ServerParts, xds: HostPort) -> None:
        self.name = name
        self.parts = parts
        self.xds = xds
        self.envoys = 0

    async def write(self, *texts: str) -> None:
        """Write config entries in HCL; return once the Envoys have acknowledged what follows."""
        entries = []
        for text in texts:
            parsed = parse_file("test.hcl", text.encode())
            assert not parsed.problems, [str(problem) for problem in parsed.problems]
            entries += [each.value for each in parsed.entries]
        await self.parts.repository.put_entries(entries, API)
        await self.synced()

    async def register(self, definition: dict[str, Any]) -> None:
        """Register a service as people write it."""
        parsed = parse_file("services.json", json.dumps({"services": [definition]}).encode())
        assert not parsed.problems, parsed.problems
        for service in parsed.services:
            await self.parts.registrations.register(service.value, API)

    async def learn(self, datacenter: str, what: str, value: codec.Federated) -> None:
        """Be told something by another datacenter."""
        put = Put(keys.remote_key(datacenter, what), codec.encode_federated(value))
        await self.parts.repository.store.commit(Txn((put,)), API)
        await self.synced()

    async def synced(self) -> None:
        """Return once all Envoys hold what they should of all that was written by now."""
        revision, _ = await self.parts.repository.store.list("")
        await self.parts.loop.wait_revision(revision)
        await until(lambda: self._have(revision), f"the Envoys of {self.name} have acknowledged it")

    def _have(self, revision: int) -> bool:
        streams = self.parts.registry.snapshot().connected
        return len(streams) >= self.envoys and all(
            each.revision >= revision
            and {status.type for status in each.types} >= {"CDS", "LDS"}
            and all(status.state is State.SYNCED for status in each.types)
            for each in streams
        )


class World:
    """Both datacenters, and the processes in them."""

    def __init__(self, network: Network, folder: Path, processes: Processes) -> None:
        self.network = network
        self.processes = processes
        self.children: dict[str, Child] = {}
        self.here: Datacenter
        self.there: Datacenter
        self._folder = folder
        self._leaves = 0

    def host(self, name: str) -> str:
        return self.network.host(HOSTS[name])

    def admin(self, name: str) -> str:
        return f"http://{self.host(name)}:{self.network.admin_port}"

    def log(self, name: str) -> str:
        """What an Envoy has written."""
        return self.children[name].log.read_text()

    async def start_envoy(self, datacenter: Datacenter, name: str, proxy_id: str, cluster: str) -> None:
        """Run the Envoy of a proxy, with its admin interface at its host."""
        admin = HostPort(self.host(name), self.network.admin_port)
        file = self._folder / f"{name}.json"
        file.write_text(json.dumps(make_bootstrap(proxy_id, cluster, datacenter.xds, admin)))
        options = ("--concurrency", "1", "--disable-hot-restart", "--log-level", "warning")
        drain = ("--drain-time-s", "1", "--file-flush-interval-msec", "50")
        command = (str(find_envoy()), "-c", str(file), *options, *drain)
        self.children[name] = await self.processes.start(name, *command)
        datacenter.envoys += 1

    async def stop_envoy(self, datacenter: Datacenter, name: str) -> None:
        """Kill an Envoy."""
        datacenter.envoys -= 1
        await self.processes.kill(self.children.pop(name))

    async def start_gateway(self, datacenter: Datacenter, number: int, **fields: Any) -> None:
        """Register a mesh gateway, and run its Envoy."""
        name = f"{datacenter.name}-gateway-{number}"
        own = {"Kind": "mesh-gateway", "Name": "gateway", "ID": name, "Port": GATEWAY_PORT}
        await datacenter.register({**own, "Address": self.host(name), **fields})
        await self.start_envoy(datacenter, name, name, "gateway")

    async def use(self, mode: str) -> None:
        """Let the calls of dc1 go through gateways in this mode."""
        await self.here.write(f'{DEFAULTS}\nMeshGateway {{ Mode = "{mode}" }}')

    async def knows_gateways(self, *places: tuple[str, int]) -> None:
        """Let dc1 know the gateways of dc2."""
        gateways = tuple(RemoteGateway(f"g-{number}", *place) for number, place in enumerate(places))
        await self.here.learn("dc2", keys.GATEWAYS, RemoteGateways(gateways))

    async def knows_db(self, *, healthy: bool = True) -> None:
        """Let dc1 know of db in dc2."""
        port = self.network.sidecar_port
        instances = tuple(RemoteInstance(self.host(name), port, 1, healthy) for name in ("db-1", "db-2"))
        service = RemoteService((RemoteSubset("", instances),))
        await self.here.learn("dc2", f"{keys.SERVICE}db", service)

    async def ask(self, caller: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """What the application of a caller gets from db, on a connection of its own."""
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            return await client.get(
                f"http://{self.host(caller)}:{self.network.upstream_port}/", headers=headers
            )

    async def answers(self, caller: str, status: int) -> httpx.Response:
        """Ask until the answer has a status."""
        deadline = time.monotonic() + PATIENCE
        while (answer := await self.ask(caller)).status_code != status:
            assert time.monotonic() < deadline, (answer.status_code, answer.text)
            await asyncio.sleep(0.05)
        return answer

    def context(self, service: str) -> ssl.SSLContext:
        """What a caller with a good certificate uses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        issuer = self.here.parts.leaves.issuer
        context.load_verify_locations(cadata=issuer.bundle.roots_pem)
        leaf = issuer.issue(service_spiffe_id(TRUST_DOMAIN, "dc1", service))
        self._leaves += 1
        file = self._folder / f"caller-{self._leaves}.pem"
        file.write_text(leaf.key_pem + leaf.chain_pem)
        context.load_cert_chain(file)
        return context


async def until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Return when the condition holds, within a bound."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        await asyncio.sleep(0.02)


async def until_listening(host: str, port: int) -> None:
    """Return when somebody accepts connections there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            assert time.monotonic() < deadline, f"nobody listens at {host}:{port}"
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


DEFAULTS: Final = """
Kind = "proxy-defaults"
Name = "global"
Config { protocol = "http" }
"""
ELSEWHERE: Final = """
Kind = "service-resolver"
Name = "db"
Redirect { Datacenter = "dc2" }
"""
INTENTIONS: Final = """
Kind = "service-intentions"
Name = "db"
Sources = [{ Name = "api", Action = "allow" }, { Name = "web", Action = "deny" }]
"""


def _found_listening(datacenter: Datacenter) -> bool:
    """Whether the checks of all sidecars that were registered pass."""
    index = datacenter.parts.index
    proxies = (index.proxy(proxy_id) for proxy_id in index.proxies())
    return all(proxy is not None and proxy.health is Health.PASSING for proxy in proxies)


async def answer(name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The application db: says which instance it is."""
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(name)}\r\n\r\n{name}".encode())
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


@pytest.fixture
def network() -> Iterator[Network]:
    with claimed_network() as claimed:
        yield claimed


@pytest.fixture
async def world(at_work: Any, tmp_path: Path, network: Network) -> AsyncIterator[World]:
    """Both datacenters with a gateway each; dc1 knows db by mode ``none``."""
    stores, sealer = (MemoryStore(), MemoryStore()), Sealer.in_memory()
    first = await Issuer.open(stores[0], TRUST_DOMAIN, now, sealer)
    _, records = await stores[0].list("")
    await stores[1].commit(Txn(tuple(Put(each.key, each.value) for each in records)), API)
    second = await Issuer.open(stores[1], TRUST_DOMAIN, now, sealer)
    async with AsyncExitStack() as stack:
        found = []
        for number, (store, issuer) in enumerate(zip(stores, (first, second), strict=True), 1):
            name, host = f"dc{number}", network.host(number)
            node = Node(f"node-{number}", host, name)
            at = at_work(store, node, issuer, policy=IntentionPolicy.DENY)
            parts = await stack.enter_async_context(at)
            ads = AdsServer(parts.loop, parts.admissions, parts.registry, now)
            await ads.start(f"{host}:{network.xds_port}")
            stack.push_async_callback(ads.stop, 1)
            found.append(Datacenter(name, parts, HostPort(host, network.xds_port)))
        world = World(network, tmp_path, await stack.enter_async_context(Processes(tmp_path)))
        world.here, world.there = found
        await _fill(world, stack)
        yield world


async def _fill(world: World, stack: AsyncExitStack) -> None:
    network, here, there = world.network, world.here, world.there
    for name in ("db-1", "db-2"):
        app = await asyncio.start_server(partial(answer, name), world.host(name), network.app_port)
        stack.callback(app.close)
    await here.write(DEFAULTS, ELSEWHERE)
    await there.write(DEFAULTS, INTENTIONS)
    for name in ("db-1", "db-2"):
        sidecar = {"Port": network.sidecar_port, "Proxy": {"LocalServiceAddress": world.host(name)}}
        definition = {"Name": "db", "ID": name, "Address": world.host(name), "Port": network.app_port}
        await there.register({**definition, "Connect": {"SidecarService": sidecar}})
        await world.start_envoy(there, name, f"{name}-sidecar-proxy", "db")
    for name in ("api", "web"):
        bind = {"LocalBindAddress": world.host(name), "LocalBindPort": network.upstream_port}
        proxy = {"Upstreams": [{"DestinationName": "db", **bind}]}
        sidecar = {"Port": network.sidecar_port, "Proxy": proxy}
        definition = {"Name": name, "Address": world.host(name), "Port": network.app_port}
        await here.register({**definition, "Connect": {"SidecarService": sidecar}})
        await world.start_envoy(here, name, f"{name}-sidecar-proxy", name)
    await world.start_gateway(here, 1)
    await world.start_gateway(there, 1)
    await here.synced()
    await there.synced()
    await world.knows_gateways((world.host("dc2-gateway-1"), GATEWAY_PORT))
    await world.knows_db()
    for name in ("api", "web"):
        await until_listening(world.host(name), network.upstream_port)
    for name in ("db-1", "db-2"):
        await until_listening(world.host(name), network.sidecar_port)
    for name in ("dc1-gateway-1", "dc2-gateway-1"):
        await until_listening(world.host(name), GATEWAY_PORT)
    await until(lambda: _found_listening(there), "the sidecars of db are found listening")
    await there.synced()
