"""Intentions by their ids, as Consul's older clients know them."""

from typing import Any

import httpx
import pytest

INTENTIONS = "/v1/connect/intentions"
EXACT = f"{INTENTIONS}/exact?source=web&destination=db"
BODY = {"SourceName": "web", "DestinationName": "db", "Action": "allow", "Meta": {"a": "b"}}
PERMISSIONS = [{"Action": "allow", "HTTP": {"PathPrefix": "/"}}]


async def entry_of(api: httpx.AsyncClient, destination: str) -> dict[str, Any] | None:
    answer = await api.get(f"/v1/config/service-intentions/{destination}")
    return dict(answer.json()) if answer.status_code == 200 else None


async def test_an_intention_is_made_read_changed_and_deleted(api: httpx.AsyncClient) -> None:
    made = await api.post(INTENTIONS, json=BODY)
    assert made.status_code == 200
    path = f"{INTENTIONS}/{made.json()['ID']}"
    read = (await api.get(path)).json()
    assert (read["ID"], read["Meta"], read["Precedence"]) == (made.json()["ID"], {"a": "b"}, 9)
    assert read["CreatedAt"] == read["UpdatedAt"]
    assert (await api.get(INTENTIONS)).json() == [read]

    changed = await api.put(path, json={**BODY, "SourceName": "*", "Action": "deny"})
    assert changed.json() == made.json()
    again = (await api.get(path)).json()
    assert (again["SourceName"], again["Action"], again["Precedence"]) == ("*", "deny", 8)
    assert again["CreatedAt"] == read["CreatedAt"]

    assert (await api.delete(path)).text == "true"
    for answer in (await api.get(path), await api.delete(path), await api.put(path, json=BODY)):
        assert answer.status_code == 404
        assert answer.text.startswith("Intention not found")
    assert await entry_of(api, "db") is None


async def test_what_there_is_already_is_refused(api: httpx.AsyncClient) -> None:
    first = (await api.post(INTENTIONS, json=BODY)).json()["ID"]
    second = (await api.post(INTENTIONS, json={**BODY, "SourceName": "cron"})).json()["ID"]
    for answer in (
        await api.post(INTENTIONS, json=BODY),
        await api.put(f"{INTENTIONS}/{second}", json=BODY),
    ):
        assert answer.status_code == 400
        assert "duplicate intention found: web => db (allow)" in answer.text
        assert first in answer.text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ID": "84a06f9c-9761-43a4-af8f-bc0adda5be8c"}, ["ID must be empty"]),
        ({"SourceName": "", "DestinationName": ""}, ["SourceName is", "DestinationName is"]),
        ({"Action": "", "Permissions": PERMISSIONS}, ["know neither Permissions nor JWT"]),
        ({"Meta": {"": "b"}}, ["a key of Meta"]),
        ({"SourceName": "other/web"}, ["other/web"]),
    ],
)
async def test_wrong_bodies_are_refused(
    api: httpx.AsyncClient, change: dict[str, Any], told: list[str]
) -> None:
    answer = await api.post(INTENTIONS, json={**BODY, **change})
    assert answer.status_code == 400
    assert [text for text in told if text not in answer.text] == []


async def test_a_destination_is_not_changed(api: httpx.AsyncClient) -> None:
    made = (await api.post(INTENTIONS, json=BODY)).json()["ID"]
    answer = await api.put(f"{INTENTIONS}/{made}", json={**BODY, "DestinationName": "api"})
    assert answer.status_code == 400
    assert 'this is one of "db"' in answer.text


async def test_an_entry_that_others_write_is_theirs(api: httpx.AsyncClient) -> None:
    made = (await api.post(INTENTIONS, json=BODY)).json()["ID"]
    await api.put(EXACT.replace("web", "cron"), json={"Action": "allow"})
    path = f"{INTENTIONS}/{made}"
    for answer in (
        await api.post(INTENTIONS, json={**BODY, "SourceName": "other"}),
        await api.put(path, json={**BODY, "Action": "deny"}),
        await api.delete(path),
    ):
        assert answer.status_code == 400
        assert "cannot use legacy intention API" in answer.text
    assert (await api.get(path)).json()["Action"] == "allow"


async def test_who_writes_the_entry_takes_it_over(api: httpx.AsyncClient) -> None:
    made = (await api.post(INTENTIONS, json={**BODY, "Meta": None})).json()["ID"]
    entry = await entry_of(api, "db")
    assert entry is not None
    assert entry["Sources"][0]["LegacyID"] == made
    assert (await api.put("/v1/config", json=entry)).text == "true"
    assert (await api.get(f"{INTENTIONS}/{made}")).status_code == 404
    assert "ID" not in (await api.get(EXACT)).json()


async def test_a_meta_of_its_own_is_not_lost_on_the_way(api: httpx.AsyncClient) -> None:
    await api.post(INTENTIONS, json=BODY)
    answer = await api.put("/v1/config", json=await entry_of(api, "db"))
    assert answer.status_code == 400
    assert "LegacyMeta" in answer.text
