"""The catalog over a store: typed reads, and writes that are decided against what is there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import structlog

from xdsmesh.catalog.codec import decode_entry, decode_instance, encode_entry, encode_instance
from xdsmesh.catalog.decide import EntryKey, entry_warnings, graph_problems
from xdsmesh.catalog.declare import Declaration, bump, decide_declaration
from xdsmesh.catalog.keys import ENTRIES, GUARD, INSTANCES, entry_key, entry_name, instance_key
from xdsmesh.catalog.ports import PortTable
from xdsmesh.config.entry import Entry
from xdsmesh.config.service import ServiceDefinition, expand
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import NotFoundError, OwnershipError, Place, Problem, RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Conflict, Expect, Put, Record, Store, Txn

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A value of the catalog, who wrote it, and the revisions of its creation and its last change."""

    value: T
    origin: Origin
    created: int
    modified: int


class Repository:
    """Typed reads and decided writes. A write is tried again when somebody else was faster."""

    def __init__(self, store: Store, node: Node) -> None:
        self.store: Final = store
        self.node: Final = node
        self._ports: PortTable | None = None
        self._decoded: dict[str, Stored[Entry]] = {}

    @property
    def datacenter(self) -> str:
        """The datacenter whose catalog this is."""
        return self.node.datacenter

    async def entry(self, kind: str, name: str) -> Stored[Entry] | None:
        """One config entry."""
        record = await self.store.get(entry_key(kind, name))
        return stored_entry(record) if record else None

    async def entries(self, kind: str = "") -> tuple[int, tuple[Stored[Entry], ...]]:
        """The store's revision, and the entries of a kind (or all) sorted by kind and name."""
        revision, records = await self.store.list(f"{ENTRIES}{kind}/" if kind else ENTRIES)
        return revision, tuple(self._entry(record) for record in records)

    async def put_entry(self, entry: Entry, origin: Origin, cas: int | None = None) -> bool:
        """Write a config entry whole. False: ``cas`` is not the revision of its last change (0: absent).

        An entry equal to the stored one is not written again, whatever ``cas`` says, as in Consul.

        Raises:
            RefusedError: it would break a chain, or something else between entries.
            OwnershipError: the entry belongs to a file.
        """
        record = await self.store.get(entry_key(entry.KIND, entry.name))
        if cas is not None and cas != (record.modified if record else 0):
            return record is not None and stored_entry(record).value == entry
        expected = Expect(entry_key(entry.KIND, entry.name), cas) if cas is not None else None
        return await self._put((entry,), origin, expected)

    async def put_entries(self, entries: Sequence[Entry], origin: Origin) -> None:
        """Write config entries together or not at all; they are checked together, in any order.

        Raises:
            RefusedError: they would break a chain, or something else between entries, or one is given twice.
            OwnershipError: one of them belongs to a file.
        """
        keys = Counter((entry.KIND, entry.name) for entry in entries)
        twice = [Place(path="/".join(key)) for key, number in keys.items() if number > 1]
        if twice:
            what, remedy = "this entry is given twice", "keep one of them"
            raise RefusedError(*(Problem(place, what, remedy, code=Code.DECLARED_TWICE) for place in twice))
        await self._put(entries, origin)

    async def _put(self, entries: Sequence[Entry], origin: Origin, expected: Expect | None = None) -> bool:
        while True:
            guard, current = await self._guarded_entries()
            for entry in entries:
                record = await self.store.get(entry_key(entry.KIND, entry.name))
                _check_owner(record, origin, f"{entry.KIND}/{entry.name}")
            new = {(entry.KIND, entry.name): entry for entry in entries}
            changed = {key: entry for key, entry in new.items() if current.get(key) != entry}
            if not changed:
                return True
            self._judge(current, {**current, **changed})
            puts = (Put(entry_key(*key), encode_entry(entry)) for key, entry in changed.items())
            expects = (guard, expected) if expected else (guard,)
            result = await self.store.commit(Txn((*puts, bump(guard)), (), expects), origin)
            if not isinstance(result, Conflict):
                _warn(*changed.values())
                return True
            if expected and result.key == expected.key:
                return False

    async def delete_entry(self, kind: str, name: str, origin: Origin, cas: int | None = None) -> bool:
        """Delete a config entry; true also when there is none. False: ``cas`` does not match.

        Raises:
            RefusedError: a chain, or something else between entries, needs the entry.
            OwnershipError: the entry belongs to a file.
        """
        key = entry_key(kind, name)
        while True:
            guard, current = await self._guarded_entries()
            record = await self.store.get(key)
            if record is None:
                return True
            _check_owner(record, origin, f"{kind}/{name}")
            if cas is not None and cas != record.modified:
                return False
            self._judge(current, {each: current[each] for each in current if each != (kind, name)})
            expects = (guard, Expect(key, record.modified))
            result = await self.store.commit(Txn((bump(guard),), (key,), expects), origin)
            if not isinstance(result, Conflict):
                return True

    async def instance(self, instance_id: str) -> Stored[Instance] | None:
        """One registered instance."""
        record = await self.store.get(instance_key(instance_id))
        return stored_instance(record) if record else None

    async def instances(self) -> tuple[int, tuple[Stored[Instance], ...]]:
        """The store's revision, and all instances sorted by id."""
        revision, records = await self.store.list(INSTANCES)
        return revision, tuple(stored_instance(record) for record in records)

    async def register(self, definition: ServiceDefinition, origin: Origin) -> tuple[Instance, ...]:
        """Register a service and the sidecar that it asks for; what is there with these ids is replaced.

        Raises:
            RefusedError: no port is free for the sidecar.
            OwnershipError: one of the ids belongs to a file.
        """
        ports = await self._port_table()
        instances = expand(definition, self.node, ports.take)
        while True:
            records = [await self.store.get(instance_key(each.id)) for each in instances]
            try:
                for each, record in zip(instances, records, strict=True):
                    _check_owner(record, origin, f"service {each.id}")
            except OwnershipError:
                ports.free(each.id for each, record in zip(instances, records, strict=True) if record is None)
                raise
            txn = Txn(
                puts=tuple(Put(instance_key(each.id), encode_instance(each)) for each in instances),
                expects=tuple(
                    Expect(instance_key(each.id), record.modified if record else 0)
                    for each, record in zip(instances, records, strict=True)
                ),
            )
            if not isinstance(await self.store.commit(txn, origin), Conflict):
                ports.hold(instances)
                return instances

    async def deregister(self, instance_id: str, origin: Origin) -> None:
        """Remove an instance, and the sidecar that came with it.

        Raises:
            NotFoundError: there is no such instance.
            OwnershipError: it belongs to a file.
        """
        while True:
            record = await self.store.get(instance_key(instance_id))
            if record is None:
                raise NotFoundError(
                    f'Unknown service ID "{instance_id}"; `xdsmesh services list` shows those there are'
                )
            records = [record, *await self._sidecars_of(instance_id)]
            for each in records:
                _check_owner(each, origin, f"service {instance_id}")
            txn = Txn(
                deletes=tuple(each.key for each in records),
                expects=tuple(Expect(each.key, each.modified) for each in records),
            )
            if not isinstance(await self.store.commit(txn, origin), Conflict):
                (await self._port_table()).free(decode_instance(each.value).id for each in records)
                return

    async def declare(self, declaration: Declaration) -> int:
        """Make what files declare the whole of what files own; the revision at which it holds.

        Raises:
            RefusedError: something belongs to the API, two services share an id, or a chain would not
                compile. Nothing has changed then.
        """
        while True:
            revision, records = await self.store.list("")
            txn = decide_declaration(declaration, records, self.node)
            if not txn.puts and not txn.deletes:
                return revision
            result = await self.store.commit(txn, Origin(Source.FILE, "config folder"))
            if not isinstance(result, Conflict):
                self._ports = None  # files took ports and gave some back
                _warn(*(located.value for located in declaration.entries.values()))
                return result

    async def _port_table(self) -> PortTable:
        if self._ports is None:
            stored = (await self.instances())[1]
            # Whoever came first while we were reading has handed out ports already.
            self._ports = self._ports or PortTable(each.value for each in stored)
        return self._ports

    async def _sidecars_of(self, instance_id: str) -> list[Record]:
        record = await self.store.get(instance_key(f"{instance_id}-sidecar-proxy"))
        return [record] if record and decode_instance(record.value).sidecar_of == instance_id else []

    async def _guarded_entries(self) -> tuple[Expect, dict[EntryKey, Entry]]:
        """All entries, and the expectation that nobody writes one before we do."""
        guard = await self.store.get(GUARD)
        _, stored = await self.entries()
        if len(self._decoded) > len(stored):
            self._decoded = {entry_key(each.value.KIND, each.value.name): each for each in stored}
        return Expect(GUARD, guard.modified if guard else 0), {
            (each.value.KIND, each.value.name): each.value for each in stored
        }

    def _entry(self, record: Record) -> Stored[Entry]:
        """The entry of a record, decoded once for each time that it was written."""
        known = self._decoded.get(record.key)
        if known is None or known.modified != record.modified:
            self._decoded[record.key] = known = stored_entry(record)
        return known

    def _judge(self, before: Mapping[EntryKey, Entry], after: Mapping[EntryKey, Entry]) -> None:
        problems = graph_problems(before, after, self.datacenter, {})
        if problems:
            raise RefusedError(*problems)


def _warn(*entries: Entry) -> None:
    for entry in entries:
        for warning in entry_warnings(entry):
            log.warning("accepted, but look again", warning=warning)


def stored_entry(record: Record) -> Stored[Entry]:
    """The config entry of a record."""
    entry = decode_entry(entry_name(record.key)[0], record.value)
    return Stored(entry, record.origin, record.created, record.modified)


def stored_instance(record: Record) -> Stored[Instance]:
    """The instance of a record."""
    return Stored(decode_instance(record.value), record.origin, record.created, record.modified)


def _check_owner(record: Record | None, origin: Origin, what: str) -> None:
    if record is None or record.origin.source is origin.source:
        return
    if record.origin.source is Source.FILE:
        told = f"{what} is declared in {record.origin}: change it there, or remove it there first"
    else:
        told = f"{what} was written through the API: delete it there first, or remove it from {origin}"
    raise OwnershipError(f"{Code.OWNED_BY_ANOTHER} {told}")
