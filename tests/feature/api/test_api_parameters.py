"""What every read takes beside its path: sites, tenants, tokens, freshness; and the headers it returns."""

import httpx

WITH_INDEX = (
    *("catalog/nodes", "catalog/services", "catalog/service/web", "catalog/connect/web"),
    *("catalog/node/n1", "catalog/node/nobody", "catalog/node-services/n1", "catalog/gateway-services/web"),
    *("health/service/web", "health/connect/web", "health/checks/web", "health/node/n1", "health/state/any"),
    *("config/service-defaults", "config/service-defaults/web", "discovery-chain/web"),
    *("connect/intentions", "connect/intentions/match?by=source&name=web"),
    "xdsmesh/intentions/check?source=a&destination=b",
    *("connect/ca/roots", "agent/connect/ca/roots", "agent/connect/ca/leaf/web"),
)
WITHOUT_INDEX = (
    *("agent/self", "agent/services", "agent/checks", "agent/members", "agent/version", "agent/service/web"),
    *("status/leader", "status/peers", "catalog/datacenters"),
    "connect/intentions/check?source=a&destination=b",
)
INDEX_HEADERS = {
    "X-Consul-Index",
    "X-Consul-KnownLeader",
    "X-Consul-LastContact",
    "X-Consul-Effective-Consistency",
    "X-Consul-Query-Backend",
}


async def test_the_headers_of_reads_are_where_clients_look_for_them(api: httpx.AsyncClient) -> None:
    await api.put("/v1/agent/service/register", json={"Name": "web"})
    for path in (*WITH_INDEX, *WITHOUT_INDEX):
        answer = await api.get(f"/v1/{path}")
        expected = INDEX_HEADERS if path in WITH_INDEX else set()
        assert {name for name in INDEX_HEADERS if name in answer.headers} == expected, path
        assert answer.headers["X-Consul-Default-ACL-Policy"] == "allow"
        if expected:
            assert int(answer.headers["X-Consul-Index"]) >= 1, path
            assert answer.headers["X-Consul-LastContact"] == "0"
        if answer.status_code == 404:
            assert answer.text.startswith("Config entry not found")


async def test_what_agents_cache_says_so(api: httpx.AsyncClient) -> None:
    for path in ("agent/connect/ca/roots", "agent/connect/ca/leaf/web"):
        assert (await api.get(f"/v1/{path}")).headers["X-Cache"] in ("HIT", "MISS")
    for path in ("catalog/services", "catalog/service/web", "health/connect/web", "discovery-chain/web"):
        assert (await api.get(f"/v1/{path}?cached")).headers["X-Cache"] == "MISS"
        assert "X-Cache" not in (await api.get(f"/v1/{path}")).headers


async def test_the_own_datacenter_is_known_and_others_are_not(api: httpx.AsyncClient) -> None:
    for path in (*WITH_INDEX, *WITHOUT_INDEX):
        joined = "&" if "?" in path else "?"
        for query in ("dc=dc1", "datacenter=dc1", "dc=dc2&datacenter=dc1", "dc="):
            assert (await api.get(f"/v1/{path}{joined}{query}")).status_code in (200, 404), (path, query)
        for query in ("dc=dc2", "datacenter=dc2", "dc=dc1&datacenter=dc2"):
            answer = await api.get(f"/v1/{path}{joined}{query}")
            assert answer.status_code == 500
            assert answer.text == "No path to datacenter 'dc2' (there is dc1)"
    body = {"Kind": "service-defaults", "Name": "web"}
    assert (await api.put("/v1/config?dc=dc2", json=body)).status_code == 500
    assert (await api.put("/v1/config?dc=dc1", json=body)).text == "true"


async def test_there_is_one_tenant(api: httpx.AsyncClient) -> None:
    headers = {"ns": "X-Consul-Namespace", "partition": "X-Consul-Partition"}
    for name, header in headers.items():
        for value, status in (("default", 200), ("", 200), ("team", 400), ("*", 400)):
            assert (await api.get(f"/v1/catalog/services?{name}={value}")).status_code == status
            answer = await api.get("/v1/catalog/services", headers={header: value})
            assert answer.status_code == status
    for name in ("sg", "sameness-group"):
        assert (await api.get(f"/v1/health/service/web?{name}=")).status_code == 200
        assert (await api.get(f"/v1/health/service/web?{name}=x")).status_code == 400


async def test_tokens_are_ignored_and_kept_to_themselves(api: httpx.AsyncClient) -> None:
    secret = "8d1f4c6e-secret"
    plain = await api.get("/v1/catalog/services")
    for headers in ({"X-Consul-Token": secret}, {"Authorization": f"Bearer {secret}"}):
        assert (await api.get("/v1/catalog/services", headers=headers)).content == plain.content
    assert (await api.get(f"/v1/catalog/services?token={secret}")).content == plain.content
    refused = await api.get(f"/v1/health/service/web?token={secret}&passing=no")
    assert refused.status_code == 400
    assert secret not in refused.text


async def test_freshness_must_make_sense(api: httpx.AsyncClient) -> None:
    fine = (
        "stale",
        "stale=1",
        "consistent",
        "leader",
        "cached",
        "stale&cached",
        "max_stale=10s",
        "max_stale=",
    )
    for query in fine:
        assert (await api.get(f"/v1/catalog/services?{query}")).status_code == 200
    for query, word in (
        ("stale&consistent", "consistent"),
        ("cached&consistent", "consistent"),
        ("max_stale=5s&consistent", "consistent"),
        ("max_stale=5", "Invalid max_stale"),
        ("max_stale=soon", "Invalid max_stale"),
    ):
        answer = await api.get(f"/v1/catalog/services?{query}")
        assert answer.status_code == 400
        assert word in answer.text
    for value, status in (
        ("max-age=30", 200),
        ("must-revalidate, Max-Age=0, stale-if-error=60", 200),
        ("no-cache", 200),
        ("max-age", 400),
        ("max-age=soon", 400),
        ("must-revalidate, stale-if-error=1.5", 400),
    ):
        answer = await api.get("/v1/catalog/services?cached", headers={"Cache-Control": value})
        assert answer.status_code == status, value
        assert status == 200 or "Invalid Cache-Control" in answer.text
