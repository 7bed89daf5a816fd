"""The id of a store, by which others know whether revisions that they have seen are of this one.

Each start of a server gives its store another id, and remembers up to which revision those before it counted.
So a store that was restored from a copy is known as such, however far it has come since: what others have
seen of it in the meantime is later than its memory of that id, or under an id that it does not have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import msgspec

from xdsmesh.catalog.keys import STORE_ID
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Conflict, Expect, Put, Record, Store, Txn

ORIGIN: Final = Origin(Source.SERVER, "federation")
"""Who writes what this server has to do with other datacenters."""

_REMEMBERED: Final = 50
"""Ids: who was away for more starts than that gets everything."""


@dataclass(frozen=True, slots=True)
class StoreId:
    """The id of now, and those of before, the latest last, each with the last revision under it."""

    id: str
    before: tuple[tuple[str, int], ...] = ()

    def has(self, store: str, revision: int, latest: int) -> bool:
        """Whether a revision that was seen under an id is one of this store, which is at its ``latest``."""
        ends = {**dict(self.before), self.id: latest}
        return revision <= ends.get(store, -1)


async def store_id(store: Store, new_id: Callable[[], object] = uuid4) -> StoreId:
    """The id of a store; the first time, it gets one."""
    while True:
        record = await store.get(STORE_ID)
        if record:
            return _decode(record)
        await begin(store, new_id)


async def begin(store: Store, new_id: Callable[[], object] = uuid4) -> None:
    """Give a store another id: once at each start, before anybody is told anything."""
    while True:
        record = await store.get(STORE_ID)
        latest, _ = await store.list(STORE_ID)
        known = _decode(record) if record else None
        before = ((*known.before, (known.id, latest)) if known else ())[-_REMEMBERED:]
        put = Put(STORE_ID, msgspec.json.encode(StoreId(str(new_id()), before)))
        expect = Expect(STORE_ID, record.modified if record else 0)
        if not isinstance(await store.commit(Txn((put,), expects=(expect,)), ORIGIN), Conflict):
            return


def _decode(record: Record) -> StoreId:
    return msgspec.json.decode(record.value, type=StoreId)
