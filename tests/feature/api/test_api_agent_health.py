"""What the agent tells of the health of its services, by status code, and of itself."""

from typing import Any

import httpx
import pytest

HEALTH = "/v1/agent/health/service"
CODES = {"passing": 200, "warning": 429, "critical": 503, "maintenance": 503}
TTL = {"TTL": "1h"}

Json = dict[str, Any]


async def register(api: httpx.AsyncClient, service_id: str, *statuses: str, name: str = "web") -> None:
    """A service with a TTL check for each status, which the check then has."""
    checks = [{**TTL, "CheckID": f"{service_id}/{number}"} for number in range(len(statuses))]
    body = {"ID": service_id, "Name": name, "Checks": checks}
    assert (await api.put("/v1/agent/service/register", json=body)).status_code == 200
    for check, status in zip(checks, statuses, strict=True):
        path = f"/v1/agent/check/update/{check['CheckID']}"
        assert (await api.put(path, json={"Status": status})).status_code == 200


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ((), "passing"),
        (("passing",), "passing"),
        (("passing", "warning"), "warning"),
        (("warning", "critical", "passing"), "critical"),
    ],
)
async def test_the_status_code_is_that_of_the_worst_check(
    api: httpx.AsyncClient, statuses: tuple[str, ...], worst: str
) -> None:
    await register(api, "web-1", *statuses)
    answer = await api.get(f"{HEALTH}/id/web-1")
    assert (answer.status_code, answer.json()["AggregatedStatus"]) == (CODES[worst], worst)
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Consul-Reason"] == worst
    assert answer.json()["Service"]["ID"] == "web-1"
    own = [check["Status"] for check in answer.json()["Checks"] if check["ServiceID"] == "web-1"]
    assert own == list(statuses)

    (row,) = (by_name := await api.get(f"{HEALTH}/name/WEB")).json()
    assert (by_name.status_code, row) == (CODES[worst], answer.json())
    for query, accept in (("?format=text", "*/*"), ("", "text/plain")):
        for path in ("id/web-1", "name/web"):
            text = await api.get(f"{HEALTH}/{path}{query}", headers={"Accept": accept})
            assert (text.status_code, text.text) == (CODES[worst], worst)
            assert text.headers["Content-Type"].startswith("text/plain")


async def test_the_worst_instance_tells_of_a_service(api: httpx.AsyncClient) -> None:
    await register(api, "web-1", "passing")
    await register(api, "web-2", "warning")
    answer = await api.get(f"{HEALTH}/name/web")
    assert answer.status_code == 429
    told = {row["Service"]["ID"]: row["AggregatedStatus"] for row in answer.json()}
    assert told == {"web-1": "passing", "web-2": "warning"}


async def test_maintenance_is_the_worst_of_all(api: httpx.AsyncClient) -> None:
    await register(api, "web-1", "critical")
    await api.put("/v1/agent/service/maintenance/web-1", params={"enable": "true"})
    answer = await api.get(f"{HEALTH}/id/web-1")
    assert (answer.status_code, answer.json()["AggregatedStatus"]) == (503, "maintenance")
    assert (await api.get(f"{HEALTH}/id/web-1", params={"format": "text"})).text == "maintenance"


async def test_checks_of_the_node_count_for_all_its_services(api: httpx.AsyncClient) -> None:
    await register(api, "web-1", "passing")
    body = {"ID": "disk", "Name": "disk", "Status": "warning", **TTL}
    assert (await api.put("/v1/agent/check/register", json=body)).status_code == 200
    answer = await api.get(f"{HEALTH}/id/web-1")
    assert answer.status_code == 429
    assert "disk" in {check["CheckID"] for check in answer.json()["Checks"]}


async def test_what_is_not_there_is_not_found_in_either_form(api: httpx.AsyncClient) -> None:
    by_id, by_name = await api.get(f"{HEALTH}/id/nobody"), await api.get(f"{HEALTH}/name/nobody")
    assert (by_id.status_code, by_name.status_code) == (404, 404)
    assert by_id.json() == {"AggregatedStatus": "critical", "Service": None, "Checks": []}
    assert by_name.json() == []
    for path in ("id/nobody", "name/nobody"):
        answer = await api.get(f"{HEALTH}/{path}", params={"format": "text"})
        assert answer.status_code == 404
        assert "nobody" in answer.text
        assert "not found" in answer.text.lower()


async def test_what_is_said_centrally_of_a_proxy_is_shown_with_its_health(api: httpx.AsyncClient) -> None:
    await api.put(
        "/v1/config", json={"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http"}}
    )
    body = {"Name": "web", "Port": 80, "Connect": {"SidecarService": {}}}
    await api.put("/v1/agent/service/register", json=body)
    shown = (await api.get("/v1/agent/service/web-sidecar-proxy")).json()
    answer = await api.get(f"{HEALTH}/id/web-sidecar-proxy")
    assert shown["Proxy"]["Config"] == {"protocol": "http"}
    assert answer.json()["Service"] == shown


async def test_the_server_tells_clients_where_xds_is_and_who_it_is(api: httpx.AsyncClient) -> None:
    about: Json = (await api.get("/v1/agent/self")).json()
    assert all(isinstance(part, dict) for part in about.values())
    config = about["Config"]
    assert (config["Datacenter"], config["PrimaryDatacenter"], config["NodeName"]) == ("dc1", "dc1", "n1")
    assert (config["Server"], config["BindAddr"]) == (True, "127.0.0.1")
    assert config["NodeID"] == "11111111-2222-3333-4444-555555555555"
    assert {"Revision", "Version", "BuildDate"} <= config.keys()
    assert about["xDS"] == {
        "SupportedProxies": {"envoy": ["1.40.0"]},
        "Port": 18502,
        "Ports": {"Plaintext": 18502, "TLS": -1},
    }
    debug = about["DebugConfig"]
    assert (debug["GRPCPort"], debug["GRPCTLSPort"], debug["ConnectEnabled"]) == (18502, -1, True)
    assert debug["UIConfig"]["Enabled"] is False
    assert len(about["Coord"]["Vec"]) == 8
    assert (await api.get("/v1/agent/members")).json() == [about["Member"]]


async def test_the_server_is_the_only_member(api: httpx.AsyncClient) -> None:
    (member,) = (await api.get("/v1/agent/members")).json()
    assert (member["Name"], member["Addr"], member["Status"]) == ("n1", "127.0.0.1", 1)
    assert isinstance(member["Port"], int)
    assert all(isinstance(value, str) for value in member["Tags"].values())
    assert (member["Tags"]["role"], member["Tags"]["dc"], member["Tags"]["acls"]) == ("consul", "dc1", "0")
    for field in ("ProtocolMin", "ProtocolMax", "ProtocolCur", "DelegateMin", "DelegateMax", "DelegateCur"):
        assert isinstance(member[field], int)


NARROWED: list[tuple[dict[str, str], list[str]]] = [
    ({"wan": "1"}, ["n1.dc1"]),
    ({"segment": "_all"}, ["n1"]),
    ({"filter": "Name == n1"}, ["n1"]),
    ({"filter": "Tags.role == node"}, []),
]


async def test_members_may_be_narrowed(api: httpx.AsyncClient) -> None:
    for params, members in NARROWED:
        answer = await api.get("/v1/agent/members", params=params)
        assert [each["Name"] for each in answer.json()] == members


async def test_segments_are_not_for_other_datacenters(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/agent/members", params={"wan": "1", "segment": "_all"})
    assert answer.status_code == 400
    assert "segment" in answer.text


@pytest.mark.parametrize("path", ["id", "name"])
async def test_a_name_in_any_script_is_told_in_a_header_that_clients_can_read(
    api: httpx.AsyncClient, path: str
) -> None:
    answer = await api.get(f"{HEALTH}/{path}/кошка")
    assert answer.status_code == 404
    assert answer.headers["X-Consul-Reason"].isascii()
    text = await api.get(f"{HEALTH}/{path}/кошка", params={"format": "text"})
    assert "кошка" in text.text
