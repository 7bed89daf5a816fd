"""Each reply field by field: what is always there, what is left out when it is empty, and what is null."""

from typing import Any

import httpx
import pytest


def fields(**by_type: str) -> dict[str, Any]:
    """Names of fields by the name of their type; null is None."""
    types = {"text": str, "number": int, "flag": bool, "list": list, "object": dict, "null": None}
    return {field: types[name] for name, names in by_type.items() for field in names.split()}


REVISIONS = "CreateIndex ModifyIndex"
NODE = fields(text="ID Node Address Datacenter", object="TaggedAddresses Meta", number=REVISIONS)
SERVICE = fields(
    text="ID Service Address PeerName",
    list="Tags",
    object="Meta Weights Proxy Connect",
    flag="EnableTagOverride",
    number=f"Port {REVISIONS}",
)
FLAT = fields(
    text="ID Node Address Datacenter ServiceKind ServiceID ServiceName ServiceAddress ServiceSocketPath",
    list="ServiceTags",
    object="TaggedAddresses NodeMeta ServiceWeights ServiceMeta ServiceProxy ServiceConnect",
    flag="ServiceEnableTagOverride",
    number=f"ServicePort {REVISIONS}",
    null="ServicePorts ServiceLocality",
)
CHECK = fields(
    text="Node CheckID Name Status Notes Output ServiceID ServiceName Type Interval Timeout",
    list="ServiceTags",
    object="Definition",
    number=f"ExposedPort {REVISIONS}",
)
PROXY = fields(
    text="DestinationServiceName DestinationServiceID LocalServiceAddress Mode",
    list="Upstreams",
    object="MeshGateway Expose",
    number="LocalServicePort",
)
UPSTREAM = fields(
    text="DestinationType DestinationName Datacenter LocalBindAddress",
    object="MeshGateway",
    number="LocalBindPort",
)
NO_PROXY = {"Mode": "", "MeshGateway": {}, "Expose": {}}

EVERYTHING = {
    "ID": "web-1",
    "Name": "web",
    "Port": 80,
    "Address": "127.0.0.7",
    "Tags": ["V1"],
    "Meta": {"a": "1"},
    "EnableTagOverride": True,
    "Locality": {"Region": "eu", "Zone": "eu-1"},
    "Check": {"TTL": "1h", "Status": "passing", "Notes": "says so"},
    "Connect": {
        "SidecarService": {"Proxy": {"Upstreams": [{"DestinationName": "db", "LocalBindPort": 9001}]}}
    },
}


def shape(row: dict[str, Any]) -> dict[str, Any]:
    """The fields with their types; null is None."""
    return {key: None if value is None else type(value) for key, value in row.items()}


@pytest.fixture
async def filled(api: httpx.AsyncClient) -> httpx.AsyncClient:
    for definition in ({"Name": "plain"}, EVERYTHING):
        answer = await api.put("/v1/agent/service/register", json=definition)
        assert answer.status_code == 200, answer.text
    return api


async def get(api: httpx.AsyncClient, path: str) -> Any:
    answer = await api.get(f"/v1/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


async def test_nodes(filled: httpx.AsyncClient) -> None:
    (node,) = await get(filled, "catalog/nodes")
    assert shape(node) == NODE
    assert node["TaggedAddresses"].keys() == {"lan", "wan", "lan_ipv4", "wan_ipv4"}
    assert await get(filled, "catalog/datacenters") == ["dc1"]


async def test_services_beside_their_node(filled: httpx.AsyncClient) -> None:
    on_node = await get(filled, "catalog/node/n1")
    listed = await get(filled, "catalog/node-services/n1")
    assert on_node.keys() == listed.keys() == {"Node", "Services"}
    assert shape(on_node["Node"]) == shape(listed["Node"]) == NODE
    services = on_node["Services"]
    assert [*services.values()] == listed["Services"]
    assert shape(services["plain"]) == SERVICE
    assert services["plain"]["Proxy"] == NO_PROXY
    assert (services["plain"]["Address"], services["plain"]["Connect"]) == ("", {})
    more = {"TaggedAddresses": dict, "Locality": dict}
    assert shape(services["web-1"]) == {**SERVICE, **more}
    assert services["web-1"]["TaggedAddresses"]["lan_ipv4"] == {"Address": "127.0.0.7", "Port": 80}
    assert services["web-1"]["Locality"] == {"Region": "eu", "Zone": "eu-1"}
    sidecar = services["web-1-sidecar-proxy"]
    assert shape(sidecar) == {**SERVICE, **more, "Kind": str}
    assert shape(sidecar["Proxy"]) == PROXY
    assert [shape(each) for each in sidecar["Proxy"]["Upstreams"]] == [UPSTREAM]


async def test_flat_instances(filled: httpx.AsyncClient) -> None:
    (plain,) = await get(filled, "catalog/service/plain")
    assert shape(plain) == FLAT
    assert plain["ServiceProxy"] == NO_PROXY
    assert plain["ServiceWeights"] == {"Passing": 1, "Warning": 1}
    more = {"ServiceTaggedAddresses": dict, "ServiceLocality": dict}
    (web,) = await get(filled, "catalog/service/web")
    assert shape(web) == {**FLAT, **more}
    assert web["ServiceEnableTagOverride"] is True
    (sidecar,) = await get(filled, "catalog/connect/web")
    assert shape(sidecar) == {**FLAT, **more}
    assert shape(sidecar["ServiceProxy"]) == PROXY
    assert sidecar["ServiceKind"] == "connect-proxy"


async def test_health(filled: httpx.AsyncClient) -> None:
    for path in ("health/service/plain", "health/service/web", "health/connect/web"):
        (row,) = await get(filled, path)
        assert row.keys() == {"Node", "Service", "Checks"}
        assert shape(row["Node"]) == NODE
        assert shape(row["Service"]).items() >= SERVICE.items()
    for path in ("health/checks/web", "health/node/n1", "health/state/any"):
        checks = await get(filled, path)
        assert [shape(each) for each in checks] == [CHECK] * len(checks)
    (check,) = await get(filled, "health/checks/web")
    assert (check["CheckID"], check["Status"], check["Notes"]) == ("service:web-1", "passing", "says so")
    assert (check["Type"], check["Interval"], check["Timeout"]) == ("ttl", "", "")
    assert (check["ServiceName"], check["ServiceTags"], check["Definition"]) == ("web", ["V1"], {})
    sidecars = {each["CheckID"]: each for each in await get(filled, "health/checks/web-sidecar-proxy")}
    assert sidecars["service:web-1-sidecar-proxy:1"]["Interval"] == "10s"


async def test_config_entries_have_what_was_written_and_no_more(api: httpx.AsyncClient) -> None:
    entry = {"Kind": "service-defaults", "Name": "web", "Protocol": "http"}
    assert (await api.put("/v1/config", json=entry)).text == "true"
    shown = await get(api, "config/service-defaults/web")
    assert {key: shown[key] for key in entry} == entry
    assert shown.keys() - entry.keys() <= {"CreateIndex", "ModifyIndex", "Hash"}
    assert await get(api, "config/service-defaults") == [shown]
    assert (await api.delete("/v1/config/service-defaults/web")).text == "{}"
