"""The port of the federation listener, where any will do: the same again after a restart.

The mesh gateways are told of it over their streams. So with another port others would not get through to us
until the gateways have come back.
"""

from typing import Final

from xdsmesh.catalog.keys import FEDERATION
from xdsmesh.federation.store_id import ORIGIN
from xdsmesh.store.base import Put, Store, Txn

_KEY: Final = f"{FEDERATION}port"


async def last_port(store: Store) -> int:
    """The port that it had last; 0: none yet."""
    record = await store.get(_KEY)
    return int(record.value) if record else 0


async def keep_port(store: Store, port: int) -> None:
    """Remember the port that it has."""
    await store.commit(Txn((Put(_KEY, str(port).encode()),)), ORIGIN)
