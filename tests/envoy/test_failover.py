"""Stock Envoys fail over and back, retry elsewhere, and keep requests with equal hashes together."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import pytest

from xdsmesh.bootstrap import find_envoy
from xdsmesh.demo.control import Control
from xdsmesh.demo.layout import CLIENT, INSTANCES, SERVER_HOST, WEB
from xdsmesh.demo.load import Answer, Client, Load, failures
from xdsmesh.demo.network import Network, claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.demo.running import RunningMesh

pytestmark = pytest.mark.envoy

WITHOUT_FAILOVER: Final = """
Kind = "service-resolver"
Name = "web"
ConnectTimeout = "3s"
"""
WEB_FAILS_OVER: Final = WITHOUT_FAILOVER + 'Failover = { "*" = { Service = "admin" } }\n'
RETRIES: Final = """
Kind = "service-router"
Name = "web"
Routes = [{ Destination { RetryOnConnectFailure = true } }]
"""
SUBSETS: Final = """
Kind = "service-resolver"
Name = "admin"
DefaultSubset = "v1"
Subsets = { v1 = { Filter = "Service.Meta.version == 1" }, v2 = { Filter = "Service.Meta.version == 2" } }
"""
CRITICAL: Final = 'check {\n name = "test"\n status = "critical"\n }\n  connect {'


class Mesh:
    """The demo's mesh, whose config files a test changes while it runs."""

    def __init__(
        self, running: RunningMesh, network: Network, processes: Processes, control: Control, client: Client
    ) -> None:
        self.client = client
        self.network = network
        self._running = running
        self._processes = processes
        self._control = control
        self._revision = 0

    @property
    def upstream(self) -> str:
        return f"http://{self.network.host(CLIENT.host)}:{self.network.upstream_port}"

    async def change(self, files: dict[str, str | None]) -> None:
        """Write or remove config files, in order; return when every proxy has acknowledged what follows."""
        for name, text in files.items():
            before = max(proxy.revision for proxy in (await self._control.snapshot()).connected)
            if text is None:
                (self._running.config / name).unlink()
            else:
                draft = self._running.config.parent / f"{name}.new"
                draft.write_text(text)
                draft.replace(self._running.config / name)
            await self.wait(partial(self._control.at_revision, before + 1), f"{name} is taken in")
        await self.synced()

    async def synced(self) -> None:
        """Return when all proxies that are registered are connected, and hold what they should."""
        registered = {each.proxy for each in INSTANCES if (each is not WEB or self.has("web.hcl"))}
        await self.wait(lambda: self._control.synced(registered), "all proxies are in sync")

    def has(self, name: str) -> bool:
        return (self._running.config / name).exists()

    async def wait(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        await self._running.wait(condition, 30, what)

    async def kill_envoy(self, name: str) -> None:
        await self._processes.kill(next(it for it in self._processes._children if it.name == name))

    def text(self, name: str) -> str:
        return (self._running.config / name).read_text()

    async def answers(self, load: Load, count: int = 300) -> list[Answer]:
        """The answers to so many requests that are sent from now on."""
        begin = len(load.answers)
        await self.wait(lambda: load.has_sent(begin + 16), "requests that were under way are answered")
        begin = len(load.answers)
        await self.wait(lambda: load.has_sent(begin + count), f"{count} more requests are answered")
        return load.answers[begin:]


@pytest.fixture
async def mesh(tmp_path: Path) -> AsyncIterator[Mesh]:
    with claimed_network() as network:
        api = f"http://{network.host(SERVER_HOST)}:{network.http_port}"
        upstream = f"http://{network.host(CLIENT.host)}:{network.upstream_port}"
        async with Processes(tmp_path) as processes, Control(api) as control, Client(upstream) as client:
            running = RunningMesh(tmp_path, network, processes)
            running.write_config()
            await running.start_server()
            await running.start_apps()
            await running.wait(control.answers, 20, "the server answers")
            await running.start_envoys(find_envoy())
            mesh = Mesh(running, network, processes, control, client)
            await mesh.synced()
            yield mesh


def services(answers: list[Answer]) -> set[str]:
    assert not failures(answers)
    return {answer.service for answer in answers}


async def test_failover_is_added_used_and_taken_away_without_a_failed_request(mesh: Mesh) -> None:
    await mesh.change({"web-router.hcl": None, "web-resolver.hcl": WITHOUT_FAILOVER})
    web = mesh.text("web.hcl")
    load = Load(mesh.client, "/x")
    async with load:
        assert services(await mesh.answers(load)) == {"web"}
        for gone in (web.replace("connect {", CRITICAL, 1), None):
            await mesh.change({"web-resolver.hcl": WEB_FAILS_OVER})
            assert services(await mesh.answers(load)) == {"web"}
            await mesh.change({"web.hcl": gone})
            assert services(await mesh.answers(load)) == {"admin"}
            await mesh.change({"web.hcl": web})
            assert services(await mesh.answers(load)) == {"web"}
            await mesh.change({"web-resolver.hcl": WITHOUT_FAILOVER})
            assert services(await mesh.answers(load)) == {"web"}
    assert failures(load.answers) == {}


async def test_a_tcp_connection_outlives_failover_that_is_added_and_taken_away(mesh: Mesh) -> None:
    tcp = mesh.text("proxy-defaults.hcl").replace('"http"', '"tcp"')
    await mesh.change({"web-router.hcl": None, "admin-splitter.hcl": None, "proxy-defaults.hcl": tcp})
    reader, writer = await asyncio.open_connection(mesh.network.host(CLIENT.host), mesh.network.upstream_port)

    async def answer() -> bytes:
        writer.write(b"GET /x HTTP/1.1\r\nhost: web\r\n\r\n")
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n\r\n")
            return await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0]))

    try:
        first = await answer()
        for resolver in (WITHOUT_FAILOVER, WEB_FAILS_OVER, WITHOUT_FAILOVER):
            await mesh.change({"web-resolver.hcl": resolver})
            assert await answer() == first
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_retry_goes_to_the_next_member(mesh: Mesh) -> None:
    """The sidecar of the only instance has crashed, and nobody has told the catalog yet."""
    await mesh.change({"web-router.hcl": RETRIES, "web-resolver.hcl": WEB_FAILS_OVER})
    assert services(await mesh.client.ask_many("/x", 50)) == {"web"}
    await mesh.kill_envoy(f"envoy of {WEB.id}")
    # One after the other, since Envoy makes no more than three retries at a time.
    assert services([await mesh.client.ask("/x") for _ in range(50)]) == {"admin"}


async def test_nothing_goes_elsewhere_while_one_instance_is_healthy(mesh: Mesh) -> None:
    failing = SUBSETS + 'Failover = { v1 = { Service = "web" } }\n'
    critical = {
        f"admin-v1-{number}.hcl": mesh.text(f"admin-v1-{number}.hcl").replace("connect {", CRITICAL, 1)
        for number in (1, 2)
    }
    await mesh.change({"admin-splitter.hcl": None, "admin-resolver.hcl": failing, **critical})
    assert services(await mesh.client.ask_many("/admin/x", 300)) == {"admin"}
    last = mesh.text("admin-v1-3.hcl").replace("connect {", CRITICAL, 1)
    await mesh.change({"admin-v1-3.hcl": last})
    assert services(await mesh.client.ask_many("/admin/x", 100)) == {"web"}


@pytest.mark.parametrize("policy", ["ring_hash", "maglev"])
async def test_requests_with_the_same_hash_reach_the_same_instance(mesh: Mesh, policy: str) -> None:
    balanced = f"""{SUBSETS}
        LoadBalancer = {{
          Policy = "{policy}"
          HashPolicies = [
            {{ Field = "header", FieldValue = "x-user", Terminal = true }},
            {{ Field = "cookie", FieldValue = "visit", CookieConfig = {{ Session = true, Path = "/x" }} }},
          ]
        }}"""
    await mesh.change({"admin-splitter.hcl": None, "admin-resolver.hcl": balanced})
    async with httpx.AsyncClient(base_url=mesh.upstream, trust_env=False) as http:

        async def instances(headers: dict[str, str], count: int = 5) -> set[str]:
            answers = [(await http.get("/admin/x", headers=headers)).json() for _ in range(count)]
            return {answer["instance"] for answer in answers}

        by_user = [await instances({"x-user": f"user-{number}"}) for number in range(30)]
        assert {len(each) for each in by_user} == {1}
        assert len(set().union(*by_user)) == 3
        first = await http.get("/admin/x")
        assert "; Path=/x; HttpOnly" in first.headers["set-cookie"]
        assert "Max-Age" not in first.headers["set-cookie"]
        cookie = {"cookie": first.headers["set-cookie"].partition(";")[0]}
        http.cookies.clear()
        assert await instances(cookie, 20) == {first.json()["instance"]}


async def test_connections_of_one_address_reach_the_same_instance(mesh: Mesh) -> None:
    balanced = SUBSETS + 'LoadBalancer = { Policy = "maglev", HashPolicies = [{ SourceIP = true }] }\n'
    redirect = 'Kind = "service-resolver"\nName = "web"\nRedirect { Service = "admin" }\n'
    await mesh.change(
        {
            "web-router.hcl": None,
            "admin-splitter.hcl": None,
            "admin-resolver.hcl": balanced,
            "web-resolver.hcl": redirect,
            "proxy-defaults.hcl": mesh.text("proxy-defaults.hcl").replace('"http"', '"tcp"'),
        }
    )
    reached = Counter[str]()
    for number in range(100, 130):
        instances = {await _instance_reached_from(mesh, mesh.network.host(number)) for _ in range(4)}
        assert len(instances) == 1
        reached.update(instances)
    assert len(reached) == 3


async def _instance_reached_from(mesh: Mesh, address: str) -> str:
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(base_url=mesh.upstream, transport=transport, trust_env=False) as http:
        instance: str = (await http.get("/x")).json()["instance"]
        return instance
