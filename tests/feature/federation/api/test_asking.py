"""``?dc=``: what is read of another datacenter, and what is not asked of one."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.feature.federation.conftest import until

if TYPE_CHECKING:
    from tests.feature.federation.api.conftest import Served

READS = (
    *(
        "catalog/nodes",
        "catalog/services",
        "catalog/service/web",
        "catalog/connect/web",
        "catalog/node/node-dc2",
    ),
    *("health/service/web", "health/connect/web", "health/checks/web", "health/state/any"),
    *("config/service-defaults", "discovery-chain/web", "connect/intentions", "connect/ca/roots"),
    "connect/intentions/match?by=source&name=web",
    "xdsmesh/intentions/check?source=a&destination=b",
)
"""What one datacenter may read of another."""

LOCAL = (
    *("agent/self", "agent/services", "agent/connect/ca/leaf/web", "agent/connect/ca/roots"),
    *("connect/ca/configuration", "xdsmesh/tokens", "xdsmesh/proxies", "xdsmesh/ca/status"),
)
"""What only a datacenter's own control plane tells."""


async def test_each_read_of_another_datacenter_is_answered_by_it(primary: Served, secondary: Served) -> None:
    await secondary.api.put("/v1/agent/service/register", json={"Name": "web", "Port": 80})
    for path in READS:
        joined = "&" if "?" in path else "?"
        asked = await primary.api.get(f"/v1/{path}{joined}dc=dc2")
        there = await secondary.api.get(f"/v1/{path}")
        assert (asked.status_code, asked.content) == (there.status_code, there.content), path
        assert asked.headers.get("X-Consul-Index") == there.headers.get("X-Consul-Index"), path
        assert asked.headers["Content-Type"] == there.headers["Content-Type"]
    nodes = (await primary.api.get("/v1/catalog/nodes?dc=dc1&datacenter=dc2")).json()
    assert [each["Node"] for each in nodes] == ["node-dc2"], "datacenter wins"


async def test_a_large_answer_stays_packed_and_is_readable(primary: Served, secondary: Served) -> None:
    for number in range(20):
        await secondary.api.put("/v1/agent/service/register", json={"Name": f"service-{number}"})
    whole = await primary.api.get("/v1/catalog/node-services/node-dc2?dc=dc2")
    assert whole.headers["Content-Encoding"] == "gzip"
    assert len(whole.json()["Services"]) >= 20


async def test_a_blocking_read_of_another_datacenter_wakes_by_a_change_there(
    primary: Served, secondary: Served
) -> None:
    first = await primary.api.get("/v1/catalog/service/web?dc=dc2")
    index = first.headers["X-Consul-Index"]
    waiting = asyncio.create_task(primary.api.get(f"/v1/catalog/service/web?dc=dc2&index={index}&wait=60s"))
    async with asyncio.timeout(10):
        while not secondary.parts.queries.waiting:  # noqa: ASYNC110 - that one waits is no event
            await asyncio.sleep(0.005)
    await secondary.api.put("/v1/agent/service/register", json={"Name": "web"})
    answer = await waiting
    assert [each["ServiceName"] for each in answer.json()] == ["web"]
    assert int(answer.headers["X-Consul-Index"]) > int(index)


async def test_a_client_that_goes_away_waits_nowhere(primary: Served, secondary: Served) -> None:
    index = (await primary.api.get("/v1/catalog/services?dc=dc2")).headers["X-Consul-Index"]
    waiting = asyncio.create_task(primary.api.get(f"/v1/catalog/services?dc=dc2&index={index}&wait=60s"))
    async with asyncio.timeout(10):
        while not secondary.parts.queries.waiting:  # noqa: ASYNC110 - that one waits is no event
            await asyncio.sleep(0.005)
        waiting.cancel()
        while secondary.parts.queries.waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_an_unknown_datacenter_is_told_with_those_there_are(primary: Served) -> None:
    answer = await primary.api.get("/v1/catalog/services?dc=dc9")
    assert (answer.status_code, answer.text) == (500, "No path to datacenter 'dc9' (there is dc1, dc2)")


async def test_a_datacenter_out_of_reach_is_told_with_why_and_since_when(
    primary: Served, secondary: Served
) -> None:
    for each in (primary, secondary):
        each.relay.cut()
    await until(lambda: not primary.datacenter.is_up("dc2"), "the link is down")
    answer = await primary.api.get("/v1/catalog/services?dc=dc2")
    assert answer.status_code == 503
    assert answer.text.startswith("datacenter dc2 can't be reached: ")
    assert re.search(r"; the link through 127.0.0.1:\d+ is (down|connecting) since 20\d\d-", answer.text)
    assert "xdsmesh dc status dc2" in answer.text


@pytest.mark.parametrize("path", LOCAL)
async def test_what_is_about_a_control_plane_itself_is_not_asked_of_another(
    primary: Served, path: str
) -> None:
    answer = await primary.api.get(f"/v1/{path}?dc=dc2")
    assert answer.status_code == 400
    assert "send it to that of dc2, this is the one of dc1" in answer.text


async def test_registrations_are_made_where_they_belong(primary: Served, secondary: Served) -> None:
    body: dict[str, Any] = {"Node": "vm", "Address": "10.0.0.1", "Service": {"Service": "db"}}
    by_query = await primary.api.put("/v1/catalog/register?dc=dc2", json=body)
    by_body = await primary.api.put("/v1/catalog/register", json={**body, "Datacenter": "dc2"})
    agent = await primary.api.put("/v1/agent/service/register?dc=dc2", json={"Name": "db"})
    for answer in (by_query, by_body, agent):
        assert answer.status_code == 400, answer.text
        assert "own control plane" in answer.text
    for each in (primary, secondary):
        assert "db" not in (await each.api.get("/v1/catalog/services")).json()


async def test_a_header_makes_no_request_one_of_a_datacenter(secondary: Served) -> None:
    body = {"Kind": "service-defaults", "Name": "web"}
    headers = {"asking datacenter".replace(" ", "-"): "dc1", "x-forwarded-for": "10.9.9.9"}
    answer = await secondary.api.get("/v1/agent/self", headers=headers)
    assert answer.status_code == 200, "it is answered as what it is: a request of this machine"
    await secondary.api.put("/v1/config", json=body, headers=headers)
    origin = await secondary.parts.repository.entry("service-defaults", "web")
    assert origin is not None


async def test_all_datacenters_are_listed_the_own_first(primary: Served, secondary: Served) -> None:
    assert (await primary.api.get("/v1/catalog/datacenters")).json() == ["dc1", "dc2"]
    assert (await secondary.api.get("/v1/catalog/datacenters")).json() == ["dc2", "dc1"]
    for each in (primary, secondary):
        about = (await each.api.get("/v1/agent/self")).json()["Config"]
        assert (about["Datacenter"], about["PrimaryDatacenter"]) == (each.name, "dc1")
