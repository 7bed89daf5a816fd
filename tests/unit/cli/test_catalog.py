"""``xdsmesh catalog`` and ``xdsmesh members`` against the real HTTP API."""

import json
from collections.abc import Awaitable, Callable

import httpx
import pytest
from typer.testing import Result

Call = Callable[..., Awaitable[Result]]

OTHER = {
    "ID": "40e4a748-2192-161a-0510-9bf59fe950b5",
    "Node": "vm-7",
    "Address": "10.0.0.7",
    "TaggedAddresses": {"wan": "203.0.113.7", "lan": "10.0.0.7"},
    "NodeMeta": {"rack": "2"},
}
SERVICES = (
    {"ID": "db-1", "Service": "db", "Port": 5432, "Tags": ["primary", "blue"]},
    {"ID": "db-2", "Service": "db", "Port": 5433, "Tags": ["replica"]},
    {"ID": "queue-1", "Service": "queue", "Port": 1},
)


@pytest.fixture
async def catalog(api: str, call: Call) -> None:
    """A service on the server's own node, and some on another."""
    await call("services", "register", "-name", "web", "-port", "80")
    async with httpx.AsyncClient(base_url=f"http://{api}", trust_env=False) as http:
        for service in SERVICES:
            answer = await http.put("/v1/catalog/register", json={**OTHER, "Service": service})
            assert answer.text == "true"


async def printed(running: Awaitable[Result]) -> str:
    """What a command printed that was done without a complaint."""
    result = await running
    assert (result.exit_code, result.stderr, result.exception) == (0, "", None)
    return result.stdout


@pytest.mark.usefixtures("catalog")
async def test_services_are_listed_by_name_with_their_tags_and_by_node(call: Call) -> None:
    names = (await printed(call("catalog", "services"))).split()
    assert names == sorted(names)
    assert {"web", "db", "queue"} <= set(names)
    told = await printed(call("catalog", "services", "-tags", "-node", "VM-7"))
    assert told == "db     blue,primary,replica\nqueue\n"
    assert await printed(call("catalog", "services", "-node-meta", "rack=2")) == "db\nqueue\n"
    shown = json.loads(await printed(call("catalog", "services", "-node", "vm-7", "-format", "json")))
    assert shown == {"db": ["blue", "primary", "replica"], "queue": []}
    whole = json.loads(await printed(call("catalog", "services", "-format", "json")))
    assert whole["db"] == shown["db"]


@pytest.mark.parametrize("flags", [("-node", "nowhere"), ("-node-meta", "rack=3")])
async def test_where_no_service_is_found_a_hint_is_on_stderr(call: Call, flags: tuple[str, str]) -> None:
    result = await call("catalog", "services", *flags)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("No service is found")


@pytest.mark.usefixtures("catalog")
async def test_nodes_are_listed_short_and_detailed(call: Call) -> None:
    table = (await printed(call("catalog", "nodes"))).splitlines()
    assert [line.split() for line in table] == [
        ["NODE", "ID", "ADDRESS", "DC"],
        ["node-1", "11111111", "127.0.0.1", "dc1"],
        ["vm-7", "40e4a748", "10.0.0.7", "dc1"],
    ]
    _, row = (await printed(call("catalog", "nodes", "-detailed", "-node-meta", "rack=2"))).splitlines()
    assert "lan=10.0.0.7, wan=203.0.113.7" in row
    assert row.endswith("rack=2")
    near = (await printed(call("catalog", "nodes", "-near", "vm-7"))).splitlines()
    assert [line.split()[0] for line in near[1:]] == ["vm-7", "node-1"]
    filtered = json.loads(
        await printed(call("catalog", "nodes", "-filter", 'Node == "node-1"', "-format", "json"))
    )
    assert [each["Node"] for each in filtered] == ["node-1"]


@pytest.mark.usefixtures("catalog")
async def test_the_nodes_of_a_service_are_each_there_once(call: Call) -> None:
    table = (await printed(call("catalog", "nodes", "-service", "db", "-detailed"))).splitlines()
    assert len(table) == 2
    assert table[1].split()[0] == "vm-7"
    shown = json.loads(await printed(call("catalog", "nodes", "-service", "db", "-format", "json")))
    assert (shown[0]["Meta"], shown[0]["Datacenter"]) == ({"rack": "2"}, "dc1")
    result = await call("catalog", "nodes", "-service", "absent")
    assert (result.exit_code, result.stdout, result.stderr[:16]) == (0, "", "No node is found")


async def test_datacenters_are_one_a_line(call: Call) -> None:
    assert await printed(call("catalog", "datacenters")) == "dc1\n"
    assert json.loads(await printed(call("catalog", "datacenters", "--format", "json"))) == ["dc1"]


async def test_members_are_this_server(call: Call) -> None:
    headings, row = (await printed(call("members"))).splitlines()
    assert headings.split() == [
        "NODE",
        "ADDRESS",
        "STATUS",
        "TYPE",
        "BUILD",
        "PROTOCOL",
        "DC",
        "PARTITION",
        "SEGMENT",
    ]
    assert row.split() == [
        "node-1",
        "127.0.0.1:8301",
        "alive",
        "server",
        "1.22.0",
        "2",
        "dc1",
        "default",
        "<all>",
    ]
    assert "role=consul" in await printed(call("members", "-detailed", "-wan"))
    assert json.loads(await printed(call("members", "-status", "^al", "-format", "json")))[0]["Status"] == 1


@pytest.mark.parametrize("flags", [("-status", "left"), ("-filter", "Name == other")])
async def test_no_member_exits_2(call: Call, flags: tuple[str, str]) -> None:
    result = await call("members", *flags)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("No member is found")
