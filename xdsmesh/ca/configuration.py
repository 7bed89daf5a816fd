"""What of the certificate authority can be changed while it runs; kept in the store under ``ca/``."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import msgspec

from xdsmesh.model.duration import Duration
from xdsmesh.model.origin import Origin
from xdsmesh.store.base import Put, Record, Store, Txn

CONFIGURATION_KEY: Final = "ca/configuration"


@dataclass(frozen=True, slots=True)
class Configuration:
    """How leaves are made, and the revisions of the store that first and last said so."""

    leaf_lifetime: timedelta
    created: int
    modified: int


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value at ``ca/configuration``; the lifetime as Go writes it."""

    leaf_cert_ttl: str


def decode(record: Record) -> Configuration:
    """The configuration that a record holds.

    Raises:
        ValueError: it holds something else.
    """
    stored = msgspec.json.decode(record.value, type=_Stored)
    lifetime = timedelta(seconds=Duration.parse(stored.leaf_cert_ttl).seconds)
    return Configuration(lifetime, record.created, record.modified)


async def save(store: Store, leaf_lifetime: Duration, origin: Origin) -> Configuration:
    """Keep how long leaves are to be valid."""
    value = msgspec.json.encode(_Stored(str(leaf_lifetime)))
    await store.commit(Txn((Put(CONFIGURATION_KEY, value),)), origin)
    record = await store.get(CONFIGURATION_KEY)
    if record is None:
        raise RuntimeError(f"{CONFIGURATION_KEY} is gone, and nobody deletes it")
    return decode(record)
