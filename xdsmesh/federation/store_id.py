"""The id of a store, by which others know whether revisions that they have seen are of this one."""

from collections.abc import Callable
from typing import Final
from uuid import uuid4

from xdsmesh.catalog.keys import STORE_ID
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Conflict, Expect, Put, Store, Txn

ORIGIN: Final = Origin(Source.SERVER, "federation")
"""Who writes what this server has to do with other datacenters."""


async def store_id(store: Store, new_id: Callable[[], object] = uuid4) -> str:
    """The id of a store; the first time, it gets one."""
    while True:
        record = await store.get(STORE_ID)
        if record:
            return record.value.decode()
        made = Txn((Put(STORE_ID, str(new_id()).encode()),), expects=(Expect(STORE_ID, 0),))
        if not isinstance(await store.commit(made, ORIGIN), Conflict):
            continue
