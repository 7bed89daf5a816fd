"""The certificates that strangers show at the door of a service, and the connections that show them."""

import base64
import os
import secrets
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.key_file import read_key_file
from xdsmesh.ca.sealing import Sealer
from xdsmesh.demo.identity.layout import API, DATACENTER
from xdsmesh.model.trust import Leaf, service_spiffe_id
from xdsmesh.store.memory import MemoryStore
from xdsmesh.store.sqlite import SQLiteStore

_AGO: Final = timedelta(hours=1)
_LIFETIME: Final = timedelta(minutes=5)
_KEY_BYTES: Final = 32


def write_encryption_key(file: Path) -> None:
    """Make the key that seals the mesh's private keys in its store."""
    write_secret(file, base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode())


async def found_mesh(data: Path, encryption_key: Path) -> Leaf:
    """Make the mesh's authority in a data folder, as an hour ago; the leaf that api had then, for minutes.

    The folder is that of a server which has not started yet: it will be this mesh's, and the leaf is one
    that its own authority has signed, and that has expired.
    """
    store = await SQLiteStore.open(data / "state.db")
    try:
        sealer = read_key_file(encryption_key)
        issuer = await Issuer.open(store, None, lambda: datetime.now(UTC) - _AGO, sealer, _LIFETIME)
        return _leaf_of_api(issuer)
    finally:
        await store.close()


async def foreign_leaf(trust_domain: str) -> Leaf:
    """A leaf that says it is api's, of this very trust domain, from a root that the mesh does not trust."""
    issuer = await Issuer.open(MemoryStore(), trust_domain, lambda: datetime.now(UTC), Sealer.in_memory())
    return _leaf_of_api(issuer)


def client_tls(roots_pem: str, pair: tuple[str, str] | None, draft: Path) -> ssl.SSLContext:
    """TLS as a client that trusts these roots, and shows a chain with its key, or none; all in PEM.

    OpenSSL takes these from a file only: ``draft``, which is gone afterwards.
    """
    context = ssl.create_default_context(cadata=roots_pem)
    context.check_hostname = False  # services have SPIFFE ids, and no host names
    if pair:
        write_secret(draft, "".join(pair))
        context.load_cert_chain(draft)
        draft.unlink()
    return context


def _leaf_of_api(issuer: Issuer) -> Leaf:
    return issuer.issue(service_spiffe_id(issuer.bundle.trust_domain, DATACENTER, API.service))


def write_secret(file: Path, text: str) -> None:
    """Write a new file that nobody else may read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
