"""A mesh whose roots are with Vault: what it asks for, what stays with it, and what goes on without it."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder
from cryptography.x509.verification import Store as Trusted
from structlog.testing import capture_logs

from xdsmesh.api.tls import make_context
from xdsmesh.ca.authority import Root, Standing
from xdsmesh.ca.configuration import VAULT, Configuration, VaultSettings, put
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.renewal import new_intermediate
from xdsmesh.ca.sealing import Sealer
from xdsmesh.model.errors import RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.model.trust import KeyKind
from xdsmesh.store.base import Txn
from xdsmesh.store.memory import MemoryStore

if TYPE_CHECKING:
    from tests.feature.vault.conftest import Running, Vault

TOKEN = "hvs.a-secret-of-the-mesh"
DOMAIN = "mesh.example.com"
WEB = f"spiffe://{DOMAIN}/ns/default/dc/dc1/svc/web"
SEALER = Sealer.in_memory()
OPERATOR = Origin(Source.API, "somebody")


def now() -> datetime:
    return datetime.now(UTC)


def settings(vault: Vault, **changes: Any) -> VaultSettings:
    return replace(VaultSettings(vault.address, "mesh/root", token=TOKEN), **changes)


async def opened(store: MemoryStore, wanted: VaultSettings, clock: Any = now, **changes: Any) -> Issuer:
    """A mesh that was configured so before its first start, or that starts again."""
    configuration = Configuration(provider=VAULT, vault=wanted, **changes)
    await store.commit(Txn((put(configuration, SEALER),)), OPERATOR)
    return await Issuer.open(store, DOMAIN, clock, SEALER)


def verify(issuer: Issuer, roots_pem: str | None = None) -> None:
    roots = x509.load_pem_x509_certificates((roots_pem or issuer.bundle.roots_pem).encode())
    leaf, *others = x509.load_pem_x509_certificates(issuer.issue(WEB).chain_pem.encode())
    PolicyBuilder().store(Trusted(roots)).time(now()).build_client_verifier().verify(leaf, others)


async def refusal(store: MemoryStore, wanted: VaultSettings) -> str:
    with pytest.raises(RefusedError) as error:
        await opened(store, wanted)
    return str(error.value)


async def test_a_new_mesh_has_its_root_with_vault_and_signs_leaves_itself(vault: Vault) -> None:
    issuer = await opened(MemoryStore(), settings(vault))
    verify(issuer)
    (root,) = vault.mounts["mesh/root"]
    assert issuer.authority.active.certificate == root.certificate
    asked = len(vault.asked)
    for _ in range(10):
        verify(issuer)
    assert len(vault.asked) == asked, "a leaf is no matter of Vault's"


async def test_after_a_restart_the_same_root_counts_and_vault_need_not_be_there(running: Running) -> None:
    store = MemoryStore()
    before = await opened(store, settings(running.vault))
    running.stop()
    after = await Issuer.open(store, None, now, SEALER)
    assert after.bundle == before.bundle
    verify(after)


async def test_a_start_that_was_interrupted_takes_the_root_that_it_made(vault: Vault) -> None:
    one, other = [await opened(MemoryStore(), settings(vault)) for _ in range(2)]
    assert one.bundle == other.bundle
    assert len(vault.mounts["mesh/root"]) == 1


async def test_two_meshes_in_one_mount_have_a_root_each(vault: Vault) -> None:
    first = await opened(MemoryStore(), settings(vault))
    store = MemoryStore()
    await store.commit(Txn((put(Configuration(provider=VAULT, vault=settings(vault)), SEALER),)), OPERATOR)
    second = await Issuer.open(store, "other.example.com", now, SEALER)
    assert first.authority.active.id != second.authority.active.id


async def test_a_root_of_somebodys_own_is_taken_and_never_destroyed(vault: Vault) -> None:
    vault.answer("POST", "sys/mounts/corp", {})
    body = {"common_name": "Corp Root", "key_type": "rsa", "key_bits": 2048}
    body |= {"ttl": "864000s", "not_before_duration": "60s"}
    pem = vault.answer("POST", "corp/root/generate/internal", body)["certificate"]
    issuer = await opened(MemoryStore(), settings(vault, root_pki_path="corp"))
    verify(issuer, pem)
    await issuer.provider.forget(issuer.authority.active.certificate_pem)
    assert len(vault.mounts["corp"]) == 1


async def test_roots_follow_one_another_and_the_old_one_vouches_for_the_new(vault: Vault) -> None:
    issuer = await opened(MemoryStore(), settings(vault), kind=KeyKind("ec", 384))
    old = issuer.authority.active
    pem = await issuer.provider.generate_root()
    crossed = await issuer.provider.cross_sign(old.certificate_pem, pem)
    active = Root.load(pem, Standing.ACTIVE, crossed)
    made = await new_intermediate(issuer.provider, active, DOMAIN, timedelta(days=10))
    assert await issuer.replace((active, replace(old, standing=Standing.RETIRING)), made)

    assert active.id != old.id
    verify(issuer, old.certificate_pem)
    verify(issuer, pem)
    await issuer.provider.forget(old.certificate_pem)
    await issuer.provider.forget(old.certificate_pem)  # nothing happens
    assert [each.certificate for each in vault.mounts["mesh/root"]] == [active.certificate]


async def test_while_vault_is_away_leaves_are_issued_and_the_log_says_what_waits(running: Running) -> None:
    at = [now()]
    issuer = await opened(
        MemoryStore(), settings(running.vault), lambda: at[0], intermediate_lifetime=timedelta(hours=10)
    )
    running.stop()
    at[0] += timedelta(hours=6)
    with capture_logs() as log:
        await issuer.renew_if_due()
    assert issuer.issue(WEB)
    (line,) = [each for each in log if each["log_level"] == "warning"]
    assert running.vault.address in line["error"]
    assert "refused" in line["error"].lower()
    assert TOKEN not in str(log)

    running.start()
    before = issuer.authority.intermediate.certificate
    await issuer.renew_if_due()
    assert issuer.authority.intermediate.certificate != before


async def test_an_intermediate_does_not_outlive_the_root(vault: Vault) -> None:
    lifetimes = {"root_lifetime": timedelta(hours=20), "intermediate_lifetime": timedelta(hours=40)}
    authority = (await opened(MemoryStore(), settings(vault), **lifetimes)).authority
    assert authority.intermediate.certificate.not_valid_after_utc <= authority.active.not_after
    assert authority.intermediate.certificate.extensions.get_extension_for_class(
        x509.BasicConstraints
    ).value == x509.BasicConstraints(ca=True, path_length=0)


async def test_the_token_is_sealed_in_the_store_and_in_no_repr(vault: Vault) -> None:
    store = MemoryStore()
    issuer = await opened(store, settings(vault))
    _, records = await store.list("")
    assert not [record.key for record in records if TOKEN.encode() in record.value]
    assert TOKEN not in repr(issuer.configuration)
    assert issuer.configuration.vault == settings(vault)


async def test_the_token_may_come_from_the_environment(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "VAULT_TOKEN" in await refusal(MemoryStore(), settings(vault, token=""))
    monkeypatch.setenv("VAULT_TOKEN", f"{TOKEN}\n")
    store = MemoryStore()
    verify(await opened(store, settings(vault, token="", namespace="team/a")))
    assert vault.namespaces == {"team/a"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"token": "hvs.wrong"}, "permission denied"),
        ({"address": "http://127.0.0.1:1"}, "can't be reached"),
        ({"ca_file": "/nowhere.pem", "address": "https://127.0.0.1:1"}, "/nowhere.pem"),
    ],
)
async def test_what_does_not_work_is_refused_with_the_address_and_the_reason(
    vault: Vault, change: dict[str, str], told: str
) -> None:
    wanted = settings(vault, **change)
    text = await refusal(MemoryStore(), wanted)
    assert told in text
    assert wanted.address in text
    assert wanted.token not in text


async def test_over_tls_vault_is_known_by_its_ca_and_its_name(running: Running, tmp_path: Path) -> None:
    corporate = await Issuer.open(MemoryStore(), "corp.example.com", now, Sealer.in_memory())
    roots = tmp_path / "corp.pem"
    roots.write_text(corporate.bundle.roots_pem)
    running.stop()
    running.start(make_context(await corporate.issue_server("dc1")))
    known = settings(running.vault, ca_file=str(roots), tls_server_name="server.dc1.consul")
    verify(await opened(MemoryStore(), known))
    for change, why in (
        ({"tls_server_name": ""}, "IP address mismatch"),
        ({"tls_server_name": "server.dc2.consul"}, "doesn't match"),
        ({"ca_file": ""}, "certificate verify failed"),
    ):
        text = await refusal(MemoryStore(), replace(known, **change))
        assert why in text
        assert running.vault.address in text


async def test_a_vault_that_does_not_answer_holds_up_nobody_for_long(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xdsmesh.ca.vault_client._TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        text = await refusal(MemoryStore(), settings(vault, address=address))
    assert f"Vault at {address} did not give a root" in text
    assert "timed out" in text


async def test_a_sealed_vault_is_to_be_unsealed(vault: Vault) -> None:
    vault.sealed = True
    text = await refusal(MemoryStore(), settings(vault))
    assert "Vault is sealed" in text
    assert "unseal it" in text


async def test_another_token_is_tried_before_it_counts(vault: Vault) -> None:
    issuer = await opened(MemoryStore(), settings(vault))
    with pytest.raises(RefusedError, match="permission denied"):
        await issuer.configure(
            replace(issuer.configuration, vault=settings(vault, token="hvs.wrong")), OPERATOR
        )
    assert issuer.configuration.vault == settings(vault)
    vault.tokens = {"hvs.next"}
    await issuer.configure(replace(issuer.configuration, vault=settings(vault, token="hvs.next")), OPERATOR)
    await issuer.renew()
    verify(issuer)


async def test_without_hvac_it_is_said_what_to_install(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "xdsmesh.ca.vault", None)
    assert "pip install 'xdsmesh[vault]'" in await refusal(MemoryStore(), settings(vault))
