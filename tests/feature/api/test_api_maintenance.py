"""Maintenance: taken out of the traffic, and back."""

from typing import Any

import httpx
import pytest

WEB = {"Name": "web", "Port": 80, "Connect": {"SidecarService": {"Check": {"AliasService": "web"}}}}
SERVICE = "/v1/agent/service/maintenance/web"
NODE = "/v1/agent/maintenance"
OF_SERVICE, OF_NODE = "_service_maintenance:web", "_node_maintenance"


async def checks(api: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get("/v1/agent/checks")).json()
    return found


async def passing(api: httpx.AsyncClient, service: str = "web") -> list[str]:
    rows = (await api.get(f"/v1/health/service/{service}", params={"passing": ""})).json()
    return [row["Service"]["ID"] for row in rows]


@pytest.mark.parametrize(("path", "check_id"), [(SERVICE, OF_SERVICE), (NODE, OF_NODE)])
async def test_maintenance_excludes_from_what_passes_until_it_ends(
    api: httpx.AsyncClient, path: str, check_id: str
) -> None:
    await api.put("/v1/agent/service/register", json=WEB)
    assert await passing(api) == ["web"]

    for _ in range(2):  # the second time changes nothing
        answer = await api.put(path, params={"enable": "true", "reason": "new disk"})
        assert (answer.status_code, answer.content) == (200, b"")
        check = (await checks(api))[check_id]
        assert (check["Status"], check["Type"], check["Notes"]) == ("critical", "maintenance", "new disk")
    assert await passing(api) == []
    (row,) = (await api.get("/v1/health/service/web")).json()
    assert check_id in {each["CheckID"] for each in row["Checks"]}

    for _ in range(2):
        answer = await api.put(path, params={"enable": "false"})
        assert (answer.status_code, answer.content) == (200, b"")
        assert check_id not in await checks(api)
    assert await passing(api) == ["web"]


@pytest.mark.parametrize(
    ("path", "check_id", "service_id"), [(SERVICE, OF_SERVICE, "web"), (NODE, OF_NODE, "")]
)
async def test_the_check_says_whose_it_is_and_why(
    api: httpx.AsyncClient, path: str, check_id: str, service_id: str
) -> None:
    await api.put("/v1/agent/service/register", json=WEB)
    await api.put(path, params={"enable": "True"})
    check = (await checks(api))[check_id]
    kind = "Service" if service_id else "Node"
    assert check["Name"] == f"{kind} Maintenance Mode"
    assert (check["ServiceID"], check["ServiceName"]) == (service_id, service_id)
    assert f"for this {kind.lower()}" in check["Notes"]


async def test_the_node_takes_all_its_services_along(api: httpx.AsyncClient) -> None:
    for name in ("web", "db"):
        await api.put("/v1/agent/service/register", json={"Name": name})
    await api.put(NODE, params={"enable": "true"})
    assert [await passing(api, name) for name in ("web", "db")] == [[], []]
    await api.put(NODE, params={"enable": "false"})
    assert [await passing(api, name) for name in ("web", "db")] == [["web"], ["db"]]


async def test_one_service_leaves_the_others_alone(api: httpx.AsyncClient) -> None:
    for name in ("web", "db"):
        await api.put("/v1/agent/service/register", json={"Name": name})
    await api.put(SERVICE, params={"enable": "true"})
    assert [await passing(api, name) for name in ("web", "db")] == [[], ["db"]]


async def test_the_sidecar_follows_through_its_alias(api: httpx.AsyncClient, until: Any) -> None:
    await api.put("/v1/agent/service/register", json=WEB)

    async def reachable() -> list[str]:
        rows = (await api.get("/v1/health/connect/web", params={"passing": "1"})).json()
        return [row["Service"]["ID"] for row in rows]

    await until(reachable, lambda ids: ids == ["web-sidecar-proxy"])
    await api.put(SERVICE, params={"enable": "true"})
    await until(reachable, lambda ids: ids == [])
    await api.put(SERVICE, params={"enable": "false"})
    await until(reachable, lambda ids: ids == ["web-sidecar-proxy"])


async def test_maintenance_outlives_a_registration_and_ends_with_the_service(api: httpx.AsyncClient) -> None:
    await api.put("/v1/agent/service/register", json=WEB)
    await api.put(SERVICE, params={"enable": "true"})
    await api.put("/v1/agent/service/register", json={**WEB, "Port": 81})
    assert OF_SERVICE in await checks(api)
    await api.put("/v1/agent/service/deregister/web")
    assert OF_SERVICE not in await checks(api)


WRONG: list[tuple[str, dict[str, str], int, str]] = [
    (SERVICE, {}, 400, "enable"),
    (SERVICE, {"enable": ""}, 400, "enable"),
    (SERVICE, {"enable": "maybe"}, 400, "enable"),
    (NODE, {}, 400, "enable"),
    (NODE, {"enable": "2"}, 400, "enable"),
    ("/v1/agent/service/maintenance/nobody", {"enable": "true"}, 404, 'Unknown service ID "nobody"'),
    ("/v1/agent/service/maintenance/nobody", {"enable": "false"}, 404, 'Unknown service ID "nobody"'),
]


async def test_what_is_wrong_is_told(api: httpx.AsyncClient) -> None:
    for path, params, status, told in WRONG:
        await api.put("/v1/agent/service/register", json=WEB)
        answer = await api.put(path, params=params)
        assert answer.status_code == status
        assert told in answer.text
        assert not {OF_SERVICE, OF_NODE} & set(await checks(api))


@pytest.mark.parametrize(("path", "check_id"), [(SERVICE, OF_SERVICE), (NODE, OF_NODE)])
async def test_a_check_that_has_the_id_already_does_not_keep_anything_in_the_traffic(
    api: httpx.AsyncClient, path: str, check_id: str
) -> None:
    await api.put("/v1/agent/service/register", json=WEB)
    check = {"ID": check_id, "Name": "mine", "Status": "passing", "TTL": "1h"}
    assert (await api.put("/v1/agent/check/register", json=check)).status_code == 200
    assert await passing(api) == ["web"] if path == NODE else True

    await api.put(path, params={"enable": "true"})
    assert (await checks(api))[check_id]["Status"] == "critical"
    assert await passing(api) == [] if path == NODE else True
