"""Intentions, one pair of services at a time; they are kept in entries of their destinations."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_entry
from xdsmesh.model.origin import Origin, Source

Held = Callable[..., Awaitable[None]]

INTENTIONS = "/v1/connect/intentions"
EXACT = f"{INTENTIONS}/exact"
HTTP = {"Kind": "service-defaults", "Name": "api", "Protocol": "http"}
PERMISSIONS = [{"Action": "allow", "HTTP": {"PathPrefix": "/", "Methods": ["get"]}}]


def exact(source: str, destination: str) -> str:
    return f"{EXACT}?source={source}&destination={destination}"


async def say(api: httpx.AsyncClient, source: str, destination: str, **body: Any) -> httpx.Response:
    answer = await api.put(exact(source, destination), json=body)
    assert (answer.status_code, answer.text) == (200, "true"), answer.text
    return answer


async def entry_of(api: httpx.AsyncClient, destination: str) -> dict[str, Any] | None:
    answer = await api.get(f"/v1/config/service-intentions/{destination}")
    return dict(answer.json()) if answer.status_code == 200 else None


def lines(intentions: list[dict[str, Any]]) -> list[str]:
    return [f"{each['SourceName']} => {each['DestinationName']}" for each in intentions]


async def test_an_intention_is_written_read_and_deleted(api: httpx.AsyncClient) -> None:
    answer = await say(api, "web", "db", Action="deny", Description="no", SourceType="consul")
    assert "X-Xdsmesh-Warning" not in answer.headers

    read = await api.get(exact("web", "db"))
    entry = await entry_of(api, "db")
    assert entry is not None
    assert read.json() == {
        "SourceNS": "default",
        "SourceName": "web",
        "DestinationNS": "default",
        "DestinationName": "db",
        "SourceType": "consul",
        "Action": "deny",
        "Description": "no",
        "Precedence": 9,
        "CreateIndex": entry["CreateIndex"],
        "ModifyIndex": entry["ModifyIndex"],
    }
    assert read.headers["X-Consul-Index"] == str(entry["ModifyIndex"])
    for _ in range(2):
        assert (await api.delete(exact("web", "db"))).text == "true"
    assert await entry_of(api, "db") is None
    missing = await api.get(exact("web", "db"))
    assert missing.status_code == 404
    assert missing.text.startswith("Intention not found")


async def test_what_was_read_can_be_put_back(api: httpx.AsyncClient) -> None:
    await api.put("/v1/config", json=HTTP)
    await say(api, "web", "api", Permissions=PERMISSIONS)
    read = (await api.get(exact("web", "api"))).json()
    assert read["Permissions"] == [{"Action": "allow", "HTTP": {"PathPrefix": "/", "Methods": ["GET"]}}]
    assert "Action" not in read

    await say(api, "web", "api", **read, ID="x", CreatedAt="0001-01-01T00:00:00Z", Hash="aGFzaA==")

    assert (await api.get(exact("web", "api"))).json() == read


async def test_intentions_are_what_the_entries_say_and_the_other_way_round(api: httpx.AsyncClient) -> None:
    sources = [{"Name": "*", "Action": "deny"}, {"Name": "web", "Peer": "east", "Action": "allow"}]
    body = {"Kind": "service-intentions", "Name": "db", "Sources": sources, "Meta": {"a": "b"}}
    await api.put("/v1/config", json=body)
    await say(api, "web", "*", Action="allow")

    found = (await api.get(INTENTIONS)).json()
    assert [(each["SourceName"], each["Precedence"], each.get("Meta")) for each in found] == [
        ("web", 9, {"a": "b"}),
        ("*", 8, {"a": "b"}),
        ("web", 6, None),
    ]
    assert found[0]["SourcePeer"] == "east"
    assert (await api.get(exact("peer:east/web", "db"))).json() == found[0]
    await api.delete(exact("peer:east/web", "db"))
    entry = await entry_of(api, "db")
    assert entry is not None
    assert [source["Name"] for source in entry["Sources"]] == ["*"]
    assert entry["Meta"] == {"a": "b"}


async def test_two_edits_of_one_destination_at_a_time_both_stay(api: httpx.AsyncClient) -> None:
    callers = [f"caller-{number}" for number in range(12)]
    await asyncio.gather(*(say(api, caller, "db", Action="allow") for caller in callers))
    assert sorted(lines((await api.get(INTENTIONS)).json())) == sorted(f"{each} => db" for each in callers)

    await asyncio.gather(*(api.delete(exact(caller, "db")) for caller in callers))
    assert (await api.get(INTENTIONS)).text == "[]"
    assert await entry_of(api, "db") is None


async def test_names_may_come_with_the_only_namespace_there_is(api: httpx.AsyncClient) -> None:
    await say(api, "default/web", "default/default/db", Action="allow", SourceNS="default")
    assert (await api.get(exact("web", "db"))).status_code == 200
    for text in ("other/web", "other/default/web", "default/default/default/web", "peer:east", "default/"):
        answer = await api.get(exact(text, "db"))
        assert answer.status_code == 400
        assert text in answer.text
    for key in ("SourceNS", "DestinationNS", "SourcePartition"):
        refused = await api.put(exact("web", "db"), json={"Action": "deny", key: "other"})
        assert (refused.status_code, key in refused.text) == (400, True)


@pytest.mark.parametrize(
    ("by", "name", "expected"),
    [
        ("destination", "db", ["web => db", "* => db", "* => *"]),
        ("destination", "other", ["* => *"]),
        ("source", "web", ["web => db", "* => db", "* => *"]),
        ("source", "default/cron", ["* => db", "* => *"]),
    ],
)
async def test_a_match_is_in_the_order_of_evaluation(
    api: httpx.AsyncClient, by: str, name: str, expected: list[str]
) -> None:
    for source, destination in (("*", "*"), ("*", "db"), ("web", "db")):
        await say(api, source, destination, Action="deny")
    answer = await api.get(f"{INTENTIONS}/match?by={by}&name={name}")
    assert {key: lines(found) for key, found in answer.json().items()} == {name: expected}


async def test_several_names_are_matched_at_once_and_nothing_is_null(api: httpx.AsyncClient) -> None:
    await say(api, "web", "db", Action="deny")
    answer = (await api.get(f"{INTENTIONS}/match?by=destination&name=db&name=other")).json()
    assert lines(answer["db"]) == ["web => db"]
    assert answer["other"] is None


async def test_a_check_tells_what_the_intentions_say(api: httpx.AsyncClient) -> None:
    async def is_allowed(source: str, destination: str) -> object:
        query = f"source={source}&destination={destination}&source-type=consul"
        return (await api.get(f"{INTENTIONS}/check?{query}")).json()["Allowed"]

    assert await is_allowed("web", "db") is True  # by default
    await say(api, "*", "*", Action="deny")
    assert await is_allowed("web", "db") is False
    await say(api, "web", "db", Action="allow")
    assert await is_allowed("web", "db") is True
    await api.put("/v1/config", json=HTTP)
    await say(api, "web", "api", Permissions=PERMISSIONS)
    assert await is_allowed("web", "api") is False


async def test_the_list_can_be_filtered(api: httpx.AsyncClient) -> None:
    for source, action in (("web", "allow"), ("cron", "deny")):
        await say(api, source, "db", Action=action)
    found = await api.get(INTENTIONS, params={"filter": 'SourceName == "web" and Precedence == 9'})
    assert lines(found.json()) == ["web => db"]
    refused = await api.get(INTENTIONS, params={"filter": "Sourcename == web"})
    assert refused.status_code == 400
    assert "did you mean SourceName?" in refused.text


@pytest.mark.parametrize(
    "path", [INTENTIONS, exact("web", "db"), f"{INTENTIONS}/match?by=destination&name=db"]
)
async def test_reads_wait_for_a_change(api: httpx.AsyncClient, held: Held, path: str) -> None:
    known = await api.get(path)
    query = f"{'&' if '?' in path else '?'}index={known.headers['X-Consul-Index']}&wait=60s"
    waiter = asyncio.create_task(api.get(path + query))
    await held()
    await say(api, "web", "db", Action="deny")
    woken = await asyncio.wait_for(waiter, 5)
    assert '"web"' in woken.text
    assert int(woken.headers["X-Consul-Index"]) > int(known.headers["X-Consul-Index"])


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("GET", "exact?destination=db", "required query parameter 'source' not set"),
        ("PUT", "exact?source=web&destination=", "required query parameter 'destination' not set"),
        ("DELETE", "exact?source=web", "required query parameter 'destination' not set"),
        ("GET", "exact?source=a&source=b&destination=db", "given 2 times"),
        ("GET", "check?source=web", "required query parameter 'destination' not set"),
        ("GET", "check?source=web&destination=db&source-type=spiffe", "Invalid source-type"),
        ("GET", "match?name=web", "required query parameter 'by' not set"),
        ("GET", "match?by=both&name=web", "'by' parameter must be one of 'source' or 'destination'"),
        ("GET", "match?by=source", "required query parameter 'name' not set"),
        ("GET", "not-a-uuid", "is not a UUID"),
    ],
)
async def test_wrong_parameters_are_named(api: httpx.AsyncClient, method: str, path: str, told: str) -> None:
    answer = await api.request(method, f"{INTENTIONS}/{path}")
    assert answer.status_code == 400
    assert told in answer.text


@pytest.mark.parametrize(
    ("names", "body", "told"),
    [
        (("web", "db"), {}, ["needs one of Action, Permissions"]),
        (("web", "db"), {"Acton": "deny", "SourceType": "x"}, ["Acton", "SourceType"]),
        (("we*", "d*"), {"Action": "deny"}, ["SourceName: XM0319", "DestinationName: XM0319"]),
        (("web", "*"), {"Permissions": PERMISSIONS}, ["for all services at once"]),
        (("web", "tcp"), {"Permissions": PERMISSIONS}, ['the protocol of "tcp" is tcp']),
        (("web", "db"), {"Permissions": [{"Action": "x"}]}, ["Permissions[0].Action", "Permissions[0].HTTP"]),
        (("web", "db"), {"Action": "deny", "Meta": {"a": "b"}}, ["Meta must not be specified"]),
        (("web", "db"), {"Action": "deny", "JWT": {"Providers": [{"Name": "x"}]}}, ["JWT must not"]),
    ],
)
async def test_wrong_bodies_are_refused_with_all_problems(
    api: httpx.AsyncClient, names: tuple[str, str], body: dict[str, Any], told: list[str]
) -> None:
    answer = await api.put(exact(*names), json=body)
    assert answer.status_code == 400
    assert [text for text in told if text not in answer.text] == []
    assert (await api.get(INTENTIONS)).text == "[]"


async def test_an_entry_of_a_file_is_refused_to_every_call(
    api: httpx.AsyncClient, repository: Repository
) -> None:
    body = b'{"Kind": "service-intentions", "Name": "db", "Sources": [{"Name": "web", "Action": "deny"}]}'
    await repository.put_entry(decode_entry(body), Origin(Source.FILE, "/etc/mesh/db.hcl", 7, 1))
    for answer in (
        await api.put(exact("web", "db"), json={"Action": "allow"}),
        await api.put(exact("cron", "db"), json={"Action": "allow"}),
        await api.delete(exact("web", "db")),
        await api.post(INTENTIONS, json={"SourceName": "a", "DestinationName": "db", "Action": "deny"}),
    ):
        assert answer.status_code == 409
        assert "/etc/mesh/db.hcl:7:1" in answer.text
    assert lines((await api.get(INTENTIONS)).json()) == ["web => db"]
