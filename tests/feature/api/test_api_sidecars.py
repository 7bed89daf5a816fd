"""Sidecars that come with the registration of a service: what they are like, their checks and ports."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.feature.api.conftest import Agent

FIRST, LAST = 21000, 21255

Body = dict[str, Any]


def with_sidecar(name: str = "web", sidecar: Body | None = None, **more: Any) -> Body:
    return {"Name": name, "Port": 8080, "Connect": {"SidecarService": sidecar or {}}, **more}


async def test_a_sidecar_takes_after_its_service(agent: Agent) -> None:
    parent: Body = {"Address": "10.0.0.1", "Tags": ["v1"], "Meta": {"k": "v"}, "Locality": {"Region": "eu"}}
    await agent.register(with_sidecar(ID="web-1", **parent))
    web, sidecar = await agent.shown("web-1"), await agent.shown("web-1-sidecar-proxy")
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


async def test_what_a_sidecar_says_of_itself_wins(agent: Agent) -> None:
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
    await agent.register(with_sidecar(sidecar=own, Tags=["v1"], Meta={"k": "v"}, Address="10.0.0.1"))
    sidecar = await agent.shown("web-sidecar-proxy")
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
    api: httpx.AsyncClient, agent: Agent, until: Any, address: str, host: str
) -> None:
    await agent.register(with_sidecar(Address=address))
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


async def test_a_sidecar_goes_with_its_service_and_may_go_alone(api: httpx.AsyncClient, agent: Agent) -> None:
    await agent.register(with_sidecar(Check={"TTL": "10s"}))
    assert (await api.put("/v1/agent/service/deregister/web-sidecar-proxy")).status_code == 200
    assert set((await api.get("/v1/agent/services")).json()) == {"web"}
    assert (await agent.checks()).keys() == {"service:web"}

    await agent.register(with_sidecar())
    assert (await api.put("/v1/agent/service/deregister/web")).status_code == 200
    assert (await api.get("/v1/agent/services")).json() == {}
    assert (await agent.checks()).keys() == set()
    assert (await api.get("/v1/catalog/connect/web")).json() == []


async def test_a_proxy_that_was_registered_by_itself_stays_when_its_service_goes(
    api: httpx.AsyncClient,
    agent: Agent,
) -> None:
    await agent.register({"Name": "web", "Port": 80})
    proxy = {"DestinationServiceName": "web", "DestinationServiceID": "web"}
    await agent.register(
        {"ID": "web-sidecar-proxy", "Name": "web-proxy", "Kind": "connect-proxy", "Port": 1, "Proxy": proxy},
    )
    await api.put("/v1/agent/service/deregister/web")
    assert set((await api.get("/v1/agent/services")).json()) == {"web-sidecar-proxy"}


async def test_ports_of_sidecars_are_the_lowest_free_ones_and_are_kept(
    api: httpx.AsyncClient, agent: Agent
) -> None:
    async def port(name: str) -> int:
        number: int = (await agent.shown(f"{name}-sidecar-proxy"))["Port"]
        return number

    await agent.register({"Name": "taken", "Port": FIRST + 1})
    for name in ("a", "b", "c"):
        await agent.register(with_sidecar(name))
    assert [await port(name) for name in ("a", "b", "c")] == [FIRST, FIRST + 2, FIRST + 3]

    await agent.register(with_sidecar("b", Tags=["again"]))
    assert await port("b") == FIRST + 2
    await api.put("/v1/agent/service/deregister/a")
    await agent.register(with_sidecar("d"))
    assert await port("d") == FIRST
    await agent.register(with_sidecar("d", {"Port": 20000}))
    await agent.register(with_sidecar("e"))
    assert await port("e") == FIRST


async def test_registrations_at_once_get_a_port_each(api: httpx.AsyncClient, agent: Agent) -> None:
    await asyncio.gather(*(agent.register(with_sidecar(f"s{number}")) for number in range(20)))
    services = (await api.get("/v1/agent/services")).json()
    ports = sorted(each["Port"] for each in services.values() if each.get("Kind") == "connect-proxy")
    assert ports == list(range(FIRST, FIRST + 20))


async def test_when_no_port_is_left_the_registration_is_refused_whole(
    api: httpx.AsyncClient, agent: Agent
) -> None:
    rest = range(FIRST + 1, LAST + 1)
    await asyncio.gather(*(agent.register({"Name": f"s{port}", "Port": port}) for port in rest))
    await agent.register(with_sidecar("last"))
    assert f"no port from {FIRST} to {LAST} is free" in await agent.refusal(with_sidecar("too-many"))
    await api.put("/v1/agent/service/deregister/last")
    await agent.register(with_sidecar("too-many"))
