"""A transaction in the making: what it has read must still be so when it is committed."""

from xdsmesh.model.codes import Code
from xdsmesh.model.errors import OwnershipError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Expect, Put, Record, Store, Txn


class Draft:
    """Reads of a store, and the writes that are decided by them. A key is read before it is written.

    ``put`` and ``delete`` raise ``OwnershipError`` about what belongs to another origin; ``what`` names it.
    """

    def __init__(self, store: Store, origin: Origin) -> None:
        self.origin = origin
        self._store = store
        self._read: dict[str, Record | None] = {}
        self._puts: dict[str, Put] = {}
        self._deletes: dict[str, None] = {}

    async def read(self, key: str) -> Record | None:
        """The record of a key as the transaction finds it, or None."""
        if key not in self._read:
            self._read[key] = await self._store.get(key)
        return self._read[key]

    async def put(self, key: str, value: bytes, what: str) -> None:
        """Write a value."""
        check_owner(await self.read(key), self.origin, what)
        self._put(Put(key, value))

    async def put_for(self, origin: Origin, key: str, value: bytes) -> None:
        """Write a value that belongs to another origin, on its behalf."""
        await self.read(key)
        self._put(Put(key, value, origin))

    async def delete(self, key: str, what: str) -> None:
        """Delete a value, if there is one."""
        check_owner(await self.read(key), self.origin, what)
        await self.delete_whose_ever(key)

    async def delete_whose_ever(self, key: str) -> None:
        """Delete a value that goes with another one, whoever wrote it."""
        self._puts.pop(key, None)
        if await self.read(key):
            self._deletes[key] = None

    def writes(self, key: str) -> bool:
        """Whether the transaction leaves a value of its own under a key."""
        return key in self._puts

    def txn(self) -> Txn:
        """The transaction."""
        expects = (Expect(key, record.modified if record else 0) for key, record in self._read.items())
        return Txn(tuple(self._puts.values()), tuple(self._deletes), tuple(expects))

    def _put(self, put: Put) -> None:
        self._deletes.pop(put.key, None)
        self._puts[put.key] = put


def check_owner(record: Record | None, origin: Origin, what: str) -> None:
    """Refuse a write to what belongs to another origin.

    Raises:
        OwnershipError: ``what`` is that of a file, of the API, or of the server itself.
    """
    if record is None or record.origin.source is origin.source:
        return
    match record.origin.source:
        case Source.FILE:
            told = f"{what} is declared in {record.origin}: change it there, or remove it there first"
        case Source.API:
            told = f"{what} was written through the API: delete it there first, or remove it from {origin}"
        case Source.SERVER:
            told = f"{what} is the server's own and stays as it is: use another name"
        case Source.PRIMARY:
            told = f"{what} is of the primary datacenter, {record.origin}: change it there"
    raise OwnershipError(f"{Code.OWNED_BY_ANOTHER} {told}")
