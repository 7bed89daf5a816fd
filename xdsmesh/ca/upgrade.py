"""The root of the first release, whose key was in the store as plain text: sealed, and its traces removed.

Each step can be interrupted. While ``ca/root`` is there, the last step is still to come: it is removed
together with the first record of the authority.
"""

from typing import Final

import msgspec
from cryptography import x509

from xdsmesh.ca.builtin import put_root
from xdsmesh.ca.certificates import trust_domain_of
from xdsmesh.ca.keys import load_key
from xdsmesh.ca.sealing import Sealer
from xdsmesh.ca.stored import ORIGIN, damaged
from xdsmesh.store.base import Expect, Put, Record, Store, Txn

PLAIN_ROOT_KEY: Final = "ca/root"


class _PlainRoot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value at ``ca/root``."""

    certificate_pem: str
    key_pem: str

    def __repr__(self) -> str:
        return "_PlainRoot(...)"  # never the key


async def seal_plain_root(store: Store, trust_domain: str, sealer: Sealer) -> None:
    """Give the root of the first release to the built-in provider, and leave no plain copy of its key.

    Raises:
        RefusedError: the root is damaged; nothing was changed.
    """
    record = await store.get(PLAIN_ROOT_KEY)
    if record is None:
        return
    if record.value:
        root = _decode(record, trust_domain)
        puts = (put_root(1, root.certificate_pem, root.key_pem, sealer), Put(PLAIN_ROOT_KEY, b""))
        await store.commit(Txn(puts, expects=(Expect(PLAIN_ROOT_KEY, record.modified),)), ORIGIN)
    await store.erase(PLAIN_ROOT_KEY)


def _decode(record: Record, trust_domain: str) -> _PlainRoot:
    try:
        root = msgspec.json.decode(record.value, type=_PlainRoot)
        certificate = x509.load_pem_x509_certificate(root.certificate_pem.encode())
        load_key(root.key_pem, certificate)
        found = trust_domain_of(certificate)
    except (ValueError, msgspec.MsgspecError) as error:
        raise damaged(f"the root of this mesh is damaged: {error}") from error
    if found != trust_domain:
        raise damaged(f"this mesh is {trust_domain}, and its root {found}")
    return root
