"""What a datacenter has told us goes into our store: what differs only, and all of a revision at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from xdsmesh.catalog import codec, keys
from xdsmesh.catalog.declare import bump
from xdsmesh.federation.places import read_gateways, read_service
from xdsmesh.model.federation import Cursor
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Conflict, Expect, Put, Record, Store, Txn

_OF_EACH: Final[Mapping[str, Callable[[bytes], Any]]] = {
    keys.SERVICE: read_service,
    keys.GATEWAYS: read_gateways,
    keys.SERVER: codec.decode_remote_server,
}
_OF_PRIMARY: Final[Mapping[str, Callable[[bytes], Any]]] = {
    keys.TRUST: codec.decode_trust,
    keys.MEMBER: codec.decode_member,
    keys.WAY: read_gateways,
}


class UnreadableError(Exception):
    """A record that can't be read here; the text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a datacenter told up to the cursor's revision, by its keys there; None: it is gone.

    ``whole``: there is nothing else. What only the primary may say is left out if it is not ``primary``. The
    way to the ``own`` datacenter, which is told, says nothing to it.
    """

    datacenter: str
    values: Mapping[str, bytes | None]
    cursor: Cursor
    own: str = ""
    primary: bool = False
    whole: bool = False

    def accepted(self) -> dict[str, bytes | None]:
        """The values by the keys that they get here.

        Raises:
            UnreadableError: one of them can't be read.
        """
        places = ((key, self._place(key), value) for key, value in self.values.items())
        return {
            place: None if value is None else self._checked(key, value)
            for key, place, value in places
            if place
        }

    def _place(self, key: str) -> str:
        """Where a record belongs; empty: nowhere, since this datacenter has no say in it."""
        if self.primary and key.startswith(keys.ENTRIES):
            return key
        if self.primary and key.startswith(keys.WAY):
            datacenter = key.removeprefix(keys.WAY)
            return "" if datacenter == self.own else keys.remote_key(datacenter, keys.GATEWAYS)
        return keys.remote_key(self.datacenter, key) if self._decoder(key) else ""

    def _decoder(self, key: str) -> Callable[[bytes], Any] | None:
        """What reads a record: it is of one name, or its name begins so."""
        known = {**_OF_EACH, **(_OF_PRIMARY if self.primary else {})}
        prefix, slash, _ = key.partition("/")
        return known.get(prefix + slash)

    def _checked(self, key: str, value: bytes) -> bytes:
        decode = self._decoder(key)
        try:
            if decode:
                decode(value)
            else:
                codec.decode_entry(keys.entry_name(key)[0], value)
        except (msgspec.DecodeError, KeyError) as error:
            what = f"{self.datacenter} tells {key} in a way that can't be read here ({error})"
            raise UnreadableError(f"{what}: upgrade the older one of the two") from error
        return value


def origin_of(datacenter: str) -> Origin:
    """Who has written what another datacenter told."""
    return Origin(Source.SERVER, f"datacenter {datacenter}")


async def apply(store: Store, told: Told) -> None:
    """Write it; again when somebody else was faster.

    Raises:
        UnreadableError: a record can't be read; nothing has changed.
        CommitFailedError: the disk did not take it; nothing has changed.
    """
    accepted = told.accepted()
    while True:
        guard = await store.get(keys.GUARD)
        txn = decide(told, accepted, await _current(store, told, accepted), guard)
        outcome = await store.commit(txn, origin_of(told.datacenter))
        if not isinstance(outcome, Conflict):
            return


async def _current(store: Store, told: Told, accepted: Mapping[str, object]) -> dict[str, Record]:
    """What is here of all that this may touch."""
    records = [await store.get(key) for key in accepted]
    mentioned = {record.key: record for record in records if record}
    if not told.whole:
        return mentioned
    _, remote = await store.list(keys.remote_key(told.datacenter, ""))
    _, entries = await store.list(keys.ENTRIES) if told.primary else (0, ())
    cursor = keys.remote_key(told.datacenter, keys.CURSOR)
    return mentioned | {record.key: record for record in (*remote, *entries) if record.key != cursor}


def decide(
    told: Told, accepted: Mapping[str, bytes | None], current: Mapping[str, Record], guard: Record | None
) -> Txn:
    """The transaction that makes it so. ``current`` is what is here of what it may touch."""
    wanted = {
        key: value for key, value in accepted.items() if not _is_late(told, key, value, current.get(key))
    }
    gone = {key for key in wanted if wanted[key] is None}
    if told.whole:
        gone |= current.keys() - accepted.keys()
    deletes = tuple(sorted(gone & current.keys()))
    puts = [_put(told, key, value) for key, value in wanted.items() if value is not None]
    puts = [put for put in puts if not _is_there(put, current.get(put.key))]
    cursor = keys.remote_key(told.datacenter, keys.CURSOR)
    changed = (*(put.key for put in puts), *deletes)
    expects = [Expect(key, current[key].modified if key in current else 0) for key in changed]
    if any(key.startswith(keys.ENTRIES) for key in changed):
        expect = Expect(keys.GUARD, guard.modified if guard else 0)
        puts.append(bump(expect))
        expects.append(expect)
    puts.append(Put(cursor, codec.encode_federated(told.cursor)))
    return Txn(tuple(puts), deletes, tuple(expects))


def _put(told: Told, key: str, value: bytes) -> Put:
    is_entry = key.startswith(keys.ENTRIES)
    origin = Origin(Source.PRIMARY, told.datacenter) if is_entry else origin_of(told.datacenter)
    return Put(key, value, origin)


def _is_there(put: Put, record: Record | None) -> bool:
    return record is not None and (record.value, record.origin) == (put.value, put.origin)


def _is_late(told: Told, key: str, value: bytes | None, record: Record | None) -> bool:
    """Whether later gateways are known already: by a report, or from themselves where the primary tells.

    What a datacenter tells of itself as a whole may be of another store, of whose revisions none is later.
    """
    if value is None or record is None or keys.remote_pair(key)[1] != keys.GATEWAYS:
        return False
    if told.whole and key == keys.remote_key(told.datacenter, keys.GATEWAYS):
        return False
    decode = codec.decode_remote_gateways
    return decode(record.value).revision > decode(value).revision
