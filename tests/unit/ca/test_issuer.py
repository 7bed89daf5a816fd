"""The root: made once, kept in the store, and never silently replaced."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from xdsmesh.ca.issuer import ROOT_KEY, TRUST_DOMAIN_KEY, Issuer
from xdsmesh.model.errors import RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Put, Store, Txn
from xdsmesh.store.memory import MemoryStore
from xdsmesh.store.sqlite import SQLiteStore

NOW = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
SERVER = Origin(Source.SERVER, "ca")


def clock() -> datetime:
    return NOW


async def refusal(store: Store, trust_domain: str | None) -> str:
    with pytest.raises(RefusedError) as error:
        await Issuer.open(store, trust_domain, clock)
    return str(error.value)


async def test_the_first_start_makes_a_trust_domain_of_its_own() -> None:
    one, other = [await Issuer.open(MemoryStore(), None, clock) for _ in range(2)]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.consul", one.bundle.trust_domain)
    assert one.bundle.trust_domain != other.bundle.trust_domain


async def test_a_configured_trust_domain_is_used_in_lower_case() -> None:
    issuer = await Issuer.open(MemoryStore(), "Mesh.Example.com", clock)
    assert issuer.bundle.trust_domain == "mesh.example.com"
    assert issuer.issue("spiffe://mesh.example.com/ns/default/dc/dc1/svc/web").not_before < NOW


async def test_trust_survives_a_restart(tmp_path: Path) -> None:
    bundles = []
    for trust_domain in (None, None):
        store = await SQLiteStore.open(tmp_path / "db")
        bundles.append((await Issuer.open(store, trust_domain, clock)).bundle)
        await store.close()
    assert bundles[0] == bundles[1]


async def test_naming_the_trust_domain_that_the_mesh_has_changes_nothing() -> None:
    store = MemoryStore()
    first = await Issuer.open(store, "mesh.example.com", clock)
    assert (await Issuer.open(store, "MESH.example.com", clock)).bundle == first.bundle


async def test_of_many_that_start_at_once_all_have_the_same_root(tmp_path: Path) -> None:
    store = await SQLiteStore.open(tmp_path / "db")
    issuers = await asyncio.gather(*(Issuer.open(store, None, clock) for _ in range(5)))
    assert len({issuer.bundle for issuer in issuers}) == 1
    assert await store.list("") == (1, (await store.list("ca/"))[1])
    await store.close()


async def test_the_server_is_the_roots_origin() -> None:
    store = MemoryStore()
    await Issuer.open(store, None, clock)
    _, records = await store.list("")
    assert {record.key: record.origin for record in records} == {ROOT_KEY: SERVER, TRUST_DOMAIN_KEY: SERVER}


async def test_another_trust_domain_than_the_meshs_is_refused() -> None:
    store = MemoryStore()
    await Issuer.open(store, "old.example.com", clock)
    told = await refusal(store, "new.example.com")
    assert "new.example.com, but this mesh was started as old.example.com" in told
    assert "start a new mesh with another data folder" in told


@pytest.mark.parametrize("trust_domain", ["spiffe://mesh", "mesh/one", "mesh one", "x" * 256, "mäsh.example"])
async def test_what_is_no_trust_domain_is_refused(trust_domain: str) -> None:
    store = MemoryStore()
    assert f"{trust_domain!r} is not a trust domain" in await refusal(store, trust_domain)
    assert await store.list("") == (0, ())


@pytest.mark.parametrize(
    "damage",
    [
        Txn(deletes=(ROOT_KEY,)),
        Txn(deletes=(TRUST_DOMAIN_KEY,)),
        Txn(puts=(Put(ROOT_KEY, b"{}"),)),
        Txn(puts=(Put(ROOT_KEY, b'{"certificate_pem": "", "key_pem": ""}'),)),
        Txn(puts=(Put(TRUST_DOMAIN_KEY, b"other.example.com"),)),
    ],
)
async def test_a_damaged_root_is_refused_and_never_replaced(damage: Txn) -> None:
    store = MemoryStore()
    await Issuer.open(store, None, clock)
    await store.commit(damage, SERVER)
    before = await store.list("")

    assert "restore the data folder from a copy" in await refusal(store, None)
    assert await store.list("") == before


async def test_an_id_of_another_trust_domain_is_not_signed() -> None:
    issuer = await Issuer.open(MemoryStore(), "mesh.example.com", clock)
    with pytest.raises(ValueError, match="not in the trust domain"):
        issuer.issue("spiffe://other.example.com/ns/default/dc/dc1/svc/web")
