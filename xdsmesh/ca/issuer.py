"""The mesh's own certificate authority, whose trust domain and root live in the store."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import uuid4

import msgspec

from xdsmesh.ca.builtin import LEAF_LIFETIME, Root, create_root, issue_leaf, load_root
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.model.trust import Leaf, TrustBundle
from xdsmesh.store.base import Expect, Put, Store, Txn

TRUST_DOMAIN_KEY: Final = "ca/trust-domain"
ROOT_KEY: Final = "ca/root"

_RESTORE: Final = "restore the data folder from a copy, or start a new mesh with an empty one"
_ORIGIN: Final = Origin(Source.SERVER, "ca")
# SPIFFE-ID, section 2.1: https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md
_TRUST_DOMAIN: Final = re.compile(r"[a-z0-9._-]{1,255}")


class _StoredRoot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value at ``ca/root``."""

    certificate_pem: str
    key_pem: str

    def __repr__(self) -> str:
        return "_StoredRoot(...)"  # never the key


class Issuer:
    """Issues leaves of one root."""

    def __init__(self, root: Root, clock: Callable[[], datetime], leaf_lifetime: timedelta) -> None:
        self.bundle = TrustBundle(root.trust_domain, root.certificate_pem)
        self._root = root
        self._clock = clock
        self._leaf_lifetime = leaf_lifetime

    @classmethod
    async def open(
        cls,
        store: Store,
        trust_domain: str | None,
        clock: Callable[[], datetime],
        leaf_lifetime: timedelta = LEAF_LIFETIME,
    ) -> Self:
        """Load the root from the store; on the first start make it, and the trust domain unless it is given.

        Args:
            store: where the root is kept under ``ca/``, private key included.
            trust_domain: the name to have, or None for what the store has, or else ``<uuid>.consul``.
            clock: tells the time, with its time zone.
            leaf_lifetime: how long leaves are valid.

        Raises:
            RefusedError: the name is not a trust domain, or the store's is another, or its root is unusable.
        """
        wanted = _parse_trust_domain(trust_domain) if trust_domain else None
        while (root := await _load(store)) is None:
            await _create(store, wanted or f"{uuid4()}.consul", clock())  # whoever comes first: load theirs
        if wanted not in (None, root.trust_domain):
            raise _refused(
                f"the trust domain is to be {wanted}, but this mesh was started as {root.trust_domain}, "
                "and its proxies trust only that",
                f"configure {root.trust_domain} or none, or start a new mesh with another data folder",
            )
        return cls(root, clock, leaf_lifetime)

    def issue(self, spiffe_id: str) -> Leaf:
        """Make a key and a certificate for a service. It takes less than a millisecond of pure computing.

        Not in a thread: that waits for the interpreter's lock several times for each leaf, and beside a
        busy event loop a leaf then takes ten times as long, or more.

        Raises:
            ValueError: the id is not in the trust domain, or the root has expired.
        """
        return issue_leaf(self._root, spiffe_id, self._clock(), self._leaf_lifetime)


def _parse_trust_domain(text: str) -> str:
    name = text.lower()
    if not _TRUST_DOMAIN.fullmatch(name):
        raise _refused(
            f"{text!r} is not a trust domain",
            "use at most 255 letters, digits, dots, hyphens and underscores, such as mesh.example.com",
        )
    return name


async def _create(store: Store, trust_domain: str, now: datetime) -> None:
    root = create_root(trust_domain, now)
    stored = msgspec.json.encode(_StoredRoot(root.certificate_pem, root.key_pem))
    puts = (Put(TRUST_DOMAIN_KEY, trust_domain.encode()), Put(ROOT_KEY, stored))
    await store.commit(Txn(puts, expects=tuple(Expect(put.key, 0) for put in puts)), _ORIGIN)


async def _load(store: Store) -> Root | None:
    _, records = await store.list("ca/")
    values = {record.key: record.value for record in records}
    if not values.keys() & {TRUST_DOMAIN_KEY, ROOT_KEY}:
        return None
    try:
        trust_domain = values[TRUST_DOMAIN_KEY].decode()
        stored = msgspec.json.decode(values[ROOT_KEY], type=_StoredRoot)
        root = load_root(stored.certificate_pem, stored.key_pem)
    except (KeyError, ValueError, msgspec.MsgspecError) as error:
        raise _refused(f"the root of this mesh is missing or damaged: {error}", _RESTORE) from error
    if root.trust_domain != trust_domain:
        raise _refused(f"this mesh is {trust_domain}, and its root {root.trust_domain}", _RESTORE)
    return root


def _refused(what: str, remedy: str) -> RefusedError:
    return RefusedError(Problem(Place(), what, remedy, code=Code.TRUST))
