"""One query that many share: what its answer shows, and the index that comes with it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from xdsmesh.api.changes import Changes, entries_topic
from xdsmesh.api.queries import Query, Seen
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_entry
from xdsmesh.model.catalog import Node
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.memory import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def changes(store: MemoryStore) -> AsyncIterator[Changes]:
    changes = Changes(store)
    following = asyncio.create_task(changes.follow(lambda _: None))
    await changes.catch_up()
    yield changes
    await store.close()
    await following


@pytest.fixture
def repository(store: MemoryStore) -> Repository:
    return Repository(store, Node("n1", "127.0.0.1", "dc1"))


async def test_the_index_is_as_new_as_what_the_answer_shows(
    store: MemoryStore, changes: Changes, repository: Repository
) -> None:
    async def put(name: str) -> None:
        body = f'{{"Kind": "service-defaults", "Name": "{name}"}}'
        await repository.put_entry(decode_entry(body.encode()), Origin(Source.API))

    async def look() -> Seen:
        _, entries = await repository.entries("service-defaults")
        names = [each.value.name for each in entries]
        return Seen(names, frozenset({entries_topic("service-defaults")}))

    query = Query(changes, look, pretty=False)
    await query.refresh()
    await put("db")
    await changes.catch_up()
    await put("web")  # the store has it, and has told nobody yet
    await query.refresh()
    assert query.answer.body == b'["db","web"]'
    await changes.catch_up()
    await query.refresh()
    revision, _ = await store.list("")
    assert query.index == revision
