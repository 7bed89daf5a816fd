import asyncio
from collections.abc import AsyncIterator

import pytest

from xdsmesh.api.changes import (
    ALL_CHECKS,
    ALL_INSTANCES,
    Changes,
    Topic,
    entries_topic,
    entry_topic,
    instance_topic,
    node_topic,
    service_topic,
)
from xdsmesh.catalog.agent_checks import register_check, report
from xdsmesh.catalog.feed import Feed
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_entry, decode_service
from xdsmesh.model.catalog import Node
from xdsmesh.model.checks import Check, CheckStatus, Health
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.memory import MemoryStore

API = Origin(Source.API)
NODE = Node("n1", "127.0.0.1", "dc1")
WEB = entry_topic("service-defaults", "web")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(keep=5)


@pytest.fixture
def feed(store: MemoryStore) -> Feed:
    return Feed(store)


@pytest.fixture
def repository(store: MemoryStore) -> Repository:
    return Repository(store, NODE)


@pytest.fixture
def registrations(store: MemoryStore, feed: Feed) -> Registrations:
    return Registrations(store, NODE, feed)


@pytest.fixture
def told() -> set[Topic]:
    """The topics that were passed on; a test empties it between two looks."""
    return set()


@pytest.fixture
async def changes(store: MemoryStore, feed: Feed, told: set[Topic]) -> AsyncIterator[Changes]:
    """Changes since an empty store."""
    changes = Changes()
    feed.listen(lambda batch: told.update(changes.take(batch)))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(feed.run())
        await feed.catch_up()
        yield changes
        await store.close()


async def put_defaults(repository: Repository, name: str, protocol: str = "http") -> None:
    body = f'{{"Kind": "service-defaults", "Name": "{name}", "Protocol": "{protocol}"}}'
    assert await repository.put_entry(decode_entry(body.encode()), API)


async def register(registrations: Registrations, service_id: str, name: str) -> None:
    definition = decode_service(f'{{"ID": "{service_id}", "Name": "{name}"}}'.encode())
    await registrations.register(definition, API)


async def test_a_change_is_of_the_thing_and_of_all_of_its_sort(
    changes: Changes, feed: Feed, repository: Repository, told: set[Topic]
) -> None:
    await put_defaults(repository, "web")
    await feed.catch_up()
    assert told == {WEB, entries_topic("service-defaults")}
    assert changes.index({WEB}) == changes.index({entries_topic("service-defaults")}) == feed.revision
    assert changes.index({entry_topic("service-defaults", "db")}) == 0
    assert changes.index(()) == 0


async def test_an_instance_that_moves_to_another_service_changes_both(
    changes: Changes, feed: Feed, registrations: Registrations, told: set[Topic]
) -> None:
    here = {instance_topic("w"), node_topic("n1"), ALL_INSTANCES}
    await register(registrations, "w", "Web")
    await feed.catch_up()
    assert told == here | {service_topic("web")}
    told.clear()
    await register(registrations, "w", "db")
    await feed.catch_up()
    assert told == here | {service_topic("web"), service_topic("db")}
    told.clear()
    await registrations.deregister("w", API)
    await feed.catch_up()
    assert told == here | {service_topic("db")}
    assert changes.index({service_topic("web")}) < changes.index({service_topic("db")})


async def test_what_a_check_says_changes_its_service_and_no_registration(
    changes: Changes, feed: Feed, registrations: Registrations, told: set[Topic]
) -> None:
    await register(registrations, "w", "web")
    await register_check(registrations, Check("c", "alive", service_id="w"), API)
    await feed.catch_up()
    told.clear()
    await report(registrations, "c", CheckStatus(Health.PASSING))
    await feed.catch_up()
    assert told == {instance_topic("w"), node_topic("n1"), ALL_CHECKS, service_topic("web")}
    assert changes.index({ALL_INSTANCES}) < feed.revision


async def test_what_happened_before_the_start_counts_as_of_the_start(
    store: MemoryStore, feed: Feed, repository: Repository
) -> None:
    for protocol in ("http", "tcp", "grpc"):
        await put_defaults(repository, "web", protocol)
    changes = Changes()
    feed.listen(changes.take)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(feed.run())
        await feed.catch_up()
        assert changes.index({WEB}) == changes.index({("gone",)}) == feed.revision == 3
        await put_defaults(repository, "web", "http")
        await feed.catch_up()
        assert (changes.index({WEB}), changes.index({("gone",)})) == (4, 3)
        await store.close()


async def test_old_changes_are_forgotten_and_no_index_ever_falls(
    changes: Changes, feed: Feed, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xdsmesh.api.changes._KEEP", 4)
    topics = [entry_topic("service-defaults", f"web-{number}") for number in range(20)]
    before = [0] * len(topics)
    for number in range(20):
        await put_defaults(repository, f"web-{number}")
        await feed.catch_up()
        now = [changes.index({topic}) for topic in topics]
        assert now[number] == feed.revision
        assert all(old <= new <= feed.revision for old, new in zip(before, now, strict=True))
        before = now
    assert len(changes._last) <= 4


async def test_nobody_is_kept_waiting_when_the_store_is_closed(store: MemoryStore, feed: Feed) -> None:
    following = asyncio.create_task(feed.run())
    await asyncio.wait_for(feed.catch_up(), 5)
    waiting = asyncio.create_task(feed.reach(100))
    await store.close()
    await asyncio.wait_for(following, 5)
    await asyncio.wait_for(waiting, 5)
