"""One query that many share: what its answer shows, and the index that comes with it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from xdsmesh.api.changes import Changes, entries_topic
from xdsmesh.api.queries import Query, Seen
from xdsmesh.catalog.feed import Feed
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_entry
from xdsmesh.model.catalog import Node
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.memory import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def feed(store: MemoryStore) -> AsyncIterator[Feed]:
    feed = Feed(store)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(feed.run())
        yield feed
        await store.close()


@pytest.fixture
def repository(store: MemoryStore) -> Repository:
    return Repository(store, Node("n1", "127.0.0.1", "dc1"))


async def test_the_index_is_as_new_as_what_the_answer_shows(
    store: MemoryStore, feed: Feed, repository: Repository
) -> None:
    async def put(name: str) -> None:
        body = f'{{"Kind": "service-defaults", "Name": "{name}"}}'
        await repository.put_entry(decode_entry(body.encode()), Origin(Source.API))

    def look() -> Seen:
        names = [each.value.name for each in feed.view.entries_of("service-defaults")]
        return Seen(names, frozenset({entries_topic("service-defaults")}))

    changes = Changes()
    feed.listen(changes.take)
    await feed.catch_up()
    query = Query(feed, changes, look, pretty=False)
    query.refresh()
    assert query.answer.body == b"[]"
    for names in (["db"], ["db", "web"]):
        await put(names[-1])
        query.refresh()  # the store has it, and has told nobody yet
        await feed.catch_up()
        query.refresh()
        revision, _ = await store.list("")
        assert (query.answer.body, query.index) == (
            str(names).replace("'", '"').replace(" ", "").encode(),
            revision,
        )
