"""Config entries over a store: typed reads, and writes that are decided against what is there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from xdsmesh.catalog.codec import encode_entry, stored_entry
from xdsmesh.catalog.decide import EntryKey, entry_warnings, graph_problems
from xdsmesh.catalog.declare import Declaration, bump, decide_declaration
from xdsmesh.catalog.draft import check_owner
from xdsmesh.catalog.keys import ENTRIES, GUARD, INSTANCES, entry_key, instance_key
from xdsmesh.catalog.stored import Stored
from xdsmesh.config.entry import Entry
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Conflict, Expect, Put, Record, Store, Txn

log = structlog.get_logger(__name__)


class Repository:
    """Typed reads and decided writes. A write is tried again when somebody else was faster."""

    def __init__(self, store: Store, node: Node) -> None:
        self.store: Final = store
        self.node: Final = node
        self._decoded: dict[str, Stored[Entry]] = {}

    @property
    def datacenter(self) -> str:
        """The datacenter whose catalog this is."""
        return self.node.datacenter

    async def entry(self, kind: str, name: str) -> Stored[Entry] | None:
        """One config entry."""
        record = await self.store.get(entry_key(kind, name))
        return stored_entry(record) if record else None

    async def instance_origin(self, instance: Instance) -> Origin | None:
        """Who registered an instance; None: it is no longer there."""
        record = await self.store.get(instance_key(instance.node.name, instance.id))
        return record.origin if record else None

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
                check_owner(record, origin, f"{entry.KIND}/{entry.name}")
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
            check_owner(record, origin, f"{kind}/{name}")
            if cas is not None and cas != record.modified:
                return False
            self._judge(current, {each: current[each] for each in current if each != (kind, name)})
            expects = (guard, Expect(key, record.modified))
            result = await self.store.commit(Txn((bump(guard),), (key,), expects), origin)
            if not isinstance(result, Conflict):
                return True

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
                _warn(*(located.value for located in declaration.entries.values()))
                if not any(key.startswith(INSTANCES) for key in txn.deletes):
                    return result
                # Checks may have been registered while their services went: see that they go too.

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
