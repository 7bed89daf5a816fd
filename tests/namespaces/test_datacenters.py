"""The picture: api in one datacenter calls db in the other, web is denied, and gateways can read nothing."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import AsyncExitStack, closing
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
import pytest_asyncio

from tests.namespaces.calls import Calls, failed
from tests.namespaces.control_plane import PATIENCE, until
from tests.namespaces.datacenters import LAN, OUTER, Datacenters
from tests.namespaces.mesh import (
    ADMIN_PORT,
    GATEWAY_ADMIN_PORT,
    GATEWAY_PORT,
    GATEWAYS,
    Mesh,
)
from tests.namespaces.programs.app import ANSWER
from tests.namespaces.programs.caller import CLOSED, WORDS
from tests.namespaces.services import Service, Upstream
from xdsmesh.demo.datacenters.gateways import keys_in
from xdsmesh.demo.datacenters.knocks import client_hello

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.namespaces.capture import Capture
    from tests.namespaces.hosts import Host

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.envoy, pytest.mark.timeout(240)]

PROTOCOLS: Final = ("http", "http2", "grpc", "tcp")
DBS: Final = [Service("dc2", "db", f"db-{each}", each, place=place) for place, each in enumerate(PROTOCOLS)]


def upstreams(mode: str) -> list[Upstream]:
    return [Upstream(f"db-{each}", each, "dc2", mode) for each in PROTOCOLS]


API: Final = Service("dc1", "api", "api", upstreams=upstreams("local"))
WEB: Final = Service("dc1", "web", "web", upstreams=upstreams("local"))
BATCH: Final = Service("dc1", "gateway-1", "batch", upstreams=upstreams("remote"))
"""It runs where the outer network can be reached, for it calls the other gateways itself."""
DENIED: Final = {
    "http": {"403 intention"},
    "http2": {"403 intention"},
    "grpc": {"PERMISSION_DENIED: denied by an intention"},
    "tcp": {CLOSED, "ConnectionResetError: [Errno 104] Connection reset by peer"},
}
SECRETS: Final = ("private", "BEGIN", "session_ticket")
"""What a config dump has, in names or values, where there is a key."""


def entries() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for each in PROTOCOLS:
        allowed = [{"Name": name, "Action": "allow"} for name in ("api", "batch")]
        sources = [*allowed, {"Name": "web", "Action": "deny"}]
        found += [
            {"Kind": "service-defaults", "Name": f"db-{each}", "Protocol": each},
            {"Kind": "service-intentions", "Name": f"db-{each}", "Sources": sources},
        ]
    return found


class World(NamedTuple):
    """The mesh, what its services have got since it is complete, and all that crossed its gateways ever."""

    mesh: Mesh
    calls: dict[str, Calls]
    captures: dict[tuple[str, str], Capture]
    beside_api: Capture

    async def calls_since(self, caller: str, upstream: str, count: int = 10) -> list[Any]:
        """What became of the next so many calls."""
        began = time.monotonic()

        async def enough() -> bool:
            return len(self.calls[caller].all(f"{upstream}@dc2", since=began)) >= count

        await until(enough, f"{caller} has called {upstream} {count} times")
        return self.calls[caller].all(f"{upstream}@dc2", since=began)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("mesh")
    async with AsyncExitStack() as stack:
        net = await stack.enter_async_context(Datacenters(folder))
        mesh = await stack.enter_async_context(Mesh(net, folder))
        captures = {
            (datacenter, name): await stack.enter_async_context(mesh.host(datacenter, name).capture())
            for datacenter in OUTER
            for name in GATEWAYS
        }
        beside_api = await stack.enter_async_context(net.dc1.host("api").capture())
        await mesh.start(entries(), (API, WEB, BATCH, *DBS))
        calls = {each.name: await mesh.call(each, 0.1) for each in (API, WEB, BATCH)}
        yield World(mesh, calls, captures, beside_api)


@pytest.mark.parametrize("caller", ["api", "batch"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_who_is_allowed_is_answered_in_the_other_datacenter(
    world: World, protocol: str, caller: str
) -> None:
    calls = await world.calls_since(caller, f"db-{protocol}")
    assert not failed(calls)
    assert {call.answered for call in calls} == {f"dc2 db-{protocol}"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_who_is_denied_is_told_so_from_the_other_datacenter(world: World, protocol: str) -> None:
    calls = await world.calls_since("web", f"db-{protocol}")
    assert {call.failure for call in calls} <= DENIED[protocol]


async def test_a_caller_dials_its_own_gateways_or_the_others_as_its_mode_says(world: World) -> None:
    await asyncio.gather(*(world.calls_since(each, "db-tcp") for each in ("api", "batch")))
    net = world.mesh.net
    assert await dialled(net.dc1.host("api")) == {LAN[each] for each in GATEWAYS}
    assert await dialled(net.dc1.host("gateway-1")) == {OUTER["dc2"][each] for each in GATEWAYS}


async def dialled(host: Host) -> set[str]:
    """The addresses of the endpoints of other services at which the first Envoy of a host has connected."""
    url = f"http://127.0.0.1:{ADMIN_PORT}/clusters?format=json"
    clusters = (await host.request(url)).json()["cluster_statuses"]
    return {
        endpoint["address"]["socket_address"]["address"]
        for cluster in clusters
        if ".dc2.internal." in cluster["name"]
        for endpoint in cluster.get("host_statuses", ())
        if any(it["name"] == "cx_total" and int(it.get("value", 0)) for it in endpoint["stats"])
    }


async def test_gateways_forward_what_they_cannot_read(world: World) -> None:
    await asyncio.gather(*(world.calls_since(who, f"db-{each}") for who in world.calls for each in PROTOCOLS))
    for gateway, capture in world.captures.items():
        assert capture.size("outer") > 10_000, gateway
        for marker, interface in itertools.product((WORDS, ANSWER), ("outer", "lan")):
            assert not capture.contains(marker, interface), (gateway, interface)
    # The same look finds both before the Envoy of api, on its loopback; and neither behind it.
    for marker in (WORDS, ANSWER):
        assert world.beside_api.contains(marker, "lo")
        assert not world.beside_api.contains(marker, "lan")


async def test_only_what_is_meant_to_be_is_asked_for_between_the_gateways(world: World) -> None:
    domain = (await world.mesh.dc1.get("/v1/connect/ca/roots"))["TrustDomain"]
    services = {f"db-{each}.default.dc2.internal.{domain}" for each in PROTOCOLS}
    links = {"server.dc1.consul", "server.dc2.consul"}
    seen = set().union(*(capture.server_names("outer") for capture in world.captures.values()))
    assert seen - STRANGERS == services | links
    inside = set().union(*(world.captures["dc1", name].server_names("lan") for name in GATEWAYS))
    assert inside == services | links


STRANGERS: Final = {"", "payroll.example.com"}
"""What is asked for by nobody but the test of strangers."""


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_a_stranger_at_the_outer_address_gets_nothing(world: World, gateway: str) -> None:
    outside = world.mesh.net.dc1.host("gateway-2")
    for said in (
        client_hello("payroll.example.com"),
        client_hello(None),
        b"GET / HTTP/1.1\r\nhost: db\r\n\r\n",
    ):
        assert await told(outside, OUTER["dc2"][gateway], said) == b""


async def told(host: Host, address: str, said: bytes) -> bytes:
    """All that comes back until the connection ends."""
    reader, writer = await host.connect(address, GATEWAY_PORT)
    with closing(writer):
        writer.write(said)
        try:
            async with asyncio.timeout(PATIENCE):
                return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("datacenter", OUTER)
async def test_a_gateway_has_no_secret(world: World, datacenter: str) -> None:
    for name in GATEWAYS:
        dump = await config_dump(world.mesh.host(datacenter, name), GATEWAY_ADMIN_PORT)
        assert "filter_chains" in dump.text
        assert not list(keys_in(dump.json()))
        assert not [word for word in SECRETS if word in dump.text]
    # The same look at the Envoy of db finds that it has some.
    dump = await config_dump(world.mesh.net.dc2.host("db"), ADMIN_PORT)
    assert list(keys_in(dump.json()))


async def config_dump(host: Host, port: int) -> Any:
    return (await host.request(f"http://127.0.0.1:{port}/config_dump?include_eds")).raise_for_status()


@pytest.mark.parametrize("host", LAN)
async def test_no_host_reaches_the_control_plane_or_a_host_of_the_other_datacenter(
    world: World, host: str
) -> None:
    mine = world.mesh.host("dc1", host)
    found = await mine.request(f"http://{LAN['control-plane']}:8500/v1/status/leader")
    assert found.status_code in (200, 403)
    # db has sidecars in dc2 alone, so the host that has its address here is another one.
    with pytest.raises(ConnectionRefusedError):
        await mine.connect(LAN["db"], 21000)
