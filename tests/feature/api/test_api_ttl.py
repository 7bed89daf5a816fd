"""Checks whose owners say how they are, in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.feature.api.conftest import Agent

TTL = {"TTL": "1h"}
UNKNOWN = "Unknown check ID"

Json = dict[str, Any]

WORDS: list[tuple[str, str]] = [("pass", "passing"), ("warn", "warning"), ("fail", "critical")]


async def test_the_owner_of_a_ttl_check_says_how_it_is(api: httpx.AsyncClient, agent: Agent) -> None:
    for word, health in WORDS:
        await agent.service(TTL)
        await agent.put(f"check/{word}/service:web", note="as I said")
        assert await agent.said("service:web") == (health, "as I said")
        (in_catalog,) = (await api.get("/v1/health/checks/web")).json()
        assert (in_catalog["Status"], in_catalog["Output"]) == (health, "as I said")
        await agent.put(f"check/{word}/service:web")
        assert await agent.said("service:web") == (health, "")
        await agent.put("check/update/service:web", {"Status": health, "Output": "in a body"})
        assert await agent.said("service:web") == (health, "in a body")


@pytest.mark.parametrize(("size", "kept"), [(0, 4096), (100, 100), (5000, 4096)])
async def test_of_long_output_the_beginning_is_kept(agent: Agent, size: int, kept: int) -> None:
    await agent.check(Name="c", OutputMaxSize=size, **TTL)
    text = "x" * 4999
    for path, body, params in (
        ("update", {"Status": "passing", "Output": text}, {}),
        ("pass", None, {"note": text}),
    ):
        await agent.put(f"check/{path}/c", body, **params)
        _, output = await agent.said("c")
        assert output == "x" * kept


@pytest.mark.parametrize("word", ["pass", "warn", "fail", "update"])
async def test_only_ttl_checks_are_told_how_they_are(api: httpx.AsyncClient, agent: Agent, word: str) -> None:
    await agent.check(Name="tcp", TCP="127.0.0.1:1", Interval="1h")
    body = {"Status": "passing"} if word == "update" else None
    answer = await api.put(f"/v1/agent/check/{word}/tcp", json=body)
    assert answer.status_code == 400
    assert 'CheckID "tcp" does not have associated TTL' in answer.text
    answer = await api.put(f"/v1/agent/check/{word}/nobody", json=body)
    assert answer.status_code == 404
    assert f'{UNKNOWN} "nobody"' in answer.text


NO_STATUSES: list[Json] = [
    {},
    {"Status": ""},
    {"Status": "fine"},
    {"Status": "PASSING"},
    {"Status": "pass"},
    {"Output": "x"},
]


async def test_a_status_is_one_of_three_words(api: httpx.AsyncClient, agent: Agent) -> None:
    for body in NO_STATUSES:
        await agent.check(Name="c", **TTL)
        answer = await api.put("/v1/agent/check/update/c", json=body)
        assert answer.status_code == 400
        assert "Status" in answer.text
        assert await agent.said("c") == ("critical", "")


async def test_who_says_nothing_in_time_is_critical_until_he_speaks_again(agent: Agent) -> None:
    await agent.check(Name="c", TTL="50ms")
    assert await agent.until_is("c", "critical", "TTL expired") == "TTL expired"
    await agent.put("check/pass/c", note="here I am")
    told = await agent.until_is("c", "critical", "TTL expired")
    assert told.startswith("TTL expired")
    assert "here I am" in told


async def test_who_speaks_in_time_stays_as_he_says(agent: Agent) -> None:
    await agent.check(Name="late", TTL="500ms", Status="passing")
    await agent.check(Name="kept", TTL="500ms", Status="passing")
    await asyncio.gather(
        agent.until_is("late", "critical"), beating(agent, "kept", until=agent.until_is("late", "critical"))
    )
    assert (await agent.said("kept"))[0] == "passing"


async def beating(agent: Agent, check_id: str, until: Awaitable[Any]) -> None:
    ended = asyncio.ensure_future(until)
    while not ended.done():
        await agent.put(f"check/pass/{check_id}")
        await asyncio.wait([ended], timeout=0.05)
    await ended
