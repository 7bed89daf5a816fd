"""The cases of the config language, as a client of the API meets them: taken, or refused with a reason."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from xdsmesh.catalog.codec import encode_entry
from xdsmesh.catalog.keys import ENTRIES, entry_key
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import parse_file
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Put, Txn
from xdsmesh.store.memory import MemoryStore

Case = dict[str, Any]

TESTS = Path(__file__).parents[2]
SINGLE: list[Case] = yaml.safe_load((TESTS / "unit" / "config" / "validation.yaml").read_text())
SEQUENCES: dict[str, list[Case]] = {
    file.stem: yaml.safe_load(file.read_text())
    for file in sorted((TESTS / "unit" / "catalog" / "cases").glob("*.yaml"))
}
CHAINS: dict[str, Case] = {
    file.stem: json.loads(file.read_text()) for file in sorted((TESTS / "golden" / "chains").glob("*.json"))
}

HTTP = {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http"}}
"""So that what is right by itself can also be routed and split."""


async def forget_entries(store: MemoryStore) -> None:
    """Empty the server for the next case."""
    _, records = await store.list(ENTRIES)
    await store.commit(Txn(deletes=tuple(record.key for record in records)), Origin(Source.API))


@pytest.mark.parametrize("group", sorted({case["name"].split("/")[0] for case in SINGLE}))
async def test_an_entry_is_taken_and_shown_or_refused_with_all_its_problems(
    api: httpx.AsyncClient, repository: Repository, store: MemoryStore, group: str
) -> None:
    for case in (case for case in SINGLE if case["name"].startswith(f"{group}/")):
        await forget_entries(store)
        await api.put("/v1/config", json=HTTP)
        before = await repository.entries()

        answer = await api.put("/v1/config", json=case["entry"])

        if problems := case.get("problems"):
            assert answer.status_code == 400, case["name"]
            told = [" ".join(line.split(" ")[:2]).replace(":", "") for line in answer.text.splitlines()]
            assert told == problems, case["name"]
            assert await repository.entries() == before, case["name"]
        else:
            assert (answer.status_code, answer.text) == (200, "true"), case["name"]
            await check_shown(api, repository, case["name"])


async def check_shown(api: httpx.AsyncClient, repository: Repository, case: str) -> None:
    """What was written last can be read; and what was read can be written, and changes nothing then."""
    after = await repository.entries()
    written = max(after[1], key=lambda stored: stored.modified)
    shown = await api.get(f"/v1/config/{written.value.KIND}/{written.value.name}")
    assert shown.json()["ModifyIndex"] == written.modified, case
    assert (await api.get(f"/v1/config/{written.value.KIND}")).json() == [shown.json()], case
    assert (await api.put("/v1/config", content=shown.content)).text == "true", case
    assert await repository.entries() == after, case


@pytest.mark.parametrize("file", SEQUENCES)
async def test_writes_and_deletions_are_accepted_or_refused_for_what_there_is_beside_them(
    api: httpx.AsyncClient, store: MemoryStore, file: str
) -> None:
    for case in SEQUENCES[file]:
        await forget_entries(store)
        for step in case["steps"]:
            answer = await change(api, step)
            refused = step.get("refused", [])
            assert answer.status_code == (400 if refused else 200), (case["name"], answer.text)
            told = [*(each.replace(" ", ": ") for each in refused), *step.get("says", [])]
            assert [text for text in told if text not in answer.text] == [], (case["name"], answer.text)


async def change(api: httpx.AsyncClient, step: Case) -> httpx.Response:
    """Do what a step says."""
    if "put" in step:
        return await api.put("/v1/config", json=step["put"])
    if "together" in step:
        return await api.put("/v1/xdsmesh/config", json=step["together"])
    return await api.delete(f"/v1/config/{step['delete']}")


async def test_a_chain_is_shown_or_refused_with_the_code_of_its_error(
    api: httpx.AsyncClient, store: MemoryStore
) -> None:
    for name, case in CHAINS.items():
        await forget_entries(store)
        parsed = parse_file("case.json", json.dumps(case["entries"]).encode(), check=False)
        entries = [located.value for located in parsed.entries]
        # Past the checks of writes: a set of entries may be wrong on purpose.
        puts = tuple(Put(entry_key(entry.KIND, entry.name), encode_entry(entry)) for entry in entries)
        await store.commit(Txn(puts), Origin(Source.API))

        answer = await compiled(api, case)

        if "error" in case:
            assert answer.status_code == 400, name
            assert case["error"] in answer.text, name
            continue
        assert answer.status_code == 200, (name, answer.text)
        expected, chain = case["chain"], answer.json()["Chain"]
        assert chain["Protocol"] == expected["protocol"], name
        assert chain["StartNode"] == expected["start"], name
        assert chain["Default"] == expected["default"], name
        assert chain["Nodes"].keys() == expected["nodes"].keys(), name
        assert chain["Targets"].keys() == expected["targets"].keys(), name
        assert ("CustomizationHash" in chain) == expected.get("customized", False), name


async def compiled(api: httpx.AsyncClient, case: Case) -> httpx.Response:
    """Ask for the chain of a case."""
    url = f"/v1/discovery-chain/{case['service']}?compile-dc={case['datacenter']}"
    if "overrides" not in case:
        return await api.get(url)
    overrides = case["overrides"]
    body = {
        "OverrideProtocol": overrides.get("protocol", ""),
        "OverrideMeshGateway": {"Mode": overrides.get("mesh_gateway", "")},
        "OverrideConnectTimeout": overrides.get("connect_timeout", "0s"),
    }
    return await api.post(url, json=body)
