"""Checks that are registered with the agent: their ids and defaults, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.feature.api.conftest import Agent

REGISTER = "/v1/agent/check/register"
NODE = "n1"
TTL = {"TTL": "1h"}
UNKNOWN = "Unknown check ID"

Json = dict[str, Any]


IDS: list[tuple[Json, list[str]]] = [
    ({"Check": TTL}, ["service:web-1"]),
    ({"Checks": [TTL]}, ["service:web-1"]),
    ({"Checks": [TTL, TTL]}, ["service:web-1:1", "service:web-1:2"]),
    ({"Check": TTL, "Checks": [TTL]}, ["service:web-1:1", "service:web-1:2"]),
    ({"Checks": [TTL, {**TTL, "CheckID": "own"}, TTL]}, ["own", "service:web-1:1", "service:web-1:3"]),
    ({"Check": None, "Checks": None}, []),
    ({"Check": {}, "Checks": []}, []),
]


async def test_checks_are_called_after_their_service_unless_they_have_an_id(agent: Agent) -> None:
    for checks, ids in IDS:
        await agent.put("service/register", {"ID": "web-1", "Name": "web", **checks})
        assert sorted(await agent.checks()) == ids
        assert {each["Name"] for each in (await agent.checks()).values()} <= {"Service 'web' check"}
        await agent.put("service/deregister/web-1")


async def test_a_check_of_a_service_has_these_defaults(api: httpx.AsyncClient, agent: Agent) -> None:
    await agent.service(TTL, Tags=["v1"])
    assert (await agent.checks())["service:web"] == {
        "Node": NODE,
        "CheckID": "service:web",
        "Name": "Service 'web' check",
        "Status": "critical",
        "Notes": "",
        "Output": "",
        "ServiceID": "web",
        "ServiceName": "web",
        "ServiceTags": ["v1"],
        "Type": "ttl",
        "Interval": "",
        "Timeout": "",
        "ExposedPort": 0,
        "Definition": {},
        "CreateIndex": 0,
        "ModifyIndex": 0,
    }
    (in_catalog,) = (await api.get("/v1/health/checks/web")).json()
    assert in_catalog["CreateIndex"] > 0


@pytest.mark.parametrize(
    ("body", "check_id"), [({"Name": "disk"}, "disk"), ({"Name": "disk", "ID": "d1"}, "d1")]
)
async def test_a_check_by_itself_is_called_by_its_id_else_its_name(
    agent: Agent, body: Json, check_id: str
) -> None:
    await agent.check(**body, **TTL, Notes="how full it is")
    (only,) = (await agent.checks()).values()
    assert (only["CheckID"], only["Name"], only["Notes"]) == (check_id, "disk", "how full it is")
    assert (only["ServiceID"], only["ServiceName"], only["ServiceTags"]) == ("", "", [])


async def test_a_check_of_the_node_counts_for_every_service_on_it(
    api: httpx.AsyncClient, agent: Agent
) -> None:
    await agent.service()
    await agent.check(Name="disk", **TTL)
    assert (await api.get("/v1/health/service/web", params={"passing": "1"})).json() == []
    await agent.put("check/pass/disk")
    (row,) = (await api.get("/v1/health/service/web", params={"passing": "1"})).json()
    assert {each["CheckID"] for each in row["Checks"]} == {"serfHealth", "disk"}
    await agent.put("check/warn/disk")
    assert (await api.get("/v1/health/service/web", params={"passing": "1"})).json() == []


PROBES: list[tuple[Json, str, str, str]] = [
    ({"TTL": "90s"}, "ttl", "", ""),
    ({"HTTP": "http://127.0.0.1:1/", "Interval": "90s"}, "http", "1m30s", "10s"),
    ({"TCP": "127.0.0.1:1", "Interval": "10ms", "Timeout": "250ms"}, "tcp", "1s", "250ms"),
    ({"GRPC": "127.0.0.1:1/web", "Interval": 10_000_000_000}, "grpc", "10s", "10s"),
    ({"UDP": "127.0.0.1:1", "Interval": "1h"}, "udp", "1h0m0s", "10s"),
    ({"H2PING": "127.0.0.1:1", "Interval": "10s", "Timeout": 3_000_000_000}, "h2ping", "10s", "3s"),
    ({"AliasService": "web"}, "alias", "", ""),
    ({"AliasNode": NODE}, "alias", "", ""),
    ({"args": [], "http": "http://127.0.0.1:1/", "interval": "10s"}, "http", "10s", "10s"),
]


async def test_a_check_is_of_the_kind_that_its_target_says(agent: Agent) -> None:
    for body, kind, interval, patience in PROBES:
        await agent.check(Name="c", **body)
        found = (await agent.checks())["c"]
        assert (found["Type"], found["Interval"], found["Timeout"]) == (kind, interval, patience)
        await agent.put("check/deregister/c")


STATUSES: list[str] = ["passing", "warning", "critical"]


async def test_a_check_begins_with_the_status_that_it_is_given(agent: Agent) -> None:
    for first in STATUSES:
        await agent.service({**TTL, "Status": first})
        await agent.check(Name="c", Status=first, **TTL)
        assert {each["Status"] for each in (await agent.checks()).values()} == {first}
        await agent.put("service/deregister/web")
        await agent.put("check/deregister/c")


WRONG: list[tuple[Json, str]] = [
    (TTL, "Name"),
    ({"Name": "c"}, "TTL"),
    ({"Name": "c", **TTL, "TCP": "127.0.0.1:1"}, "exclude"),
    ({"Name": "c", **TTL, "Interval": "10s"}, "Interval"),
    ({"Name": "c", "HTTP": "http://127.0.0.1:1/"}, "Interval"),
    ({"Name": "c", "TCP": "127.0.0.1:1", "Interval": "0s"}, "Interval"),
    ({"Name": "c", "TCP": "127.0.0.1:1", "Interval": "-1s"}, "negative"),
    ({"Name": "c", "AliasService": "web", "Interval": "10s"}, "Interval"),
    ({"Name": "c", "TCP": "127.0.0.1:1", "Interval": "10"}, "Interval"),
    ({"Name": "c", **TTL, "Status": "fine"}, "fine"),
    ({"Name": "c", **TTL, "Status": "Passing"}, "Passing"),
    ({"Name": "c", **TTL, "FailuresBeforeWarning": 3, "FailuresBeforeCritical": 2}, "FailuresBefore"),
    ({"Name": "c", "Args": ["true"], "Interval": "10s"}, "runs no commands"),
    ({"Name": "c", "Script": "true", "Interval": "10s"}, "runs no commands"),
    ({"Name": "c", **TTL, "Nonsense": 1}, "Nonsense"),
]


async def test_a_wrong_check_is_refused_wherever_it_stands(api: httpx.AsyncClient, agent: Agent) -> None:
    for body, told in WRONG:
        answer = await api.put(REGISTER, json=body)
        assert answer.status_code == 400
        assert told in answer.text
        if "Name" in body:
            in_service = await api.put("/v1/agent/service/register", json={"Name": "web", "Check": body})
            assert in_service.status_code == 400
            assert told in in_service.text
        assert await agent.checks() == {}
        assert (await api.get("/v1/agent/services")).json() == {}


async def test_a_check_is_of_a_service_that_is_there(api: httpx.AsyncClient, agent: Agent) -> None:
    answer = await api.put(REGISTER, json={"Name": "c", "ServiceID": "nobody", **TTL})
    assert answer.status_code == 404
    assert 'ServiceID "nobody" does not exist' in answer.text
    await agent.service()
    await agent.check(Name="c", service_id="web", **TTL)
    assert (await agent.checks())["c"]["ServiceName"] == "web"


async def test_a_check_that_is_registered_again_keeps_what_it_said(agent: Agent) -> None:
    await agent.service(TTL)
    await agent.check(Name="disk", **TTL)
    for check_id in ("service:web", "disk"):
        await agent.put(f"check/pass/{check_id}", note="fine")
    await agent.service({"TTL": "2h", "Notes": "new", "Status": "critical"})
    await agent.check(Name="disk", TCP="127.0.0.1:1", Interval="1h", Status="critical", Notes="new")
    found = await agent.checks()
    assert [found[each]["Notes"] for each in ("service:web", "disk")] == ["new", "new"]
    assert (found["service:web"]["Status"], found["service:web"]["Output"]) == ("passing", "fine")
    assert found["disk"]["Type"] == "tcp"


async def test_checks_that_are_not_given_again_stay_unless_they_are_to_be_replaced(
    agent: Agent,
) -> None:
    await agent.service(TTL)
    await agent.service(name="other", Check=TTL)
    await agent.check(Name="own", ServiceID="web", **TTL)
    await agent.check(Name="disk", **TTL)
    await agent.put("check/pass/service:web", note="fine")

    await agent.service()
    everything = {"service:web", "own", "disk", "service:other"}
    assert set(await agent.checks()) == everything
    for value in ("false", "0"):
        body = {"Name": "web", "Checks": [{**TTL, "CheckID": "new"}]}
        await agent.put("service/register", body, **{"replace-existing-checks": value})
        assert set(await agent.checks()) == everything | {"new"}
    body = {"Name": "web", "Checks": [TTL]}
    await agent.put("service/register", body, **{"replace-existing-checks": "true"})
    assert set(await agent.checks()) == {"service:web", "disk", "service:other"}
    assert await agent.said("service:web") == ("passing", "fine")
    await agent.put("service/register", {"Name": "web"}, **{"replace-existing-checks": ""})
    assert set(await agent.checks()) == {"disk", "service:other"}


async def test_a_check_goes_when_it_is_deregistered_or_its_service_is(
    api: httpx.AsyncClient, agent: Agent
) -> None:
    await agent.service(TTL, {**TTL, "CheckID": "a/b:c d"})
    await agent.check(Name="own", ServiceID="web", **TTL)
    await agent.check(Name="disk", **TTL)
    await agent.put("check/deregister/a/b:c d")
    assert set(await agent.checks()) == {"service:web:1", "own", "disk"}
    again = await api.put("/v1/agent/check/deregister/a/b:c d")
    assert again.status_code == 404
    assert f'{UNKNOWN} "a/b:c d"' in again.text
    await agent.put("service/deregister/web")
    assert set(await agent.checks()) == {"disk"}
    await agent.service(TTL)
    assert (await agent.checks())["service:web"]["Status"] == "critical", "it has forgotten its former life"


async def test_a_check_may_move_to_another_service(api: httpx.AsyncClient, agent: Agent) -> None:
    await agent.service()
    await agent.service(name="other")
    await agent.check(Name="c", ServiceID="web", **TTL)
    await agent.put("check/pass/c")
    await agent.check(Name="c", ServiceID="other", **TTL)
    assert (await api.get("/v1/health/checks/web")).json() == []
    (moved,) = (await api.get("/v1/health/checks/other")).json()
    assert (moved["CheckID"], moved["Status"], moved["ServiceName"]) == ("c", "passing", "other")
    await agent.put("service/deregister/web")
    assert set(await agent.checks()) == {"c"}


async def test_a_check_that_nobody_makes_says_what_it_was_registered_with_last(agent: Agent) -> None:
    for word in ("passing", "critical", "warning"):
        await agent.check(ID="disk", Name="disk", Status=word)
        assert await agent.said("disk") == (word, "")
