"""Checks, and which instances they let take traffic."""

import itertools
from typing import Any

import httpx
import pytest

WEB: dict[str, Any] = {
    "Name": "web",
    "Tags": ["v1"],
    "Checks": [{"TTL": "1h", "Status": "passing"}, {"TTL": "1h", "Status": "passing"}],
}


async def put(api: httpx.AsyncClient, path: str, body: object = None) -> None:
    answer = await api.put(f"/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text


@pytest.fixture
async def web(api: httpx.AsyncClient) -> httpx.AsyncClient:
    await put(api, "agent/service/register", WEB)
    return api


async def passing(api: httpx.AsyncClient, value: str = "") -> int:
    return len((await api.get(f"/v1/health/service/web?passing{value}")).json())


async def row(api: httpx.AsyncClient) -> Any:
    (found,) = (await api.get("/v1/health/service/web")).json()
    return found


async def test_a_row_has_the_checks_of_the_node_and_its_own(web: httpx.AsyncClient) -> None:
    await put(web, "agent/service/register", {"Name": "db", "Check": {"TTL": "1h"}})
    await put(web, "agent/check/register", {"Name": "disk", "TTL": "1h", "Status": "passing"})
    shown = {check["CheckID"]: check["ServiceID"] for check in (await row(web))["Checks"]}
    assert shown == {"serfHealth": "", "disk": "", "service:web:1": "web", "service:web:2": "web"}
    of_service = (await web.get("/v1/health/checks/web")).json()
    assert [check["CheckID"] for check in of_service] == ["service:web:1", "service:web:2"]
    assert {check["ServiceName"] for check in of_service} == {"web"}
    of_node = (await web.get("/v1/health/node/N1")).json()
    assert {check["CheckID"] for check in of_node} == {*shown, "service:db"}


async def test_only_what_passes_all_checks_is_passing(web: httpx.AsyncClient) -> None:
    await put(web, "agent/check/register", {"Name": "disk", "TTL": "1h", "Status": "passing"})
    assert await passing(web) == 1
    for check, status in itertools.product(("service:web:2", "disk"), ("warning", "critical")):
        await put(web, f"agent/check/update/{check}", {"Status": status})
        assert await passing(web) == 0
        values = ("=0", "=false", "=F", "=1", "=True")
        assert [await passing(web, value) for value in values] == [1, 1, 1, 0, 0]
        assert (await row(web))["Service"]["ID"] == "web", "without ?passing it is still there"
        await put(web, f"agent/check/pass/{check}")
        assert await passing(web) == 1


async def test_what_is_in_maintenance_is_not_passing(web: httpx.AsyncClient) -> None:
    for path in ("agent/maintenance", "agent/service/maintenance/web"):
        await put(web, f"{path}?enable=true&reason=disks")
        assert await passing(web) == 0
        (check,) = (await web.get("/v1/health/state/critical")).json()
        assert (check["Type"], check["Notes"]) == ("maintenance", "disks")
        await put(web, f"{path}?enable=false")
        assert await passing(web) == 1


async def test_an_instance_without_any_check_is_passing(api: httpx.AsyncClient) -> None:
    body = {"Node": "far", "Address": "10.0.0.2", "Service": {"Service": "web"}}
    await put(api, "catalog/register", body)
    (shown,) = (await api.get("/v1/health/service/web?passing")).json()
    assert shown["Checks"] == []


async def test_a_filter_goes_before_the_cut_of_what_passes(web: httpx.AsyncClient) -> None:
    await put(web, "agent/check/warn/service:web:1")
    path = "/v1/health/service/web?filter=Checks.Status==warning"
    assert len((await web.get(path)).json()) == 1
    assert (await web.get(f"{path}&passing")).json() == []


async def test_checks_are_listed_by_their_state(web: httpx.AsyncClient) -> None:
    async def state(name: str) -> list[str]:
        return [each["CheckID"] for each in (await web.get(f"/v1/health/state/{name}")).json()]

    await put(web, "agent/check/warn/service:web:1")
    await put(web, "agent/check/fail/service:web:2")
    assert await state("warning") == ["service:web:1"]
    assert await state("critical") == ["service:web:2"]
    assert await state("passing") == ["serfHealth"]
    assert await state("any") == ["serfHealth", "service:web:1", "service:web:2"]


async def test_passing_is_a_switch(web: httpx.AsyncClient) -> None:
    for resource, value in itertools.product(("service", "connect"), ("perhaps", "2", "yes", "tRUE")):
        answer = await web.get(f"/v1/health/{resource}/web?passing={value}")
        assert answer.status_code == 400
        assert "Invalid value for ?passing" in answer.text
