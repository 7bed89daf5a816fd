from datetime import UTC, datetime

import httpx
import pytest

from xdsmesh.status import Registry

DEFINITIONS = (
    {"ID": "web-1", "Name": "web", "Tags": ["v1", "EU"], "Port": 80, "Meta": {"version": "1"}},
    {"ID": "web-2", "Name": "web", "Tags": ["v2", "eu"], "Address": "127.0.0.9", "Port": 81},
    {"ID": "db", "Name": "db", "Connect": {"SidecarService": {}}},
)


@pytest.fixture
async def filled(api: httpx.AsyncClient) -> httpx.AsyncClient:
    for definition in DEFINITIONS:
        answer = await api.put("/v1/agent/service/register", json=definition)
        assert answer.status_code == 200, answer.text
    return api


async def test_services_are_listed_with_the_tags_of_all_instances(filled: httpx.AsyncClient) -> None:
    services = (await filled.get("/v1/catalog/services")).json()
    tags = ["EU", "eu", "v1", "v2"]
    assert services == {"consul": [], "db": [], "db-sidecar-proxy": [], "web": tags}


async def test_the_instances_of_a_service_are_flat_rows(filled: httpx.AsyncClient) -> None:
    first, second = (await filled.get("/v1/catalog/service/web")).json()
    assert (first["Node"], first["Address"], first["Datacenter"]) == ("n1", "127.0.0.1", "dc1")
    assert (first["ServiceID"], first["ServiceName"], first["ServicePort"]) == ("web-1", "web", 80)
    assert (first["ServiceAddress"], second["ServiceAddress"]) == ("", "127.0.0.9")
    assert first["ServiceMeta"] == {"version": "1"}
    assert first["ServiceProxy"]["Mode"] == ""
    assert 0 < first["CreateIndex"] <= first["ModifyIndex"] < second["ModifyIndex"]


async def test_health_rows_carry_node_service_and_checks(filled: httpx.AsyncClient) -> None:
    rows = (await filled.get("/v1/health/service/web?passing")).json()
    assert [row["Service"]["ID"] for row in rows] == ["web-1", "web-2"]
    assert rows[0].keys() == {"Node", "Service", "Checks"}
    assert (rows[0]["Node"]["Node"], rows[0]["Node"]["Address"]) == ("n1", "127.0.0.1")
    assert rows[0]["Node"]["TaggedAddresses"] == dict.fromkeys(
        ("lan", "wan", "lan_ipv4", "wan_ipv4"), "127.0.0.1"
    )
    assert (rows[1]["Service"]["Address"], rows[1]["Service"]["Port"]) == ("127.0.0.9", 81)
    assert [check["CheckID"] for check in rows[0]["Checks"]] == ["serfHealth"]

    (sidecar,) = (await filled.get("/v1/health/service/db-sidecar-proxy")).json()
    assert sidecar["Service"]["Kind"] == "connect-proxy"
    assert sidecar["Service"]["Proxy"]["DestinationServiceName"] == "db"


@pytest.mark.parametrize("resource", ["catalog", "health"])
async def test_lookups_ignore_case_and_all_tags_must_match(filled: httpx.AsyncClient, resource: str) -> None:
    async def count(query: str) -> int:
        answer = await filled.get(f"/v1/{resource}/service/{query}")
        assert answer.status_code == 200
        return len(answer.json())

    assert await count("WEB") == 2
    assert await count("web?tag=eu") == 2
    assert await count("web?tag=eu&tag=V2") == 1
    assert await count("web?tag=v1&tag=v2") == 0
    assert await count("nobody") == 0


async def test_reads_tell_their_index_and_it_grows_with_writes(api: httpx.AsyncClient) -> None:
    async def index(path: str) -> int:
        answer = await api.get(path)
        assert answer.headers["X-Consul-KnownLeader"] == "true"
        assert answer.headers["X-Consul-LastContact"] == "0"
        return int(answer.headers["X-Consul-Index"])

    paths = ("/v1/catalog/services", "/v1/catalog/service/WEB", "/v1/health/service/web")
    others = ("/v1/catalog/service/db", "/v1/config/service-router", "/v1/discovery-chain/web")
    start = await index(paths[0])
    assert start > 0, "0 would stop clients"
    assert [await index(path) for path in (*paths, *others)] == [start] * 6
    for port in (1, 2, 3):
        before = await index(paths[0])
        await api.put("/v1/agent/service/register", json={"Name": "web", "Port": port})
        after = [await index(path) for path in paths]
        assert after == [after[0]] * 3
        assert after[0] > before
    assert [await index(path) for path in others] == [start] * 3, "nothing of theirs has changed"


async def test_the_same_registration_again_is_no_change(api: httpx.AsyncClient) -> None:
    await api.put("/v1/agent/service/register", json={"Name": "web"})
    before = (await api.get("/v1/catalog/services")).headers["X-Consul-Index"]
    port = api.base_url.port
    async with httpx.AsyncClient(trust_env=False) as another_connection:
        url = f"http://127.0.0.1:{port}/v1/agent/service/register"
        assert (await another_connection.put(url, json={"Name": "web"})).status_code == 200
    assert (await api.get("/v1/catalog/services")).headers["X-Consul-Index"] == before


async def test_there_is_one_datacenter_and_a_leader(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v1/catalog/datacenters")).json() == ["dc1"]
    leader = (await api.get("/v1/status/leader")).json()
    assert leader == f"127.0.0.1:{api.base_url.port}"
    assert (await api.get("/v1/status/peers")).json() == [leader]


async def test_proxies_shows_who_asked_and_was_refused(api: httpx.AsyncClient, registry: Registry) -> None:
    assert (await api.get("/v1/xdsmesh/proxies")).json() == {"connected": [], "refused": []}
    registry.refuse("nobody", "127.0.0.8", "not registered", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    (refused,) = (await api.get("/v1/xdsmesh/proxies")).json()["refused"]
    assert (refused["proxy"], refused["address"], refused["reason"]) == (
        "nobody",
        "127.0.0.8",
        "not registered",
    )
    assert refused["last_at"] == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/v1/catalog/service/web?sg=all", "sg"),
        ("/v1/health/service/web?stale&consistent", "consistent"),
        ("/v1/health/service/web?cached&consistent", "consistent"),
        ("/v1/health/service/web?passing=perhaps", "passing"),
        ("/v1/catalog/services?ns=team", "ns"),
        ("/v1/catalog/services?partition=part", "partition"),
    ],
)
async def test_what_would_change_the_answer_and_is_not_known_is_refused(
    api: httpx.AsyncClient, path: str, word: str
) -> None:
    answer = await api.get(path)
    assert answer.status_code == 400
    assert word in answer.text


async def test_parameters_that_change_nothing_here_are_accepted(api: httpx.AsyncClient) -> None:
    query = (
        "dc=dc1&ns=default&partition=default&stale&max_stale=5s&cached&near=_agent&token=x&wait=1s&unheard=of"
    )
    assert (await api.get(f"/v1/health/service/web?{query}")).json() == []
