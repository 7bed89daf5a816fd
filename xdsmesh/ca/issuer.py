"""The mesh's own certificate authority, whose trust domain and root live in the store."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import uuid4

import msgspec

from xdsmesh.ca.builtin import LEAF_LIFETIME, Root, create_root, issue_leaf, load_root
from xdsmesh.ca.configuration import CONFIGURATION_KEY, Configuration, decode, save
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.model.trust import Leaf, TrustBundle
from xdsmesh.store.base import Expect, Put, Record, Store, Txn

TRUST_DOMAIN_KEY: Final = "ca/trust-domain"
ROOT_KEY: Final = "ca/root"

_RESTORE: Final = "restore the data folder from a copy, or start a new mesh with an empty one"
ORIGIN: Final = Origin(Source.SERVER, "ca")
"""Who writes what is under ``ca/``, unless a caller of the API does."""

# SPIFFE-ID, section 2.1: https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md
_TRUST_DOMAIN: Final = re.compile(r"[a-z0-9._-]{1,255}")


class _StoredRoot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value at ``ca/root``."""

    certificate_pem: str
    key_pem: str

    def __repr__(self) -> str:
        return "_StoredRoot(...)"  # never the key


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What the store has: the root, the revision at which it was made, and what somebody has configured."""

    root: Root
    revision: int
    configuration: Configuration | None


class Issuer:
    """Issues leaves of one root."""

    def __init__(
        self, store: Store, loaded: _Loaded, clock: Callable[[], datetime], leaf_lifetime: timedelta
    ) -> None:
        root, revision = loaded.root, loaded.revision
        self.bundle = TrustBundle(root.trust_domain, root.certificate_pem)
        self.certificate: Final = root.certificate
        """The root's."""
        self.revision: Final = revision
        """The store's, at which the root was made."""
        self.configuration = loaded.configuration or Configuration(leaf_lifetime, revision, revision)
        self._store = store
        self._root = root
        self._clock = clock

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
            leaf_lifetime: how long leaves are valid, unless the store says otherwise.

        Raises:
            RefusedError: the name is not a trust domain, or the store's is another, or its root is unusable.
        """
        wanted = _parse_trust_domain(trust_domain) if trust_domain else None
        while (loaded := await _load(store)) is None:
            await _create(store, wanted or f"{uuid4()}.consul", clock())  # whoever comes first: load theirs
        trusted = loaded.root.trust_domain
        if wanted not in (None, trusted):
            raise _refused(
                f"the trust domain is to be {wanted}, but this mesh was started as {trusted}, "
                "and its proxies trust only that",
                f"configure {trusted} or none, or start a new mesh with another data folder",
            )
        return cls(store, loaded, clock, leaf_lifetime)

    async def configure(self, leaf_lifetime: Duration, origin: Origin) -> None:
        """Let leaves be valid for so long from now on, also after a restart."""
        self.configuration = await save(self._store, leaf_lifetime, origin)

    def issue(self, spiffe_id: str) -> Leaf:
        """Make a key and a certificate for a service. It takes less than a millisecond of pure computing.

        Not in a thread: that waits for the interpreter's lock several times for each leaf, and beside a
        busy event loop a leaf then takes ten times as long, or more.

        Raises:
            ValueError: the id is not in the trust domain, or the root has expired.
        """
        return issue_leaf(self._root, spiffe_id, self._clock(), self.configuration.leaf_lifetime)


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
    await store.commit(Txn(puts, expects=tuple(Expect(put.key, 0) for put in puts)), ORIGIN)


async def _load(store: Store) -> _Loaded | None:
    _, found = await store.list("ca/")
    records = {record.key: record for record in found}
    if not records.keys() & {TRUST_DOMAIN_KEY, ROOT_KEY}:
        return None
    try:
        trust_domain = records[TRUST_DOMAIN_KEY].value.decode()
        stored = msgspec.json.decode(records[ROOT_KEY].value, type=_StoredRoot)
        root = load_root(stored.certificate_pem, stored.key_pem)
    except (KeyError, ValueError, msgspec.MsgspecError) as error:
        raise _refused(f"the root of this mesh is missing or damaged: {error}", _RESTORE) from error
    if root.trust_domain != trust_domain:
        raise _refused(f"this mesh is {trust_domain}, and its root {root.trust_domain}", _RESTORE)
    configured = records.get(CONFIGURATION_KEY)
    return _Loaded(root, records[ROOT_KEY].modified, _configuration(configured) if configured else None)


def _configuration(record: Record) -> Configuration:
    try:
        return decode(record)
    except (ValueError, msgspec.MsgspecError) as error:
        raise _refused(f"the configuration of this mesh's CA is damaged: {error}", _RESTORE) from error


def _refused(what: str, remedy: str) -> RefusedError:
    return RefusedError(Problem(Place(), what, remedy, code=Code.TRUST))
