"""What becomes of a registration with the agent: the instance, its sidecar, their ports and addresses."""

import asyncio
from typing import Any

import httpx
import pytest

REGISTER = "/v1/agent/service/register"
FIRST, LAST = 21000, 21255

Body = dict[str, Any]


def with_sidecar(name: str = "web", sidecar: Body | None = None, **more: Any) -> Body:
    return {"Name": name, "Port": 8080, "Connect": {"SidecarService": sidecar or {}}, **more}


async def put(api: httpx.AsyncClient, body: Body, **params: Any) -> None:
    answer = await api.put(REGISTER, json=body, params=params)
    assert (answer.status_code, answer.content) == (200, b""), answer.text


async def refused(api: httpx.AsyncClient, body: Body) -> str:
    before = (await api.get("/v1/agent/services")).json()
    answer = await api.put(REGISTER, json=body)
    assert answer.status_code == 400, answer.text
    assert (await api.get("/v1/agent/services")).json() == before, "a refused body changes nothing"
    return answer.text


async def service(api: httpx.AsyncClient, service_id: str) -> Body:
    answer = await api.get(f"/v1/agent/service/{service_id}")
    assert answer.status_code == 200, answer.text
    body: Body = answer.json()
    return body


async def check_ids(api: httpx.AsyncClient) -> set[str]:
    return set((await api.get("/v1/agent/checks")).json())


async def test_what_is_not_said_has_its_default(api: httpx.AsyncClient) -> None:
    await put(api, {"Name": "web"})
    shown = await service(api, "web")
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


async def test_what_is_said_is_shown(api: httpx.AsyncClient) -> None:
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
    await put(api, body)
    shown = await service(api, "web-1")
    own = {"Address": "10.0.0.1", "Port": 80}
    assert shown["TaggedAddresses"] == {
        "lan": {"Address": "10.0.0.1", "Port": 81},
        "lan_ipv4": own,
        "wan_ipv4": own,
        "public": {"Address": "a.example", "Port": 80},
    }
    same = ("Tags", "Meta", "Address", "Port", "Weights", "EnableTagOverride", "Locality")
    assert {key: shown[key] for key in same} == {key: body[key] for key in same}


async def test_a_registration_replaces_the_service_whole(api: httpx.AsyncClient) -> None:
    await put(api, {"Name": "web", "Tags": ["a"], "Meta": {"k": "v"}, "Port": 80, "Address": "10.0.0.1"})
    await put(api, {"Name": "web", "Port": 81})
    shown = await service(api, "web")
    assert (shown["Tags"], shown["Meta"], shown["Port"], shown["Address"]) == ([], {}, 81, "")
    assert "TaggedAddresses" not in shown
    await put(api, {"ID": "web", "Name": "other"})
    assert (await api.get("/v1/catalog/service/web")).json() == []
    assert len((await api.get("/v1/catalog/service/other")).json()) == 1


ADDRESSES: list[tuple[str, set[str]]] = [
    ("10.0.0.1", {"lan_ipv4", "wan_ipv4"}),
    ("2001:db8::1", {"lan_ipv6", "wan_ipv6"}),
    ("web.example.com", set()),
]


async def test_addresses_of_the_services_own_family_are_added(api: httpx.AsyncClient) -> None:
    for address, tags in ADDRESSES:
        await put(api, {"Name": "web", "Address": address, "Port": 80})
        tagged = (await service(api, "web")).get("TaggedAddresses", {})
        assert tagged == {tag: {"Address": address, "Port": 80} for tag in tags}


async def test_keys_may_be_written_in_any_case_and_in_snake_case_and_lists_may_be_null(
    api: httpx.AsyncClient,
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
    await put(api, body)
    web = await service(api, "web-1")
    assert (web["EnableTagOverride"], web["Tags"], web["Meta"]) == (True, [], {})
    assert web["TaggedAddresses"] == {"lan": {"Address": "10.0.0.9", "Port": 1}}
    sidecar = await service(api, "web-1-sidecar-proxy")
    assert sidecar["Proxy"]["LocalServicePort"] == 9
    assert sidecar["Proxy"]["Upstreams"][0]["DestinationName"] == "db"
    checks = (await api.get("/v1/agent/checks")).json()
    assert checks["service:web-1-sidecar-proxy"]["Interval"] == "10s"


async def test_a_sidecar_takes_after_its_service(api: httpx.AsyncClient) -> None:
    parent: Body = {"Address": "10.0.0.1", "Tags": ["v1"], "Meta": {"k": "v"}, "Locality": {"Region": "eu"}}
    await put(api, with_sidecar(ID="web-1", **parent))
    web, sidecar = await service(api, "web-1"), await service(api, "web-1-sidecar-proxy")
    assert "Connect" not in web
    assert "Proxy" not in web
    assert (sidecar["Kind"], sidecar["Service"]) == ("connect-proxy", "web-sidecar-proxy")
    for key in ("Address", "Tags", "Meta", "Locality"):
        assert sidecar[key] == web[key], key
    assert sidecar["Port"] == FIRST
    assert sidecar["TaggedAddresses"]["lan_ipv4"] == {"Address": "10.0.0.1", "Port": FIRST}
    proxy = sidecar["Proxy"]
    assert (proxy["DestinationServiceName"], proxy["DestinationServiceID"]) == ("web", "web-1")
    assert (proxy["LocalServiceAddress"], proxy["LocalServicePort"]) == ("127.0.0.1", 8080)


async def test_what_a_sidecar_says_of_itself_wins(api: httpx.AsyncClient) -> None:
    own = {
        "Name": "front",
        "Port": 20000,
        "Address": "10.0.0.2",
        "Tags": ["proxy"],
        "Meta": {"own": "1"},
        "Locality": {"Region": "us"},
        "Proxy": {
            "LocalServiceAddress": "127.0.0.9",
            "LocalServicePort": 9090,
            "Upstreams": [{"DestinationName": "db", "LocalBindPort": 5000}],
        },
    }
    await put(api, with_sidecar(sidecar=own, Tags=["v1"], Meta={"k": "v"}, Address="10.0.0.1"))
    sidecar = await service(api, "web-sidecar-proxy")
    assert sidecar["Service"] == "front"
    assert sidecar["Locality"]["Region"] == "us"
    for key in ("Port", "Address", "Tags", "Meta"):
        assert sidecar[key] == own[key], key
    proxy = sidecar["Proxy"]
    assert (proxy["LocalServiceAddress"], proxy["LocalServicePort"]) == ("127.0.0.9", 9090)
    (upstream,) = proxy["Upstreams"]
    assert (upstream["DestinationType"], upstream["LocalBindPort"]) == ("service", 5000)


@pytest.mark.parametrize(("address", "host"), [("", "127.0.0.1"), ("10.0.0.1", "10.0.0.1")])
async def test_a_sidecar_gets_two_checks_unless_it_names_its_own(
    api: httpx.AsyncClient, until: Any, address: str, host: str
) -> None:
    await put(api, with_sidecar(Address=address))
    checks = (await api.get("/v1/agent/checks")).json()
    assert set(checks) == {"service:web-sidecar-proxy:1", "service:web-sidecar-proxy:2"}
    listening, aliasing = checks["service:web-sidecar-proxy:1"], checks["service:web-sidecar-proxy:2"]
    assert (listening["Name"], listening["Type"]) == ("Connect Sidecar Listening", "tcp")
    assert listening["Interval"] == "10s"
    assert (aliasing["Name"], aliasing["Type"]) == ("Connect Sidecar Aliasing web", "alias")
    for check in (listening, aliasing):
        assert (check["ServiceID"], check["ServiceName"]) == ("web-sidecar-proxy", "web-sidecar-proxy")
    (row,) = (await api.get("/v1/catalog/connect/web")).json()
    assert row["ServiceID"] == "web-sidecar-proxy"
    if address:
        return  # nothing is to be dialed there

    async def output() -> str:
        text: str = (await api.get("/v1/agent/checks")).json()["service:web-sidecar-proxy:1"]["Output"]
        return text

    assert (await until(output, bool)).startswith(f"TCP connect {host}:{FIRST}: ")


async def test_a_sidecar_goes_with_its_service_and_may_go_alone(api: httpx.AsyncClient) -> None:
    await put(api, with_sidecar(Check={"TTL": "10s"}))
    assert (await api.put("/v1/agent/service/deregister/web-sidecar-proxy")).status_code == 200
    assert set((await api.get("/v1/agent/services")).json()) == {"web"}
    assert await check_ids(api) == {"service:web"}

    await put(api, with_sidecar())
    assert (await api.put("/v1/agent/service/deregister/web")).status_code == 200
    assert (await api.get("/v1/agent/services")).json() == {}
    assert await check_ids(api) == set()
    assert (await api.get("/v1/catalog/connect/web")).json() == []


async def test_a_proxy_that_was_registered_by_itself_stays_when_its_service_goes(
    api: httpx.AsyncClient,
) -> None:
    await put(api, {"Name": "web", "Port": 80})
    proxy = {"DestinationServiceName": "web", "DestinationServiceID": "web"}
    await put(
        api,
        {"ID": "web-sidecar-proxy", "Name": "web-proxy", "Kind": "connect-proxy", "Port": 1, "Proxy": proxy},
    )
    await api.put("/v1/agent/service/deregister/web")
    assert set((await api.get("/v1/agent/services")).json()) == {"web-sidecar-proxy"}


async def test_ports_of_sidecars_are_the_lowest_free_ones_and_are_kept(api: httpx.AsyncClient) -> None:
    async def port(name: str) -> int:
        number: int = (await service(api, f"{name}-sidecar-proxy"))["Port"]
        return number

    await put(api, {"Name": "taken", "Port": FIRST + 1})
    for name in ("a", "b", "c"):
        await put(api, with_sidecar(name))
    assert [await port(name) for name in ("a", "b", "c")] == [FIRST, FIRST + 2, FIRST + 3]

    await put(api, with_sidecar("b", Tags=["again"]))
    assert await port("b") == FIRST + 2
    await api.put("/v1/agent/service/deregister/a")
    await put(api, with_sidecar("d"))
    assert await port("d") == FIRST
    await put(api, with_sidecar("d", {"Port": 20000}))
    await put(api, with_sidecar("e"))
    assert await port("e") == FIRST


async def test_registrations_at_once_get_a_port_each(api: httpx.AsyncClient) -> None:
    await asyncio.gather(*(put(api, with_sidecar(f"s{number}")) for number in range(20)))
    services = (await api.get("/v1/agent/services")).json()
    ports = sorted(each["Port"] for each in services.values() if each.get("Kind") == "connect-proxy")
    assert ports == list(range(FIRST, FIRST + 20))


async def test_when_no_port_is_left_the_registration_is_refused_whole(api: httpx.AsyncClient) -> None:
    rest = range(FIRST + 1, LAST + 1)
    await asyncio.gather(*(put(api, {"Name": f"s{port}", "Port": port}) for port in rest))
    await put(api, with_sidecar("last"))
    assert f"no port from {FIRST} to {LAST} is free" in await refused(api, with_sidecar("too-many"))
    await api.put("/v1/agent/service/deregister/last")
    await put(api, with_sidecar("too-many"))


@pytest.mark.parametrize("kind", ["mesh-gateway", "terminating-gateway", "ingress-gateway", "api-gateway"])
async def test_gateways_are_services_of_their_kind(api: httpx.AsyncClient, kind: str) -> None:
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
    await put(api, body)
    shown = await service(api, "edge-1")
    assert (shown["Kind"], shown["Port"]) == (kind, 8443)
    assert shown["TaggedAddresses"] == body["TaggedAddresses"]
    assert shown["Proxy"]["Config"] == {"connect_timeout_ms": 1}
    assert "DestinationServiceName" not in shown["Proxy"]
    (row,) = (await api.get("/v1/catalog/service/edge")).json()
    assert row["ServiceKind"] == kind


@pytest.mark.parametrize("kind", ["ingress-gateway", "api-gateway"])
async def test_some_gateways_need_no_port(api: httpx.AsyncClient, kind: str) -> None:
    await put(api, {"Kind": kind, "Name": "edge"})


async def test_a_native_service_takes_the_calls_of_the_mesh_itself(api: httpx.AsyncClient) -> None:
    await put(api, {"Name": "web", "Port": 80, "Connect": {"Native": True}})
    assert (await service(api, "web"))["Connect"] == {"Native": True}
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


async def test_what_is_wrong_is_named_and_nothing_changes(api: httpx.AsyncClient) -> None:
    for body, told in WRONG:
        assert told in await refused(api, body)


async def test_a_mesh_gateway_may_say_that_it_federates(api: httpx.AsyncClient) -> None:
    meta = {"consul-wan-federation": "1"}
    await put(api, {"Kind": "mesh-gateway", "Name": "g", "Port": 1, "Meta": meta})
    assert (await service(api, "g"))["Meta"] == meta


UNDECODABLE: list[bytes] = [b"", b"{", b"[]", b"null", b"\xff"]


async def test_what_is_no_registration_is_told_as_undecodable(api: httpx.AsyncClient) -> None:
    for body in UNDECODABLE:
        answer = await api.put(REGISTER, content=body)
        assert answer.status_code == 400
        assert answer.text


async def test_what_the_agent_answers_has_no_index(api: httpx.AsyncClient) -> None:
    await put(api, {"Name": "web"})
    for path in ("services", "service/web", "checks", "self", "members", "health/service/id/web"):
        assert "X-Consul-Index" not in (await api.get(f"/v1/agent/{path}")).headers, path


async def test_services_and_checks_of_the_agent_can_be_filtered(api: httpx.AsyncClient) -> None:
    await put(api, {"Name": "web", "Tags": ["v1"], "Check": {"TTL": "10s"}})
    await put(api, with_sidecar("db"))

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


async def test_the_id_of_a_proxy_on_another_node_is_taken(api: httpx.AsyncClient) -> None:
    other = {"Node": "other", "Address": "10.0.0.9"}
    body = {"ID": "web-sidecar-proxy", "Service": "p", "Kind": "connect-proxy", "Port": 1}
    proxied = {**body, "Proxy": {"DestinationServiceName": "web"}}
    assert (await api.put("/v1/catalog/register", json={**other, "Service": proxied})).status_code == 200
    told = await refused(api, with_sidecar())
    assert "web-sidecar-proxy" in told
    assert "other" in told
