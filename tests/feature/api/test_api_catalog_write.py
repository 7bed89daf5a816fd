"""What others watch over: nodes, services and checks that are registered with the catalog."""

from typing import Any

import httpx

from xdsmesh.model.resource import ENDPOINT
from xdsmesh.parts import ServerParts

FAR: dict[str, Any] = {"Node": "Far", "Address": "10.0.0.2"}
WEB = {"ID": "web-1", "Service": "web", "Port": 80}
UUID = "A0B1C2D3-0000-4000-8000-000000000001"


async def register(api: httpx.AsyncClient, **body: object) -> None:
    answer = await api.put("/v1/catalog/register", json={**FAR, **body})
    assert (answer.status_code, answer.text) == (200, "true"), answer.text


async def deregister(api: httpx.AsyncClient, **body: object) -> None:
    answer = await api.put("/v1/catalog/deregister", json={"Node": "far", **body})
    assert (answer.status_code, answer.text) == (200, "true"), answer.text


async def node(api: httpx.AsyncClient, name: str = "far") -> Any:
    return (await api.get(f"/v1/catalog/node/{name}")).json()


async def checks(api: httpx.AsyncClient, name: str = "far") -> dict[str, Any]:
    return {each["CheckID"]: each for each in (await api.get(f"/v1/health/node/{name}")).json()}


async def test_a_node_is_written_whole_and_keeps_its_id(api: httpx.AsyncClient) -> None:
    await register(api, ID=UUID, NodeMeta={"rack": "1"}, TaggedAddresses={"wan": "192.0.2.1"})
    shown = (await node(api))["Node"]
    assert (shown["ID"], shown["Node"], shown["Meta"]) == (UUID.lower(), "Far", {"rack": "1"})
    assert shown["TaggedAddresses"] == {"wan": "192.0.2.1"}
    await register(api, Node="FAR", Address="10.0.0.3")
    again = (await node(api))["Node"]
    assert (again["ID"], again["Node"], again["Address"], again["Meta"]) == (
        UUID.lower(),
        "Far",
        "10.0.0.3",
        {},
    )
    assert again["CreateIndex"] == shown["CreateIndex"]
    assert again["ModifyIndex"] > shown["ModifyIndex"]
    names = [each["Node"] for each in (await api.get("/v1/catalog/nodes")).json()]
    assert names == ["Far", "n1"], "letter case makes no other node"


async def test_a_node_is_left_as_it_is_when_its_update_is_skipped(api: httpx.AsyncClient) -> None:
    await register(api, NodeMeta={"rack": "1"})
    body = {"Node": "far", "SkipNodeUpdate": True, "Service": WEB}
    assert (await api.put("/v1/catalog/register", json=body)).text == "true"
    shown = await node(api)
    assert (shown["Node"]["Address"], shown["Node"]["Meta"]) == ("10.0.0.2", {"rack": "1"})
    assert shown["Services"].keys() == {"web-1"}


async def test_the_bodies_of_real_clients_are_taken(api: httpx.AsyncClient) -> None:
    """Go's client sends every field; what is shown can be sent back; py-consul sends lower-case keys."""
    service = {"ID": "", "Service": "web", "Tags": None, "Meta": None, "Port": 80, "Address": ""}
    go = {
        "ID": "",
        "Datacenter": "",
        "TaggedAddresses": None,
        "NodeMeta": None,
        "Service": {**service, "Weights": {"Passing": 0, "Warning": 0}, "EnableTagOverride": False},
        "Check": None,
        "Checks": None,
        "SkipNodeUpdate": False,
    }
    await register(api, **go)
    shown = (await node(api))["Services"]["web"]
    assert shown["Weights"] == {"Passing": 1, "Warning": 1}
    agents = {**shown, "ContentHash": "0123", "Datacenter": "dc1"}
    rows = (await api.get("/v1/health/node/far")).json()
    await register(api, Service=agents, Checks=rows)
    assert (await node(api))["Services"]["web"].items() >= {"Service": "web", "Port": 80}.items()
    lower = {"node": "far", "address": "10.0.0.2", "service": {"service": "web", "id": "w2", "port": 81}}
    assert (await api.put("/v1/catalog/register", json={**lower, "WriteRequest": {"Token": "x"}})).is_success
    assert (await node(api))["Services"].keys() == {"web", "w2"}


WRONG: list[tuple[object, str]] = [
    ({"Address": "10.0.0.2"}, "Must provide node"),
    ({"Node": "far"}, "Must provide address if SkipNodeUpdate is not set"),
    ({"Node": "far", "SkipNodeUpdate": True}, "Node"),
    ({**FAR, "ID": "far"}, "UUID"),
    ({**FAR, "Service": {"ID": "web-1"}}, "Must provide service name"),
    ({**FAR, "Service": {}}, "Must provide service name"),
    ({**FAR, "Datacenter": "dc2"}, "a registration for datacenter 'dc2' is made at its own control plane"),
    ({**FAR, "Check": {"Name": "c", "ServiceID": "nobody"}}, "Unknown service ID"),
    ({**FAR, "Check": {"Name": "c", "Node": "near"}}, "Check.Node"),
    ({**FAR, "Check": {"Name": "c", "Status": "fine"}}, "Check.Status"),
    ({**FAR, "Check": {"Name": "c", "Definition": {"interval": "often"}}}, "Check.Definition.interval"),
    ({**FAR, "Checks": [{"Notes": "?"}]}, "Checks[0]"),
    ({**FAR, "Service": {**WEB, "Connect": {"SidecarService": {}}}}, "SidecarService"),
    ({**FAR, "Unheard": 1}, "Unheard"),
    ([], "object"),
]


async def test_what_is_wrong_is_refused_whole(api: httpx.AsyncClient) -> None:
    for body, text in WRONG:
        answer = await api.put("/v1/catalog/register", json=body)
        assert answer.status_code == 400, body
        assert text in answer.text
    assert await node(api) is None


async def test_checks_are_kept_as_they_are_said_and_nothing_probes_them(api: httpx.AsyncClient) -> None:
    definition = {"http": "http://127.0.0.1:9", "IntervalDuration": 90_000_000_000, "Timeout": "0s"}
    await register(
        api,
        Service=WEB,
        Check={"Name": "node is up", "Status": "passing", "Output": "yes"},
        Checks=[{"CheckID": "c", "Name": "n", "ServiceID": "web-1", "Definition": definition}],
    )
    found = await checks(api)
    assert found.keys() == {"node is up", "c"}, "no serfHealth: nobody watches this node"
    of_node, of_service = found["node is up"], found["c"]
    assert (of_node["Status"], of_node["Output"], of_node["ServiceID"]) == ("passing", "yes", "")
    assert (of_service["Status"], of_service["ServiceName"]) == ("", "web")
    assert of_service["Definition"] == {"HTTP": "http://127.0.0.1:9", "Interval": "1m30s"}
    assert (await api.get("/v1/health/service/web?passing")).json() == [], "no status is not passing"
    await register(api, Check={"CheckID": "c", "Name": "n", "ServiceID": "web-1", "Status": "passing"})
    assert len((await api.get("/v1/health/service/web?passing")).json()) == 1
    assert (await api.get("/v1/agent/checks")).json() == {}


async def test_the_most_specific_thing_is_deregistered(api: httpx.AsyncClient) -> None:
    await register(api, Service=WEB)
    for check in ("a", "b"):
        await register(api, Check={"Name": check})
    await register(api, Check={"Name": "of web", "ServiceID": "web-1"})
    await deregister(api, CheckID="a", Address="10.0.0.2")
    assert (await checks(api)).keys() == {"b", "of web"}
    await deregister(api, ServiceID="web-1", CheckID="b")
    assert (await checks(api)).keys() == {"b"}
    assert (await node(api))["Services"] == {}
    await deregister(api)
    assert await node(api) is None
    assert await checks(api) == {}
    for absent in ({"ServiceID": "x"}, {"CheckID": "x"}, {}):
        await deregister(api, **absent)


async def test_the_servers_own_node_is_not_for_others_to_change(api: httpx.AsyncClient) -> None:
    for body in ({}, {"ServiceID": "consul"}, {"CheckID": "serfHealth"}):
        answer = await api.put("/v1/catalog/deregister", json={"Node": "N1", **body})
        assert answer.status_code == 409
        assert "the server's own" in answer.text
    answer = await api.put("/v1/catalog/register", json={"Node": "n1", "Address": "10.9.9.9"})
    assert answer.status_code == 409
    assert (await node(api, "n1"))["Node"]["Address"] == "127.0.0.1"
    await register(api, Node="N1", Address="127.0.0.1", Service=WEB)
    assert (await node(api, "n1"))["Services"].keys() == {"consul", "web-1"}


async def test_an_id_is_a_nodes_own_but_that_of_a_proxy_is_everybodys(api: httpx.AsyncClient) -> None:
    proxy = {
        "ID": "p",
        "Service": "web-proxy",
        "Kind": "connect-proxy",
        "Port": 20000,
        "Proxy": {"DestinationServiceName": "web"},
    }
    for name in ("far", "near"):
        await register(api, Node=name, Service=WEB)
    assert len((await api.get("/v1/catalog/service/web")).json()) == 2
    await register(api, Service=proxy)
    await register(api, Service=proxy)
    answer = await api.put("/v1/catalog/register", json={**FAR, "Node": "near", "Service": proxy})
    assert answer.status_code == 400
    assert "a proxy with the id p is registered on the node Far" in answer.text.replace("far", "Far")


async def test_a_proxy_elsewhere_gets_traffic_if_its_address_is_an_ip(
    api: httpx.AsyncClient, parts: ServerParts
) -> None:
    caller = {"Proxy": {"Upstreams": [{"DestinationName": "web", "LocalBindPort": 9001}]}}
    body = {"Name": "client", "Connect": {"SidecarService": caller}}
    assert (await api.put("/v1/agent/service/register", json=body)).is_success
    for name, address in (("far", "10.0.0.2"), ("named", "far.example.com")):
        proxy = {"Service": "web-proxy", "ID": name, "Kind": "connect-proxy", "Port": 20000}
        proxied = {**proxy, "Proxy": {"DestinationServiceName": "web"}}
        await register(api, Node=name, Address=address, Service=proxied)
    await parts.loop.wait_revision(await parts.feed.latest())
    view = parts.index.view("client-sidecar-proxy")
    assert view is not None
    (resource,) = view.of(ENDPOINT).values()
    assert b"10.0.0.2" in resource.any
    assert b"far.example.com" not in resource.any
