"""The authority: made once, kept in the store, renewed in time, and never silently replaced."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, VerificationError
from cryptography.x509.verification import Store as Trusted

from xdsmesh.ca.authority import Root, Standing
from xdsmesh.ca.configuration import Configuration, put
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.renewal import new_intermediate
from xdsmesh.ca.sealing import Sealer
from xdsmesh.ca.stored import AUTHORITY_KEY, TRUST_DOMAIN_KEY
from xdsmesh.model.errors import RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.model.trust import KeyKind, Leaf
from xdsmesh.store.base import Put, Store, Txn
from xdsmesh.store.memory import MemoryStore
from xdsmesh.store.sqlite import SQLiteStore

NOW = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
SERVER = Origin(Source.SERVER, "ca")
API = Origin(Source.API, "somebody")
SEALER = Sealer.in_memory()
WEB = "spiffe://mesh.example.com/ns/default/dc/dc1/svc/web"
FIRST_KEY = "ca/root-keys/1"


class Clock:
    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


async def opened(
    store: Store, trust_domain: str | None = "mesh.example.com", clock: Callable[[], datetime] | None = None
) -> Issuer:
    return await Issuer.open(store, trust_domain, clock or Clock(), SEALER)


async def refusal(store: Store, trust_domain: str | None, sealer: Sealer = SEALER) -> str:
    with pytest.raises(RefusedError) as error:
        await Issuer.open(store, trust_domain, Clock(), sealer)
    return str(error.value)


def verify(leaf: Leaf, issuer: Issuer, at: datetime = NOW) -> None:
    roots = x509.load_pem_x509_certificates(issuer.bundle.roots_pem.encode())
    first, *others = x509.load_pem_x509_certificates(leaf.chain_pem.encode())
    PolicyBuilder().store(Trusted(roots)).time(at).build_client_verifier().verify(first, others)


def serial(issuer: Issuer) -> int:
    return issuer.authority.intermediate.certificate.serial_number


async def test_the_first_start_makes_a_trust_domain_of_its_own() -> None:
    one, other = [await opened(MemoryStore(), None) for _ in range(2)]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.consul", one.bundle.trust_domain)
    assert one.bundle.trust_domain != other.bundle.trust_domain


async def test_a_configured_trust_domain_is_used_in_lower_case() -> None:
    issuer = await opened(MemoryStore(), "Mesh.Example.com")
    assert issuer.bundle.trust_domain == "mesh.example.com"
    verify(issuer.issue(WEB), issuer)


async def test_trust_survives_a_restart(tmp_path: Path) -> None:
    bundles, leaves = [], []
    for _ in range(2):
        store = await SQLiteStore.open(tmp_path / "db")
        issuer = await opened(store)
        bundles.append(issuer.bundle)
        leaves.append(issuer.issue(WEB))
        await store.close()
    assert bundles[0] == bundles[1]
    for leaf in leaves:
        verify(leaf, issuer)


async def test_naming_the_trust_domain_that_the_mesh_has_changes_nothing() -> None:
    store = MemoryStore()
    first = await opened(store)
    before = await store.list("")
    assert (await opened(store, "MESH.example.com")).bundle == first.bundle
    assert await store.list("") == before


async def test_of_many_that_start_at_once_all_have_the_same_root(tmp_path: Path) -> None:
    store = await SQLiteStore.open(tmp_path / "db")
    issuers = await asyncio.gather(*(opened(store, None) for _ in range(5)))
    assert len({issuer.bundle for issuer in issuers}) == 1
    _, records = await store.list("")
    assert [len([1 for each in records if each.key.startswith(key)]) for key in ("ca/root-keys/", "ca/")] == [
        1,
        3,
    ]
    await store.close()


async def test_the_server_is_the_origin_of_what_it_makes_and_no_key_is_plain() -> None:
    store = MemoryStore()
    await opened(store)
    _, records = await store.list("")
    assert {record.key: record.origin for record in records} == {
        AUTHORITY_KEY: SERVER,
        FIRST_KEY: SERVER,
        TRUST_DOMAIN_KEY: SERVER,
    }
    assert all(b"PRIVATE" not in record.value for record in records)


async def test_another_trust_domain_than_the_meshs_is_refused() -> None:
    store = MemoryStore()
    await opened(store, "old.example.com")
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
        Txn(deletes=(AUTHORITY_KEY,)),
        Txn(deletes=(TRUST_DOMAIN_KEY,)),
        Txn(puts=(Put(AUTHORITY_KEY, b"{}"),)),
        Txn(puts=(Put(AUTHORITY_KEY, b'{"roots": [], "intermediate_pem": "", "intermediate_key": ""}'),)),
        Txn(puts=(Put(TRUST_DOMAIN_KEY, b"other.example.com"),)),
        Txn(deletes=(AUTHORITY_KEY,), puts=(Put("ca/root", b"{}"),)),
        Txn(puts=(Put("ca/configuration", b"{}"),)),
    ],
)
async def test_what_is_damaged_is_refused_and_never_replaced(damage: Txn) -> None:
    store = MemoryStore()
    await opened(store, None)
    await store.commit(damage, SERVER)
    before = await store.list("")

    assert re.search("restore the data folder from a copy|the encryption key", await refusal(store, None))
    assert await store.list("") == before


async def test_another_encryption_key_is_refused_and_changes_nothing() -> None:
    store = MemoryStore()
    await opened(store)
    before = await store.list("")
    assert "does not open ca/authority" in await refusal(store, None, Sealer.in_memory())
    assert await store.list("") == before


async def test_an_id_of_another_trust_domain_is_not_signed() -> None:
    issuer = await opened(MemoryStore())
    with pytest.raises(ValueError, match="not in the trust domain"):
        issuer.issue("spiffe://other.example.com/ns/default/dc/dc1/svc/web")


async def test_the_intermediate_is_renewed_after_half_its_life_without_any_change_of_the_roots() -> None:
    clock, changes = Clock(), list[int]()
    issuer = await opened(MemoryStore(), clock=clock)
    issuer.listen(lambda: changes.append(serial(issuer)))
    old, bundle, leaf = serial(issuer), issuer.bundle, issuer.issue(WEB)

    clock.now = NOW + timedelta(days=182)
    await issuer.renew_if_due()
    assert (serial(issuer), changes) == (old, [])
    clock.now = NOW + timedelta(days=183)
    await issuer.renew_if_due()
    assert changes == [serial(issuer)] != [old]
    assert issuer.bundle == bundle
    verify(leaf, issuer)
    verify(issuer.issue(WEB), issuer, clock.now)
    await issuer.renew_if_due()
    assert len(changes) == 1


async def test_a_server_that_was_off_while_its_intermediate_expired_has_another_one_at_once() -> None:
    store, clock = MemoryStore(), Clock()
    old = serial(await opened(store))
    clock.now = NOW + timedelta(days=500)
    issuer = await opened(store, clock=clock)
    assert serial(issuer) != old
    verify(issuer.issue(WEB), issuer, clock.now)


async def test_an_intermediate_that_ends_with_its_root_is_not_renewed_again_and_again() -> None:
    store, clock = MemoryStore(), Clock()
    await opened(store)
    clock.now = NOW + timedelta(days=3649)
    issuer = await opened(store, clock=clock)
    assert issuer.authority.intermediate.certificate.not_valid_after_utc == issuer.authority.active.not_after
    before = serial(issuer)
    clock.now += timedelta(hours=20)
    await issuer.renew_if_due()
    assert serial(issuer) == before


async def test_a_root_key_that_is_missing_stops_renewals_and_not_leaves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store, clock = MemoryStore(), Clock()
    await opened(store)
    await store.commit(Txn(deletes=(FIRST_KEY,)), SERVER)
    clock.now = NOW + timedelta(days=200)
    issuer = await opened(store, clock=clock)
    assert "the store does not have the key of the active root" in capsys.readouterr().out
    verify(issuer.issue(WEB), issuer, clock.now)


@pytest.mark.parametrize(
    ("kind", "below"),
    [("ec 224", "ec 256"), ("ec 384", "ec 256"), ("ec 521", "ec 256"), ("rsa 2048", "rsa 2048")],
)
async def test_a_mesh_has_the_kind_of_key_that_is_configured(kind: str, below: str) -> None:
    name, bits = kind.split()
    store = MemoryStore()
    await store.commit(Txn((put(Configuration(kind=KeyKind(name, int(bits))), SEALER),)), API)
    issuer = await opened(store)
    leaf = await issuer.leaf(WEB)
    verify_signatures(leaf, issuer)
    assert (str(issuer.authority.active.kind), str(issuer.leaf_kind)) == (kind, below)
    assert leaf.key_pem.startswith(f"-----BEGIN {name.upper()} PRIVATE KEY-----")


def verify_signatures(leaf: Leaf, issuer: Issuer) -> None:
    """Python's verifier believes neither P-224 nor P-521."""
    first, second = x509.load_pem_x509_certificates(leaf.chain_pem.encode())
    first.verify_directly_issued_by(second)
    second.verify_directly_issued_by(issuer.authority.active.certificate)


async def test_while_a_key_for_rsa_is_made_others_have_their_turn() -> None:
    store = MemoryStore()
    await store.commit(Txn((put(Configuration(kind=KeyKind("rsa", 4096)), SEALER),)), API)
    issuer = await opened(store)
    making, turns = asyncio.create_task(issuer.leaf(WEB)), 0
    while not making.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 10
    verify(await making, issuer)


async def test_a_server_has_a_certificate_of_its_own() -> None:
    issuer = await opened(MemoryStore())
    leaf = await issuer.issue_server("dc1", ["cp.example.com"], ["127.0.0.1"])
    certificate = x509.load_pem_x509_certificate(leaf.chain_pem.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert leaf.spiffe_id == "spiffe://mesh.example.com/agent/server/dc/dc1"
    assert names.get_values_for_type(x509.DNSName) == ["server.dc1.consul", "cp.example.com"]
    verify(leaf, issuer)


async def test_another_life_of_intermediates_is_that_of_the_one_from_then_on() -> None:
    issuer = await opened(MemoryStore())
    await issuer.configure(replace(issuer.configuration, intermediate_lifetime=timedelta(days=30)), API)
    assert issuer.authority.intermediate.certificate.not_valid_after_utc == NOW + timedelta(days=30)


async def test_what_needs_another_root_starts_a_rotation_or_is_refused() -> None:
    store = MemoryStore()
    issuer = await opened(store)
    wanted = replace(issuer.configuration, kind=KeyKind("rsa", 2048))
    before = await store.list("")
    with pytest.raises(RefusedError, match="needs another root"):
        await issuer.configure(wanted, API)
    assert await store.list("") == before

    asked: list[tuple[Configuration, Origin]] = []

    async def start(configuration: Configuration, origin: Origin) -> None:
        asked.append((configuration, origin))

    issuer.start_rotation = start
    await issuer.configure(wanted, API)
    assert asked == [(wanted, API)]


async def test_a_second_root_can_follow_the_first(tmp_path: Path) -> None:
    """The steps of a rotation, one after the other, with a restart after each."""
    store = await SQLiteStore.open(tmp_path / "db")
    old_leaf = (await opened(store)).issue(WEB)
    await store.close()
    for step in range(FORGET + 1):
        store = await SQLiteStore.open(tmp_path / "db")
        issuer = await opened(store)
        await STEPS[step](issuer)
        verify(issuer.issue(WEB), issuer)
        await store.close()
        if step < FORGET:
            verify(old_leaf, issuer)
    with pytest.raises(VerificationError):
        verify(old_leaf, issuer)
    assert len(issuer.authority.roots) == 1
    assert issuer.issue(WEB).chain_pem.count("BEGIN CERTIFICATE") == 2


async def _trust_another(issuer: Issuer) -> None:
    new = Root.load(await issuer.provider.generate_root(), Standing.NEXT)
    async with issuer.changing:
        assert await issuer.replace([*issuer.authority.roots, new], issuer.authority.intermediate)
    assert [root.standing for root in issuer.authority.roots] == ["active", "next"]


async def _sign_with_it(issuer: Issuer) -> None:
    old, new = issuer.authority.roots
    crossed = await issuer.provider.cross_sign(old.certificate_pem, new.certificate_pem)
    intermediate = await new_intermediate(
        issuer.provider, new, issuer.authority.trust_domain, timedelta(days=365)
    )
    roots = (
        replace(new, standing=Standing.ACTIVE, cross_signed_pem=crossed),
        replace(old, standing=Standing.RETIRING),
    )
    async with issuer.changing:
        assert await issuer.replace(roots, intermediate)
    assert issuer.issue(WEB).chain_pem.count("BEGIN CERTIFICATE") == 3


async def _renew(issuer: Issuer) -> None:
    await issuer.renew()
    assert [root.standing for root in issuer.authority.roots] == ["active", "retiring"]


async def _forget_the_old(issuer: Issuer) -> None:
    new, old = issuer.authority.roots
    async with issuer.changing:
        assert await issuer.replace([replace(new, cross_signed_pem="")], issuer.authority.intermediate)
    await issuer.provider.forget(old.certificate_pem)
    with pytest.raises(RefusedError, match="does not have the key"):
        await issuer.provider.cross_sign(old.certificate_pem, new.certificate_pem)


STEPS = (_trust_another, _sign_with_it, _renew, _forget_the_old)
FORGET = 3
