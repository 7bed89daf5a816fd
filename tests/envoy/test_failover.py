"""Stock Envoys fail over and back, retry elsewhere, and keep requests with equal hashes together."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from xdsmesh.demo.layout import CLIENT, WEB
from xdsmesh.demo.load import Answer, Load, failures

if TYPE_CHECKING:
    from tests.envoy.conftest import Mesh

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
PASSIVE_CHECK: Final = """
Kind = "service-defaults"
Name = "client"
Protocol = "http"
UpstreamConfig { Defaults { PassiveHealthCheck { MaxFailures = 2 } } }
"""
SUBSETS: Final = """
Kind = "service-resolver"
Name = "admin"
DefaultSubset = "v1"
Subsets = { v1 = { Filter = "Service.Meta.version == 1" }, v2 = { Filter = "Service.Meta.version == 2" } }
"""
CRITICAL: Final = 'check {\n name = "test"\n status = "critical"\n }\n  connect {'


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
    assert services(await mesh.client.ask_many("/x", 300)) == {"admin"}


async def test_a_retry_goes_to_another_instance(mesh: Mesh) -> None:
    once = RETRIES.replace("RetryOn", 'Service = "admin", NumRetries = 1, RetryOn')
    idle_first = SUBSETS + 'LoadBalancer { Policy = "least_request" }\n'
    await mesh.change({"admin-splitter.hcl": None, "web-router.hcl": once, "admin-resolver.hcl": idle_first})
    await mesh.kill_envoy("envoy of admin-v1-1")
    assert services(await mesh.client.ask_many("/x", 300)) == {"admin"}


async def test_an_instance_that_fails_is_left_out_even_if_there_are_few(mesh: Mesh) -> None:
    await mesh.change({"admin-splitter.hcl": None, "client-defaults.hcl": PASSIVE_CHECK})
    await mesh.kill_envoy("envoy of admin-v1-1")
    answers = [await mesh.client.ask("/admin/x") for _ in range(60)]
    assert failures(answers[:20])
    assert not failures(answers[20:])


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
