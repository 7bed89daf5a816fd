"""Lists of nodes and of what is on them, and how lists are narrowed down."""

from typing import Any

import httpx
import pytest

NODES: tuple[dict[str, Any], ...] = (
    {
        "Node": "East",
        "Address": "10.0.0.2",
        "NodeMeta": {"rack": "1", "os": "linux"},
        "Service": {"ID": "e1", "Service": "Web", "Tags": ["Blue", "v1"], "Port": 80, "Meta": {"a": "1"}},
        "Checks": [
            {"CheckID": "node", "Name": "node", "Status": "passing"},
            {"CheckID": "http", "Name": "http", "Status": "warning", "ServiceID": "e1"},
        ],
    },
    {
        "Node": "west",
        "Address": "10.0.0.3",
        "NodeMeta": {"rack": "2"},
        "Service": {
            "ID": "w1",
            "Service": "web",
            "Tags": ["green", "V1"],
            "Port": 81,
            "Weights": {"Passing": 5},
        },
        "Checks": [
            {"CheckID": "node", "Name": "node", "Status": "critical", "Notes": "disk"},
            {"CheckID": "http", "Name": "http", "Status": "passing", "ServiceID": "w1"},
        ],
    },
)


@pytest.fixture
async def filled(api: httpx.AsyncClient) -> httpx.AsyncClient:
    for body in NODES:
        answer = await api.put("/v1/catalog/register", json=body)
        assert answer.status_code == 200, answer.text
    return api


async def ids(api: httpx.AsyncClient, path: str, **parameters: Any) -> list[str]:
    """What the rows of a list are about."""
    answer = await api.get(f"/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    rows = answer.json()
    if isinstance(rows, dict):
        rows = rows.get("Services", rows)
    return list(rows) if isinstance(rows, dict) else [about(row) for row in rows]


def about(row: dict[str, Any]) -> str:
    match row:
        case {"Node": node, "CheckID": check}:
            return f"{node}/{check}"
        case (
            {"ServiceID": str(found)} | {"Service": {"ID": str(found)}} | {"Service": str(), "ID": str(found)}
        ):
            return found
    return str(row["Node"])


NARROWED = [
    ("catalog/nodes", 'Node == "East"', ["East"]),
    ("catalog/nodes", "Meta.rack == 2", ["west"]),
    ("catalog/nodes", "Meta.os == linux", ["East"]),
    ("catalog/nodes", "Meta.os != linux", ["n1", "west"]),
    ("catalog/nodes", "Meta is empty", ["n1"]),
    ("catalog/nodes", "os in Meta", ["East"]),
    ("catalog/nodes", "os not in Meta and TaggedAddresses.lan == `10.0.0.3`", ["west"]),
    ("catalog/nodes", 'PeerName == "" and Datacenter == dc1 and Address matches "^10"', ["East", "west"]),
    ("catalog/services", "ServiceName == Web", ["Web"]),
    ("catalog/services", "NodeMeta.rack == 2", ["web"]),
    ("catalog/services", "ServiceTags contains green", ["web"]),
    ("catalog/service/web", "ServicePort == 81 and ServiceWeights.Passing == 5", ["w1"]),
    ("catalog/service/web", "ServiceMeta.a == 1", ["e1"]),
    ("catalog/service/web", "ServiceMeta.a != 1", ["w1"]),
    ("catalog/service/web", "ServiceConnect.Native == false", ["e1", "w1"]),
    ("catalog/service/web", 'ServiceKind == "" and ServiceProxy.Upstreams is empty', ["e1", "w1"]),
    ("catalog/service/web", "NodeMeta.rack == 1 or not Blue in ServiceTags", ["e1", "w1"]),
    ("catalog/node/east", "Service == Web", ["e1"]),
    ("catalog/node/east", "Tags is empty", []),
    ("catalog/node-services/east", "Meta.a == 1", ["e1"]),
    ("catalog/node-services/east", "Connect.Native == true", []),
    ("health/service/web", "Checks.Status == critical", ["w1"]),
    ("health/service/web", "Checks.Status != passing", ["e1", "w1"]),
    ("health/service/web", "Checks.Status == passing", ["e1", "w1"]),
    ("health/service/web", "not Checks.Status != passing", []),
    ("health/service/web", "Node.Meta.rack == 1 and Service.Tags contains Blue", ["e1"]),
    ("health/service/web", 'Checks.Notes matches "^d"', ["w1"]),
    ("health/checks/web", "Status == passing", ["west/http"]),
    ("health/checks/web", "ServiceTags contains Blue and PeerName != x", ["East/http"]),
    ("health/node/west", 'ServiceID == ""', ["west/node"]),
    ("health/state/any", 'Node != n1 and ServiceID != ""', ["East/http", "west/http"]),
]


MISFITS = [
    ("catalog/nodes", "ServiceName == web"),
    ("catalog/services", "Node.Meta.a == 1"),
    ("catalog/service/web", "serviceName == web"),
    ("catalog/service/web", "ModifyIndex == 1"),
    ("catalog/connect/web", "Checks.Status == passing"),
    ("catalog/node/east", "ServiceName == web"),
    ("catalog/node-services/east", "Proxy.Config.protocol == http"),
    ("health/service/web", "Checks.Definition.HTTP == x"),
    ("health/connect/web", "Name == x"),
    ("health/checks/web", "Service.ID == x"),
    ("health/node/east", "Locality.Zone == x"),
    ("health/state/any", "Status === x"),
    ("health/state/any", "ServiceID is empty"),
]


async def test_a_filter_selects_by_what_rows_show(filled: httpx.AsyncClient) -> None:
    for path, filter_, expected in NARROWED:
        assert sorted(await ids(filled, path, filter=filter_)) == expected, (path, filter_)


async def test_a_filter_that_does_not_fit_is_refused(filled: httpx.AsyncClient) -> None:
    for path, filter_ in MISFITS:
        answer = await filled.get(f"/v1/{path}", params={"filter": filter_})
        assert answer.status_code == 400, (path, filter_)
        assert "Failed to create boolean expression evaluator" in answer.text


async def test_lookups_ignore_case_and_replies_keep_it(filled: httpx.AsyncClient) -> None:
    rows = (await filled.get("/v1/catalog/service/WEB")).json()
    assert [(row["ServiceName"], row["Node"], row["ServiceTags"]) for row in rows] == [
        ("Web", "East", ["Blue", "v1"]),
        ("web", "west", ["green", "V1"]),
    ]
    for path in ("catalog/node/EAST", "catalog/node-services/eAST"):
        assert (await filled.get(f"/v1/{path}")).json()["Node"]["Node"] == "East"
    assert await ids(filled, "health/node/WEST") == ["west/node", "west/http"]
    assert await ids(filled, "health/checks/WEB") == ["East/http", "west/http"]
    assert await ids(filled, "health/service/wEB", tag="BLUE") == ["e1"]
    assert await ids(filled, "health/service/web", tag=["v1", "blue"]) == ["e1"]
    assert await ids(filled, "catalog/service/web", tag=["V1", "red"]) == []


async def test_the_meta_of_nodes_narrows_all_lists(filled: httpx.AsyncClient) -> None:
    for path, expected in (
        ("catalog/nodes", ["East"]),
        ("catalog/services", ["Web"]),
        ("catalog/service/web", ["e1"]),
        ("health/service/web", ["e1"]),
        ("health/checks/web", ["East/http"]),
        ("health/state/any", ["East/http", "East/node"]),
    ):
        assert await ids(filled, path, **{"node-meta": ["rack:1", "os:linux"]}) == expected
        assert await ids(filled, path, **{"node-meta": ["rack:1", "os:bsd"]}) == []


async def test_a_near_node_comes_first(filled: httpx.AsyncClient) -> None:
    assert await ids(filled, "catalog/nodes", near="WEST") == ["west", "East", "n1"]
    assert await ids(filled, "catalog/nodes", near="_agent") == ["n1", "East", "west"]
    assert await ids(filled, "catalog/nodes", near="nobody") == ["East", "n1", "west"]
    assert await ids(filled, "catalog/service/web", near="west") == ["w1", "e1"]
    assert await ids(filled, "health/service/web", near="west") == ["w1", "e1"]
    assert (await ids(filled, "health/checks/web", near="west"))[0] == "west/http"
    assert (await ids(filled, "health/state/any", near="west"))[0].startswith("west/")


async def test_what_is_absent_is_null_or_empty(api: httpx.AsyncClient) -> None:
    absent: list[tuple[str, Any]] = [
        ("catalog/node/nobody", None),
        ("catalog/node-services/nobody", {"Node": None, "Services": []}),
        ("catalog/gateway-services/nobody", None),
        *((f"catalog/{each}/nobody", []) for each in ("service", "connect")),
        *((f"health/{each}/nobody", []) for each in ("service", "connect", "checks", "node")),
        ("health/state/warning", []),
        ("config/service-router", []),
        ("connect/intentions", []),
    ]
    for path, expected in absent:
        answer = await api.get(f"/v1/{path}")
        assert (answer.status_code, answer.json()) == (200, expected), path
    for path in ("service", "connect", "node", "node-services", "gateway-services"):
        assert (await api.get(f"/v1/catalog/{path}/")).status_code == 400
    for path in ("service", "connect", "node", "checks", "state", "state/bad"):
        assert (await api.get(f"/v1/health/{path}")).status_code == 400
