import asyncio
from collections.abc import AsyncIterator, Collection

import pytest

from xdsmesh.api.changes import (
    ALL_INSTANCES,
    Changes,
    Topic,
    entries_topic,
    entry_topic,
    instance_topic,
    service_topic,
)
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_entry, decode_service
from xdsmesh.model.catalog import Node
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.memory import MemoryStore

API = Origin(Source.API)
WEB = entry_topic("service-defaults", "web")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(keep=5)


@pytest.fixture
def repository(store: MemoryStore) -> Repository:
    return Repository(store, Node("n1", "127.0.0.1", "dc1"))


@pytest.fixture
def told() -> set[Topic]:
    """The topics that were passed on; a test empties it between two looks."""
    return set()


@pytest.fixture
async def changes(store: MemoryStore, told: set[Topic]) -> AsyncIterator[Changes]:
    """Changes that follow an empty store; what was there before is put there by the test itself."""
    changes = Changes(store)

    def tell(topics: Collection[Topic]) -> None:
        told.update(topics)

    following = asyncio.create_task(changes.follow(tell))
    await changes.catch_up()
    yield changes
    await store.close()
    await following


async def put_defaults(repository: Repository, name: str, protocol: str = "http") -> None:
    body = f'{{"Kind": "service-defaults", "Name": "{name}", "Protocol": "{protocol}"}}'
    assert await repository.put_entry(decode_entry(body.encode()), API)


async def register(repository: Repository, service_id: str, name: str) -> None:
    await repository.register(decode_service(f'{{"ID": "{service_id}", "Name": "{name}"}}'.encode()), API)


async def test_a_change_is_of_the_thing_and_of_all_of_its_sort(
    changes: Changes, repository: Repository, told: set[Topic]
) -> None:
    await put_defaults(repository, "web")
    await changes.catch_up()
    assert told == {WEB, entries_topic("service-defaults")}
    assert changes.index({WEB}) == changes.index({entries_topic("service-defaults")}) == changes.revision
    assert changes.index({entry_topic("service-defaults", "db")}) == 0
    assert changes.index(()) == 0


async def test_an_instance_that_moves_to_another_service_changes_both(
    changes: Changes, repository: Repository, told: set[Topic]
) -> None:
    await register(repository, "w", "Web")
    await changes.catch_up()
    assert changes.ids_of("wEB") == ("w",)
    told.clear()
    await register(repository, "w", "db")
    await changes.catch_up()
    assert told == {instance_topic("w"), ALL_INSTANCES, service_topic("web"), service_topic("db")}
    assert (changes.ids_of("web"), changes.ids_of("db")) == ((), ("w",))
    told.clear()
    await repository.deregister("w", API)
    await changes.catch_up()
    assert told == {instance_topic("w"), ALL_INSTANCES, service_topic("db")}
    assert changes.ids_of("db") == ()


async def test_what_happened_before_the_start_counts_as_of_the_start(
    store: MemoryStore, repository: Repository
) -> None:
    for protocol in ("http", "tcp", "grpc"):
        await put_defaults(repository, "web", protocol)
    changes = Changes(store)
    following = asyncio.create_task(changes.follow(lambda _: None))
    await changes.catch_up()
    assert changes.index({WEB}) == changes.index({("gone",)}) == changes.revision == 3
    await put_defaults(repository, "web", "http")
    await changes.catch_up()
    assert (changes.index({WEB}), changes.index({("gone",)})) == (4, 3)
    await store.close()
    await following


async def test_old_changes_are_forgotten_and_no_index_ever_falls(
    changes: Changes, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xdsmesh.api.changes._KEEP", 4)
    topics = [entry_topic("service-defaults", f"web-{number}") for number in range(20)]
    before = [0] * len(topics)
    for number in range(20):
        await put_defaults(repository, f"web-{number}")
        await changes.catch_up()
        now = [changes.index({topic}) for topic in topics]
        assert now[number] == changes.revision
        assert all(old <= new <= changes.revision for old, new in zip(before, now, strict=True))
        before = now
    assert len(changes._last) <= 4


async def test_nobody_is_kept_waiting_when_the_store_is_closed(store: MemoryStore) -> None:
    changes = Changes(store)
    following = asyncio.create_task(changes.follow(lambda _: None))
    await asyncio.wait_for(changes.catch_up(), 5)
    await store.close()
    await asyncio.wait_for(following, 5)
