"""What takes the mesh's calls to a service, and what is behind gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from xdsmesh.catalog.codec import encode_check
from xdsmesh.catalog.keys import check_key
from xdsmesh.model.checks import Check
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Put, Txn
from xdsmesh.store.memory import MemoryStore

if TYPE_CHECKING:
    from tests.feature.api.conftest import Agent


async def service(api: httpx.AsyncClient, name: str, **definition: object) -> None:
    answer = await api.put("/v1/agent/service/register", json={"Name": name, "Port": 80, **definition})
    assert answer.status_code == 200, answer.text


async def entry(api: httpx.AsyncClient, kind: str, name: str, **fields: object) -> None:
    answer = await api.put("/v1/config", json={"Kind": kind, "Name": name, **fields})
    assert answer.text == "true", answer.text


async def rows(api: httpx.AsyncClient, path: str) -> Any:
    return (await api.get(f"/v1/{path}")).json()


async def receivers(api: httpx.AsyncClient, name: str, query: str = "") -> list[str]:
    """Ids of what takes calls, as both lists have them."""
    in_catalog = [row["ServiceID"] for row in await rows(api, f"catalog/connect/{name}{query}")]
    in_health = [row["Service"]["ID"] for row in await rows(api, f"health/connect/{name}{query}")]
    assert in_catalog == in_health
    return in_catalog


async def test_sidecars_natives_and_gateways_take_calls(api: httpx.AsyncClient) -> None:
    await service(api, "web", Connect={"SidecarService": {}}, Tags=["v1"])
    await service(api, "Web", ID="alone", Connect={"Native": True}, Tags=["v2"])
    await service(api, "web", ID="plain")
    await service(api, "gate", Kind="terminating-gateway")
    await service(api, "gate", ID="not-a-gateway")
    assert await receivers(api, "WEB") == ["alone", "web-sidecar-proxy"]
    assert await receivers(api, "web", "?tag=V2") == ["alone"]
    await entry(api, "terminating-gateway", "gate", Services=[{"Name": "WEB"}])
    assert await receivers(api, "web") == ["alone", "web-sidecar-proxy", "gate"]
    assert await receivers(api, "db") == []
    assert await receivers(api, "gate") == []
    (native,) = await rows(api, "catalog/connect/web?filter=ServiceConnect.Native==true")
    assert (native["ServiceName"], native["ServiceConnect"]) == ("Web", {"Native": True})


async def test_a_sidecar_is_listed_with_its_own_checks(api: httpx.AsyncClient, agent: Agent) -> None:
    await service(
        api,
        "web",
        Connect={"SidecarService": {"Port": 1}},  # nobody listens there
        Check={"Name": "up", "TTL": "1h", "Status": "passing"},
    )
    await agent.until_is("service:web-sidecar-proxy:2", "passing")  # now nothing changes by itself
    (row,) = await rows(api, "health/connect/web")
    assert [check["CheckID"] for check in row["Checks"]] == [
        "serfHealth",
        "service:web-sidecar-proxy:1",
        "service:web-sidecar-proxy:2",
    ]
    assert row["Service"]["Proxy"]["DestinationServiceID"] == "web"
    assert (await api.get("/v1/health/connect/web?passing=false")).json() == [row]


async def test_a_wildcard_stands_for_what_is_outside_the_mesh(api: httpx.AsyncClient) -> None:
    await service(api, "gate", Kind="terminating-gateway")
    await entry(api, "terminating-gateway", "gate", Services=[{"Name": "*"}, {"Name": "db", "SNI": "db.x"}])
    await service(api, "outside")
    await service(api, "inside", Connect={"SidecarService": {}})
    assert await receivers(api, "outside") == ["gate"]
    assert await receivers(api, "inside") == ["inside-sidecar-proxy"]
    assert await receivers(api, "nobody") == []
    links = await rows(api, "catalog/gateway-services/gate")
    assert [(link["Service"]["Name"], link.get("FromWildcard", False)) for link in links] == [
        ("outside", True),
        ("db", False),
    ]
    assert links[1]["SNI"] == "db.x"
    assert links[0].keys() == {
        "Gateway",
        "Service",
        "GatewayKind",
        "FromWildcard",
        "AutoHostRewrite",
        "CreateIndex",
        "ModifyIndex",
    }
    assert links[0]["GatewayKind"] == "terminating-gateway"


async def test_an_ingress_gateway_lists_what_it_exposes(api: httpx.AsyncClient) -> None:
    await service(api, "web", Connect={"SidecarService": {}})
    await entry(api, "proxy-defaults", "global", Config={"protocol": "http"})
    listener = {"Port": 8080, "Protocol": "http", "Services": [{"Name": "web", "Hosts": ["a.example"]}]}
    await entry(api, "ingress-gateway", "door", Listeners=[listener])
    (link,) = await rows(api, "catalog/gateway-services/door")
    assert (link["Gateway"], link["Service"]) == ({"Name": "door"}, {"Name": "web"})
    assert (link["GatewayKind"], link["Port"], link["Protocol"], link["Hosts"]) == (
        "ingress-gateway",
        8080,
        "http",
        ["a.example"],
    )


async def test_a_check_whose_service_has_gone_stops_nothing(
    api: httpx.AsyncClient, store: MemoryStore
) -> None:
    """It may have been registered while the service was being removed."""
    check = Check("late", "late", service_id="gone", node="n1")
    put = Put(check_key("n1", "late"), encode_check(check))
    assert await rows(api, "catalog/service/gone") == []
    await store.commit(Txn((put,)), Origin(Source.API))
    assert [each["CheckID"] for each in await rows(api, "health/state/any")] == ["late", "serfHealth"]
    await service(api, "web")
    assert len(await rows(api, "catalog/service/web")) == 1


async def test_a_service_is_reached_from_outside_through_ingress_gateways(api: httpx.AsyncClient) -> None:
    async def gates(name: str) -> list[str]:
        return [row["Service"]["ID"] for row in await rows(api, f"health/ingress/{name}")]

    await service(api, "door", Kind="ingress-gateway")
    await service(api, "web", Connect={"SidecarService": {}})
    await service(api, "plain")
    assert await gates("web") == []
    listener = {"Port": 8080, "Protocol": "tcp", "Services": [{"Name": "web"}]}
    await entry(api, "ingress-gateway", "door", Listeners=[listener])
    assert (await gates("WEB"), await gates("plain")) == (["door"], [])

    defaults = {"Config": {"protocol": "http"}}
    await entry(api, "proxy-defaults", "global", **defaults)
    every = {"Port": 8080, "Protocol": "http", "Services": [{"Name": "*"}]}
    await entry(api, "ingress-gateway", "door", Listeners=[every])
    assert (await gates("web"), await gates("plain")) == (["door"], []), "what is in the mesh"


async def test_a_peer_has_nothing_as_there_is_none(api: httpx.AsyncClient) -> None:
    await service(api, "web", Connect={"SidecarService": {}}, Check={"TTL": "1h"})
    of_service = [f"{area}/web" for area in ("catalog/service", "catalog/connect", "health/service")]
    of_service += ["health/connect/web", "health/checks/web"]
    for path in (*of_service, "catalog/nodes", "health/node/n1", "health/state/any"):
        assert await rows(api, path), path
        assert await rows(api, f"{path}?peer=east") == [], path
    assert await rows(api, "catalog/services?peer=east") == {}
    assert await rows(api, "catalog/node/n1?peer=east") is None
    assert await rows(api, "catalog/node-services/n1?peer=east") == {"Node": None, "Services": []}
