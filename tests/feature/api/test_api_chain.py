"""``/v1/discovery-chain``: the compiled chain of a service."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

import httpx
import pytest

from xdsmesh.catalog.codec import encode_entry
from xdsmesh.catalog.keys import entry_key
from xdsmesh.config.files import decode_entry
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Put, Txn
from xdsmesh.store.memory import MemoryStore

HTTP = {"Kind": "service-defaults", "Name": "web", "Protocol": "http"}
RESOLVER = {
    "Kind": "service-resolver",
    "Name": "web",
    "ConnectTimeout": "33s",
    "Subsets": {"v1": {"Filter": "Service.Meta.version == v1", "OnlyPassing": True}},
}
SPLITTER = {
    "Kind": "service-splitter",
    "Name": "web",
    "Splits": [{"Weight": 99.47}, {"Weight": 0.53, "ServiceSubset": "v1"}],
}


async def put(api: httpx.AsyncClient, *entries: Mapping[str, object]) -> None:
    for entry in entries:
        answer = await api.put("/v1/config", json=entry)
        assert answer.status_code == 200, answer.text


async def test_a_service_without_entries_has_a_chain_too(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/discovery-chain/web")
    assert answer.status_code == 200
    chain = answer.json()["Chain"]
    assert (chain["ServiceName"], chain["Namespace"], chain["Partition"]) == ("web", "default", "default")
    assert (chain["Datacenter"], chain["Protocol"], chain["Default"]) == ("dc1", "tcp", True)
    assert chain["StartNode"] == "resolver:web.default.default.dc1"
    node = chain["Nodes"][chain["StartNode"]]
    assert node["Type"] == "resolver"
    assert node["Resolver"]["ConnectTimeout"] == "5s"
    (target,) = chain["Targets"].values()
    assert target["ID"] == node["Resolver"]["Target"] == "web.default.default.dc1"
    assert target["SNI"] == target["Name"] == "web.default.dc1.internal.corp.consul"
    assert "CustomizationHash" not in chain


async def test_the_chain_of_entries(api: httpx.AsyncClient) -> None:
    await put(api, HTTP, RESOLVER, SPLITTER)
    chain = (await api.get("/v1/discovery-chain/web?pretty")).json()["Chain"]
    assert (chain["StartNode"], chain["Default"]) == ("splitter:web.default.default", False)
    splits = chain["Nodes"][chain["StartNode"]]["Splits"]
    assert [(split["Weight"], split["NextNode"]) for split in splits] == [
        (99.47, "resolver:web.default.default.dc1"),
        (0.53, "resolver:v1.web.default.default.dc1"),
    ]
    subset = chain["Targets"]["v1.web.default.default.dc1"]
    assert subset["Subset"] == {"Filter": "Service.Meta.version == v1", "OnlyPassing": True}
    assert subset["ConnectTimeout"] == "33s"


async def test_a_chain_is_compiled_for_callers_of_another_datacenter(api: httpx.AsyncClient) -> None:
    chain = (await api.get("/v1/discovery-chain/web?compile-dc=dc9")).json()["Chain"]
    assert chain["Datacenter"] == "dc9"
    assert set(chain["Targets"]) == {"web.default.default.dc9"}


@pytest.mark.parametrize(
    "body",
    [
        {
            "OverrideProtocol": "TCP",
            "OverrideConnectTimeout": "22s",
            "OverrideMeshGateway": {"Mode": "remote"},
        },
        {
            "override_protocol": "tcp",
            "override_connect_timeout": 22_000_000_000,
            "override_mesh_gateway": {"mode": "remote"},
        },
    ],
)
async def test_overrides_in_both_spellings(api: httpx.AsyncClient, body: Mapping[str, object]) -> None:
    await put(api, HTTP, RESOLVER, SPLITTER)
    plain = (await api.get("/v1/discovery-chain/web")).json()["Chain"]
    answer = await api.post("/v1/discovery-chain/web", json=body)
    assert answer.status_code == 200, answer.text
    chain = answer.json()["Chain"]
    assert (chain["Protocol"], chain["StartNode"]) == ("tcp", "resolver:web.default.default.dc1")
    (target,) = chain["Targets"].values()
    assert (target["ConnectTimeout"], target["MeshGateway"]) == ("22s", {"Mode": "remote"})
    assert len(chain["CustomizationHash"]) == 8
    assert (await api.post("/v1/discovery-chain/web", json={})).json()["Chain"] == plain


async def test_whoever_asks_with_other_overrides_gets_another_answer(api: httpx.AsyncClient) -> None:
    for mode in ("local", "remote", "none"):
        body = {"OverrideMeshGateway": {"Mode": mode}}
        chain = (await api.post("/v1/discovery-chain/web", json=body)).json()["Chain"]
        assert [target["MeshGateway"] for target in chain["Targets"].values()] == [{"Mode": mode}]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"OverrideMeshGateway": {"Mode": "sideways"}}', "sideways"),
        (b'{"OverrideProtocol": "htp"}', "htp"),
        (b'{"OverrideConnectTimeout": "soon"}', "OverrideConnectTimeout"),
        (b'{"OverrideConnectTimeout": "-1s"}', "OverrideConnectTimeout"),
        (b'{"OverrideTimeout": "1s"}', "OverrideTimeout"),
        (b"[]", "object"),
        (b"null", "object"),
        (b"{", "JSON"),
        (b"", "JSON"),
        (b"\xff", "UTF-8"),
    ],
)
async def test_overrides_that_are_none_are_refused(api: httpx.AsyncClient, body: bytes, text: str) -> None:
    answer = await api.post("/v1/discovery-chain/web", content=body)
    assert answer.status_code == 400
    assert text in answer.text


async def test_a_chain_that_cannot_be_compiled_says_why(
    api: httpx.AsyncClient, store: MemoryStore, held: Callable[..., Awaitable[None]]
) -> None:
    await put(api, HTTP)
    known = (await api.get("/v1/discovery-chain/web")).headers["X-Consul-Index"]
    waiter = asyncio.create_task(api.get(f"/v1/discovery-chain/web?index={known}&wait=60s"))
    await held()
    # The API refuses such entries; a store that somebody else has filled may hold them.
    splitter = decode_entry(
        json.dumps({**SPLITTER, "Splits": [{"Weight": 100, "ServiceSubset": "v9"}]}).encode()
    )
    stored = Put(entry_key("service-splitter", "web"), encode_entry(splitter))
    await store.commit(Txn((stored,)), Origin(Source.API))
    for answer in (await asyncio.wait_for(waiter, 10), await api.get("/v1/discovery-chain/web")):
        assert answer.status_code == 400
        assert "missing-subset" in answer.text
        assert "v9" in answer.text
        assert "service-splitter/web" in answer.text


@pytest.mark.parametrize("path", ["/v1/discovery-chain", "/v1/discovery-chain/"])
async def test_a_chain_has_a_service(api: httpx.AsyncClient, path: str) -> None:
    for answer in (await api.get(path), await api.post(path, json={})):
        assert answer.status_code == 400
        assert "service name" in answer.text
