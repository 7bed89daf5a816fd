"""Any sequence of transactions leaves both stores as a plain dictionary says, and so does reopening."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Conflict, Expect, Put, Revision, Store, Txn
from xdsmesh.store.memory import MemoryStore
from xdsmesh.store.sqlite import SQLiteStore

ORIGINS = (Origin(Source.API, "ann"), Origin(Source.FILE, "a.hcl", 1, 2))
KEYS = ("a", "a/1", "a/2", "b")

Entry = tuple[bytes, Origin, int, int]
"""Value, origin, created, modified."""


@dataclass
class Model:
    """The obvious store: a dictionary, and a copy of it after each revision."""

    entries: dict[str, Entry] = field(default_factory=dict)
    past: list[dict[str, Entry]] = field(default_factory=lambda: [{}])

    def commit(self, txn: Txn, origin: Origin) -> int | Conflict:
        for expect in txn.expects:
            actual = self.entries[expect.key][3] if expect.key in self.entries else 0
            if actual != expect.modified:
                return Conflict(expect.key, expect.modified, actual)
        number = len(self.past)
        after = {key: entry for key, entry in self.entries.items() if key not in txn.deletes}
        for put in txn.puts:
            wanted = (put.value, put.origin or origin)
            old = self.entries.get(put.key)
            if old is None or old[:2] != wanted:
                after[put.key] = (*wanted, old[2] if old else number, number)
        if after != self.entries:
            self.entries = after
            self.past.append(after)
        return len(self.past) - 1


@st.composite
def transactions(draw: st.DrawFn) -> tuple[Txn, Origin]:
    written = draw(st.lists(st.sampled_from(KEYS), unique=True))
    puts, deletes = [], []
    for key in written:
        if draw(st.booleans()):
            puts.append(
                Put(key, draw(st.sampled_from([b"", b"1", b"2"])), draw(st.sampled_from([None, *ORIGINS])))
            )
        else:
            deletes.append(key)
    expects = draw(st.lists(st.builds(Expect, st.sampled_from(KEYS), st.integers(0, 6)), max_size=1))
    return Txn(tuple(puts), tuple(deletes), tuple(expects)), draw(st.sampled_from(ORIGINS))


async def read(store: Store) -> tuple[int, dict[str, Entry]]:
    revision, records = await store.list("")
    return revision, {r.key: (r.value, r.origin, r.created, r.modified) for r in records}


async def replay(store: Store, count: int) -> list[dict[str, Entry]]:
    """The entries after each revision, from nothing but the watch."""
    entries: dict[str, Entry] = {}
    past = [entries]
    watch = store.watch("", 0)
    for _ in range(count):
        revision: Revision = await anext(watch)
        entries = dict(entries)
        for change in revision.changes:
            if (r := change.record) is None:
                del entries[change.key]
            else:
                entries[change.key] = (r.value, r.origin, r.created, r.modified)
        past.append(entries)
    return past


async def check(batches: list[list[tuple[Txn, Origin]]], folder: Path) -> None:
    model = Model()
    memory = MemoryStore()
    sqlite = await SQLiteStore.open(folder / "db")
    for batch in batches:
        expected = [model.commit(*commit) for commit in batch]
        for store in (memory, sqlite):
            assert await asyncio.gather(*(store.commit(*commit) for commit in batch)) == expected
    await sqlite.close()

    for store in (memory, await SQLiteStore.open(folder / "db")):
        assert await read(store) == (len(model.past) - 1, model.entries)
        assert await replay(store, len(model.past) - 1) == model.past
        await store.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(transactions(), min_size=1, max_size=5), max_size=8))
def test_both_stores_do_what_a_dictionary_would(batches: list[list[tuple[Txn, Origin]]]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(check(batches, Path(folder)))
