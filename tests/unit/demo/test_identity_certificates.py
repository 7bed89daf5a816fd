"""The certificates of strangers are what their names say."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.key_file import read_key_file
from xdsmesh.demo.identity.certificates import foreign_leaf, found_mesh, write_encryption_key
from xdsmesh.store.sqlite import SQLiteStore


async def test_the_expired_leaf_is_of_the_meshs_own_authority(tmp_path: Path) -> None:
    key = tmp_path / "encryption.key"
    write_encryption_key(key)

    expired = await found_mesh(tmp_path / "data", key)

    assert datetime.now(UTC) - timedelta(hours=2) < expired.not_after < datetime.now(UTC)
    store = await SQLiteStore.open(tmp_path / "data" / "state.db")
    issuer = await Issuer.open(store, None, lambda: datetime.now(UTC), read_key_file(key))
    await store.close()
    leaf, *intermediates = x509.load_pem_x509_certificates(expired.chain_pem.encode())
    (root,) = x509.load_pem_x509_certificates(issuer.bundle.roots_pem.encode())
    for issued, by in zip([leaf, *intermediates], [*intermediates, root], strict=True):
        issued.verify_directly_issued_by(by)


async def test_the_foreign_leaf_claims_the_same_name(tmp_path: Path) -> None:
    key = tmp_path / "encryption.key"
    write_encryption_key(key)
    expired = await found_mesh(tmp_path / "data", key)

    foreign = await foreign_leaf(expired.spiffe_id.split("/")[2])

    assert foreign.spiffe_id == expired.spiffe_id
    assert foreign.not_after > datetime.now(UTC)
