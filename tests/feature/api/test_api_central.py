"""What config entries say of proxies, in what is shown of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

WEB = {
    "Name": "web",
    "Port": 80,
    "Connect": {
        "SidecarService": {
            "Proxy": {
                "Config": {"local_connect_timeout_ms": 7},
                "Upstreams": [
                    {"DestinationName": "db", "LocalBindPort": 9001},
                    {"DestinationName": "own", "LocalBindPort": 9002, "Config": {"protocol": "tcp"}},
                ],
            }
        }
    },
}
MESH = {
    "Kind": "proxy-defaults",
    "Name": "global",
    "Config": {
        "protocol": "http",
        "envoy_prometheus_bind_addr": "0.0.0.0:9102",
        "local_connect_timeout_ms": 1,
    },
    "MeshGateway": {"Mode": "local"},
    "AccessLogs": {"Enabled": True},
}
SERVICE = {
    "Kind": "service-defaults",
    "Name": "web",
    "Protocol": "grpc",
    "MeshGateway": {"Mode": "remote"},
    "MaxInboundConnections": 11,
    "UpstreamConfig": {
        "Defaults": {"ConnectTimeoutMs": 100},
        "Overrides": [{"Name": "db", "ConnectTimeoutMs": 200, "Limits": {"MaxConnections": 3}}],
    },
}
CALLED = {"Kind": "service-defaults", "Name": "db", "Protocol": "http2"}


async def put(api: httpx.AsyncClient, path: str, body: object) -> None:
    answer = await api.put(f"/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text


async def proxy(api: httpx.AsyncClient) -> Any:
    return (await api.get("/v1/agent/service/web-sidecar-proxy")).json()["Proxy"]


async def test_a_registration_wins_over_its_service_over_the_mesh(api: httpx.AsyncClient) -> None:
    await put(api, "agent/service/register", WEB)
    for entry in (MESH, SERVICE, CALLED):
        await put(api, "config", entry)
    shown = await proxy(api)
    assert shown["Config"] == {
        "protocol": "grpc",
        "envoy_prometheus_bind_addr": "0.0.0.0:9102",
        "local_connect_timeout_ms": 7,
        "max_inbound_connections": 11,
    }
    assert shown["MeshGateway"] == {"Mode": "remote"}
    assert shown["AccessLogs"] == {"Enabled": True}
    db, own = shown["Upstreams"]
    assert db["Config"] == {"protocol": "http2", "connect_timeout_ms": 200, "limits": {"max_connections": 3}}
    assert own["Config"] == {"protocol": "tcp", "connect_timeout_ms": 100}
    assert (db["MeshGateway"], own["MeshGateway"]) == ({"Mode": "remote"}, {"Mode": "remote"})


async def test_a_transparent_proxy_has_the_usual_port(api: httpx.AsyncClient) -> None:
    await put(api, "agent/service/register", WEB)
    await put(api, "config", {"Kind": "service-defaults", "Name": "web", "Mode": "transparent"})
    shown = await proxy(api)
    assert (shown["Mode"], shown["TransparentProxy"]) == ("transparent", {"OutboundListenerPort": 15001})
    entry = {"Kind": "proxy-defaults", "Name": "global", "TransparentProxy": {"OutboundListenerPort": 15002}}
    await put(api, "config", entry)
    assert (await proxy(api))["TransparentProxy"] == {"OutboundListenerPort": 15002}


async def test_catalog_and_health_show_the_merged_form_of_the_agents_proxies(api: httpx.AsyncClient) -> None:
    await put(api, "agent/service/register", WEB)
    await put(api, "config", MESH)
    wanted = (await proxy(api))["Config"]
    assert wanted["protocol"] == "http"
    (in_catalog,) = (await api.get("/v1/catalog/service/web-sidecar-proxy")).json()
    (in_health,) = (await api.get("/v1/health/connect/web")).json()
    on_node = (await api.get("/v1/catalog/node/n1")).json()["Services"]["web-sidecar-proxy"]
    for shown in (in_catalog["ServiceProxy"], in_health["Service"]["Proxy"], on_node["Proxy"]):
        assert shown["Config"] == wanted


async def test_a_proxy_of_the_catalog_is_merged_only_when_asked(api: httpx.AsyncClient) -> None:
    await put(api, "config", MESH)
    far = {"Service": "p", "Kind": "connect-proxy", "Port": 20000, "Proxy": {"DestinationServiceName": "web"}}
    await put(api, "catalog/register", {"Node": "far", "Address": "10.0.0.2", "Service": far})

    async def protocols(query: str) -> list[str | None]:
        (flat,) = (await api.get(f"/v1/catalog/connect/web{query}")).json()
        (row,) = (await api.get(f"/v1/health/service/p{query}")).json()
        (listed,) = (await api.get(f"/v1/catalog/node-services/far{query}")).json()["Services"]
        found = (flat["ServiceProxy"], row["Service"]["Proxy"], listed["Proxy"])
        return [each.get("Config", {}).get("protocol") for each in found]

    assert await protocols("") == [None] * 3
    for query in ("?merge-central-config", "?merge-central-config=1", "?merge-central-config=true"):
        assert await protocols(query) == ["http"] * 3


async def test_who_waits_by_hash_hears_of_an_entry(
    api: httpx.AsyncClient, held: Callable[..., Awaitable[None]]
) -> None:
    await put(api, "agent/service/register", WEB)
    path = "/v1/agent/service/web-sidecar-proxy"
    for entry in (MESH, SERVICE, CALLED):
        known = (await api.get(path)).headers["X-Consul-ContentHash"]
        waiter = asyncio.create_task(api.get(f"{path}?hash={known}&wait=60s"))
        await held()
        await put(api, "config", {"Kind": "service-defaults", "Name": "other", "Protocol": "http"})
        assert not waiter.done()
        await put(api, "config", entry)
        woken = await asyncio.wait_for(waiter, 5)
        assert woken.headers["X-Consul-ContentHash"] != known
        assert woken.json()["ContentHash"] == woken.headers["X-Consul-ContentHash"]
