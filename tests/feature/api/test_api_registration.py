"""What becomes of a service that is registered with the agent, and what is no registration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.feature.api.conftest import Agent

REGISTER = "/v1/agent/service/register"

Body = dict[str, Any]


def with_sidecar(name: str = "web", sidecar: Body | None = None, **more: Any) -> Body:
    return {"Name": name, "Port": 8080, "Connect": {"SidecarService": sidecar or {}}, **more}


async def test_what_is_not_said_has_its_default(api: httpx.AsyncClient, agent: Agent) -> None:
    await agent.register({"Name": "web"})
    shown = await agent.shown("web")
    del shown["ContentHash"]
    assert shown == {
        "ID": "web",
        "Service": "web",
        "Tags": [],
        "Meta": {},
        "Port": 0,
        "Address": "",
        "Weights": {"Passing": 1, "Warning": 1},
        "EnableTagOverride": False,
        "Datacenter": "dc1",
    }
    (row,) = (await api.get("/v1/health/service/web")).json()
    assert (row["Service"]["Address"], row["Node"]["Address"]) == ("", "127.0.0.1")


async def test_what_is_said_is_shown(agent: Agent) -> None:
    body = {
        "ID": "web-1",
        "Name": "web",
        "Tags": ["a", "b"],
        "Meta": {"version": "1"},
        "Address": "10.0.0.1",
        "Port": 80,
        "Weights": {"Passing": 10, "Warning": 0},
        "EnableTagOverride": True,
        "TaggedAddresses": {"lan": {"Address": "10.0.0.1", "Port": 81}, "public": {"Address": "a.example"}},
        "Locality": {"Region": "eu", "Zone": "eu-1"},
    }
    await agent.register(body)
    shown = await agent.shown("web-1")
    own = {"Address": "10.0.0.1", "Port": 80}
    assert shown["TaggedAddresses"] == {
        "lan": {"Address": "10.0.0.1", "Port": 81},
        "lan_ipv4": own,
        "wan_ipv4": own,
        "public": {"Address": "a.example", "Port": 80},
    }
    same = ("Tags", "Meta", "Address", "Port", "Weights", "EnableTagOverride", "Locality")
    assert {key: shown[key] for key in same} == {key: body[key] for key in same}


async def test_a_registration_replaces_the_service_whole(api: httpx.AsyncClient, agent: Agent) -> None:
    await agent.register(
        {"Name": "web", "Tags": ["a"], "Meta": {"k": "v"}, "Port": 80, "Address": "10.0.0.1"}
    )
    await agent.register({"Name": "web", "Port": 81})
    shown = await agent.shown("web")
    assert (shown["Tags"], shown["Meta"], shown["Port"], shown["Address"]) == ([], {}, 81, "")
    assert "TaggedAddresses" not in shown
    await agent.register({"ID": "web", "Name": "other"})
    assert (await api.get("/v1/catalog/service/web")).json() == []
    assert len((await api.get("/v1/catalog/service/other")).json()) == 1


ADDRESSES: list[tuple[str, set[str]]] = [
    ("10.0.0.1", {"lan_ipv4", "wan_ipv4"}),
    ("2001:db8::1", {"lan_ipv6", "wan_ipv6"}),
    ("web.example.com", set()),
]


async def test_addresses_of_the_services_own_family_are_added(agent: Agent) -> None:
    for address, tags in ADDRESSES:
        await agent.register({"Name": "web", "Address": address, "Port": 80})
        tagged = (await agent.shown("web")).get("TaggedAddresses", {})
        assert tagged == {tag: {"Address": address, "Port": 80} for tag in tags}


async def test_keys_may_be_written_in_any_case_and_in_snake_case_and_lists_may_be_null(
    api: httpx.AsyncClient,
    agent: Agent,
) -> None:
    body = {
        "id": "web-1",
        "NAME": "web",
        "port": 80,
        "tags": None,
        "Meta": None,
        "Check": None,
        "Checks": None,
        "Proxy": None,
        "Token": "secret",
        "enable_tag_override": True,
        "tagged_addresses": {"lan": {"address": "10.0.0.9", "port": 1}},
        "connect": {
            "sidecar_service": {
                "proxy": {
                    "local_service_port": 9,
                    "upstreams": [{"destination_name": "db", "local_bind_port": 5000}],
                },
                "check": {"tcp": "127.0.0.1:1", "interval": 10_000_000_000},
            }
        },
    }
    await agent.register(body)
    web = await agent.shown("web-1")
    assert (web["EnableTagOverride"], web["Tags"], web["Meta"]) == (True, [], {})
    assert web["TaggedAddresses"] == {"lan": {"Address": "10.0.0.9", "Port": 1}}
    sidecar = await agent.shown("web-1-sidecar-proxy")
    assert sidecar["Proxy"]["LocalServicePort"] == 9
    assert sidecar["Proxy"]["Upstreams"][0]["DestinationName"] == "db"
    checks = (await api.get("/v1/agent/checks")).json()
    assert checks["service:web-1-sidecar-proxy"]["Interval"] == "10s"


@pytest.mark.parametrize("kind", ["mesh-gateway", "terminating-gateway", "ingress-gateway", "api-gateway"])
async def test_gateways_are_services_of_their_kind(api: httpx.AsyncClient, agent: Agent, kind: str) -> None:
    body = {
        "Kind": kind,
        "ID": "edge-1",
        "Name": "edge",
        "Port": 8443,
        "TaggedAddresses": {
            "lan": {"Address": "10.0.0.1", "Port": 8443},
            "wan": {"Address": "192.0.2.1", "Port": 443},
        },
        "Proxy": {"Config": {"connect_timeout_ms": 1}},
    }
    await agent.register(body)
    shown = await agent.shown("edge-1")
    assert (shown["Kind"], shown["Port"]) == (kind, 8443)
    assert shown["TaggedAddresses"] == body["TaggedAddresses"]
    assert shown["Proxy"]["Config"] == {"connect_timeout_ms": 1}
    assert "DestinationServiceName" not in shown["Proxy"]
    (row,) = (await api.get("/v1/catalog/service/edge")).json()
    assert row["ServiceKind"] == kind


@pytest.mark.parametrize("kind", ["ingress-gateway", "api-gateway"])
async def test_some_gateways_need_no_port(agent: Agent, kind: str) -> None:
    await agent.register({"Kind": kind, "Name": "edge"})


async def test_a_native_service_takes_the_calls_of_the_mesh_itself(
    api: httpx.AsyncClient, agent: Agent
) -> None:
    await agent.register({"Name": "web", "Port": 80, "Connect": {"Native": True}})
    assert (await agent.shown("web"))["Connect"] == {"Native": True}
    (row,) = (await api.get("/v1/health/connect/web")).json()
    assert row["Service"]["Connect"] == {"Native": True}


def proxy(**more: Any) -> Body:
    return {
        "Name": "p",
        "Kind": "connect-proxy",
        "Port": 1,
        "Proxy": {"DestinationServiceName": "web", **more},
    }


def upstreams(*given: Body) -> Body:
    return proxy(Upstreams=list(given))


DB = {"DestinationName": "db", "LocalBindPort": 5000}


WRONG: list[tuple[Body, str]] = [
    ({}, "Name"),
    ({"Name": "web", "Address": "0.0.0.0"}, "0.0.0.0"),
    ({"Name": "web", "Address": "::"}, "::"),
    ({"Name": "web", "TaggedAddresses": {"lan_ipv6": {"Address": "10.0.0.1"}}}, "IPv6"),
    ({"Name": "web", "TaggedAddresses": {"wan_ipv4": {"Address": "2001:db8::1"}}}, "IPv4"),
    ({"Name": "web", "Port": 65536}, "Port"),
    ({"Name": "web", "Weights": {"Passing": 0}}, "Passing"),
    ({"Name": "web", "Weights": {"Passing": 65536}}, "Passing"),
    ({"Name": "web", "Weights": {"Passing": 1, "Warning": 65536}}, "Warning"),
    ({"Name": "web", "Meta": {str(number): "" for number in range(65)}}, "64"),
    ({"Name": "web", "Meta": {"k" * 129: ""}}, "128"),
    ({"Name": "web", "Meta": {"k": "v" * 513}}, "512"),
    ({"Name": "web", "Meta": {"a b": ""}}, "a b"),
    ({"Name": "web", "Meta": {"consul-x": ""}}, "consul-"),
    ({"Name": "web", "Meta": {"consul-wan-federation": "1"}}, "consul-"),
    ({"Name": "web", "Locality": {"Zone": "z"}}, "Region"),
    ({"Name": "web", "Kind": "typical"}, "typical"),
    ({"Name": "web", "Prot": 1}, "Prot"),
    ({"Name": "web", "Connect": {"Native": True}}, "Port"),
    ({"Name": "web", "Proxy": {"DestinationServiceName": "x"}}, "Proxy"),
    ({"Name": "web", "Ports": [{"Name": "a", "Port": 1}], "Connect": {"SidecarService": {}}}, "Ports"),
    (with_sidecar(sidecar={"ID": "x"}), "ID"),
    (with_sidecar(sidecar={"Connect": {"SidecarService": {}}}), "sidecar"),
    (with_sidecar(sidecar={"Kind": "mesh-gateway"}), "connect-proxy"),
    (with_sidecar(sidecar={"Checks": [{"TTL": "1s", "TCP": "a:1"}]}), "exclude"),
    (with_sidecar(sidecar={"Address": "0.0.0.0"}), "0.0.0.0"),
    (proxy(DestinationServiceName=""), "DestinationServiceName"),
    (proxy(DestinationServiceName="*"), "DestinationServiceName"),
    ({**proxy(), "Port": 0}, "Port"),
    ({**proxy(), "Connect": {"Native": True}}, "Native"),
    ({**proxy(), "Connect": {"SidecarService": {}}}, "sidecar"),
    (upstreams({"LocalBindPort": 1}), "DestinationName"),
    (upstreams({"DestinationName": "*", "LocalBindPort": 1}), "DestinationName"),
    (upstreams({"DestinationName": "db"}), "LocalBindPort"),
    (upstreams(DB, {**DB, "LocalBindPort": 5001}), "db"),
    (upstreams(DB, {**DB, "DestinationName": "x"}), "5000"),
    (upstreams(DB, {**DB, "DestinationName": "x", "LocalBindAddress": "127.0.0.1"}), "5000"),
    ({"Kind": "mesh-gateway", "Name": "g"}, "Port"),
    ({"Kind": "terminating-gateway", "Name": "g"}, "Port"),
    ({"Kind": "mesh-gateway", "Name": "g", "Port": 1, "Connect": {"SidecarService": {}}}, "sidecar"),
    ({"Kind": "ingress-gateway", "Name": "g", "Proxy": {"DestinationServiceName": "x"}}, "Destination"),
    ({"Kind": "api-gateway", "Name": "g", "Proxy": {"LocalServicePort": 1}}, "LocalServicePort"),
    ({"Kind": "ingress-gateway", "Name": "g", "Proxy": {"Upstreams": [DB]}}, "Upstreams"),
]


async def test_what_is_wrong_is_named_and_nothing_changes(agent: Agent) -> None:
    for body, told in WRONG:
        assert told in await agent.refusal(body)


async def test_a_mesh_gateway_may_say_that_it_federates(agent: Agent) -> None:
    meta = {"consul-wan-federation": "1"}
    await agent.register({"Kind": "mesh-gateway", "Name": "g", "Port": 1, "Meta": meta})
    assert (await agent.shown("g"))["Meta"] == meta


UNDECODABLE: list[bytes] = [b"", b"{", b"[]", b"null", b"\xff"]


async def test_what_is_no_registration_is_told_as_undecodable(api: httpx.AsyncClient) -> None:
    for body in UNDECODABLE:
        answer = await api.put(REGISTER, content=body)
        assert answer.status_code == 400
        assert answer.text


async def test_what_the_agent_answers_has_no_index(api: httpx.AsyncClient, agent: Agent) -> None:
    await agent.register({"Name": "web"})
    for path in ("services", "service/web", "checks", "self", "members", "health/service/id/web"):
        assert "X-Consul-Index" not in (await api.get(f"/v1/agent/{path}")).headers, path


async def test_services_and_checks_of_the_agent_can_be_filtered(api: httpx.AsyncClient, agent: Agent) -> None:
    await agent.register({"Name": "web", "Tags": ["v1"], "Check": {"TTL": "10s"}})
    await agent.register(with_sidecar("db"))

    async def ask(path: str, text: str) -> set[str]:
        answer = await api.get(f"/v1/agent/{path}", params={"filter": text})
        assert answer.status_code == 200, answer.text
        return set(answer.json())

    assert await ask("services", '"v1" in Tags') == {"web"}
    assert await ask("services", "Kind == `connect-proxy`") == {"db-sidecar-proxy"}
    assert await ask("services", "Connect.Native == false") == {"web", "db", "db-sidecar-proxy"}
    assert await ask("checks", "Type == ttl") == {"service:web"}
    assert await ask("checks", 'ServiceName matches "^db"') == {
        "service:db-sidecar-proxy:1",
        "service:db-sidecar-proxy:2",
    }
    for path in ("services", "checks"):
        answer = await api.get(f"/v1/agent/{path}", params={"filter": "Nonsense == 1"})
        assert answer.status_code == 400
        assert "Nonsense" in answer.text


async def test_the_agent_shows_only_its_own_node(api: httpx.AsyncClient) -> None:
    node = {"Node": "other", "Address": "10.0.0.9"}
    check = {"CheckID": "c", "Name": "c", "ServiceID": "web", "Status": "passing"}
    answer = await api.put(
        "/v1/catalog/register", json={**node, "Service": {"Service": "web"}, "Check": check}
    )
    assert answer.status_code == 200
    assert (await api.get("/v1/agent/services")).json() == {}
    assert (await api.get("/v1/agent/checks")).json() == {}
    assert (await api.get("/v1/agent/service/web")).status_code == 404
    assert (await api.put("/v1/agent/service/deregister/web")).status_code == 404
    assert (await api.put("/v1/agent/check/deregister/c")).status_code == 404
    assert (await api.get("/v1/agent/health/service/name/web")).status_code == 404


async def test_the_id_of_a_proxy_on_another_node_is_taken(api: httpx.AsyncClient, agent: Agent) -> None:
    other = {"Node": "other", "Address": "10.0.0.9"}
    body = {"ID": "web-sidecar-proxy", "Service": "p", "Kind": "connect-proxy", "Port": 1}
    proxied = {**body, "Proxy": {"DestinationServiceName": "web"}}
    assert (await api.put("/v1/catalog/register", json={**other, "Service": proxied})).status_code == 200
    told = await agent.refusal(with_sidecar())
    assert "web-sidecar-proxy" in told
    assert "other" in told


async def test_only_what_the_mesh_calls_needs_a_name_that_it_can_call(api: httpx.AsyncClient) -> None:
    named = await api.put("/v1/agent/service/register", json={"Name": "app#127.0.0.1#3000"})
    assert named.status_code == 200
    (row,) = (await api.get("/v1/health/service/app%23127.0.0.1%233000")).json()
    assert row["Service"]["Service"] == "app#127.0.0.1#3000"
    body = {"Name": "app#1", "Port": 80, "Connect": {"SidecarService": {}}}
    refused = await api.put("/v1/agent/service/register", json=body)
    assert (refused.status_code, "XM0302" in refused.text) == (400, True)
    for name in ("", "*", "a\nb"):
        assert (await api.put("/v1/agent/service/register", json={"Name": name})).status_code == 400
