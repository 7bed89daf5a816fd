import asyncio
from collections.abc import AsyncIterator

import pytest

from xdsmesh.federation.publishing import publish, told_key
from xdsmesh.federation.store_id import ORIGIN, begin, store_id
from xdsmesh.federation.v1.federation_pb2 import FollowResponse, Records, Start
from xdsmesh.store.base import Put, Txn
from xdsmesh.store.memory import MemoryStore

MANY = 40


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    store = MemoryStore(keep=20)
    yield store
    await store.close()


async def write(store: MemoryStore, *keys: str, value: bytes = b"{}") -> int:
    done = await store.commit(Txn(tuple(Put(key, value) for key in keys)), ORIGIN)
    assert isinstance(done, int)
    return done


async def told(store: MemoryStore, start: Start, until: int) -> list[Records]:
    """The records of a stream up to a revision."""
    found: list[Records] = []
    async with asyncio.timeout(10):
        stream = publish(store, "dc1", start, primary=True)
        try:
            async for response in stream:
                found += [response.records] if response.HasField("records") else []
                if found and found[-1].revision >= until and not found[-1].more:
                    return [each for each in found if each.changes or each.whole]
        finally:
            await stream.aclose()
    raise AssertionError("the stream has ended")


@pytest.mark.parametrize(
    ("key", "of_primary", "of_secondary"),
    [
        ("shared/service/db", "service/db", "service/db"),
        ("shared/gateways", "gateways", "gateways"),
        ("shared/server", "server", "server"),
        ("shared/trust", "trust", None),
        ("shared/member/dc2", "member/dc2", None),
        ("entry/service-defaults/db", "entry/service-defaults/db", None),
        ("ca/authority", None, None),
        ("ca/root-keys/x", None, None),
        ("token/x", None, None),
        ("federation/token/x", None, None),
        ("federation/store", None, None),
        ("remote/dc2/service/db", None, None),
        ("service/n1/db", None, None),
        ("node/n1", None, None),
    ],
)
def test_others_hear_what_is_for_them_and_nothing_else(
    key: str, of_primary: str | None, of_secondary: str | None
) -> None:
    assert told_key(key, primary=True) == of_primary
    assert told_key(key, primary=False) == of_secondary


async def test_who_has_seen_nothing_gets_everything(store: MemoryStore) -> None:
    await store_id(store)
    revision = await write(store, "shared/service/db", "entry/mesh/mesh", "ca/authority")
    (records,) = await told(store, Start(), revision)
    assert records.whole
    assert [each.key for each in records.changes] == ["entry/mesh/mesh", "service/db"]


async def test_who_has_seen_this_store_gets_what_came_since(store: MemoryStore) -> None:
    seen = Start(store=(await store_id(store)).id, after=await write(store, "shared/service/db"))
    await write(store, "node/n1")
    await store.commit(Txn(deletes=("shared/service/db",)), ORIGIN)
    last = await write(store, "shared/service/web")
    records = await told(store, seen, last)
    assert [(each.whole, [(one.key, one.HasField("value")) for one in each.changes]) for each in records] == [
        (False, [("service/db", False)]),
        (False, [("service/web", True)]),
    ]


@pytest.mark.parametrize("after", [1, 1000])
async def test_who_has_seen_what_is_not_kept_or_never_was_gets_everything(
    store: MemoryStore, after: int
) -> None:
    """A store that was restored from a copy is at an earlier revision than others have seen."""
    own_id = (await store_id(store)).id
    for number in range(MANY):
        last = await write(store, "shared/service/db", value=b"%d" % number)
    records = await told(store, Start(store=own_id, after=after), last)
    assert [each.whole for each in records] == [True]


async def test_who_has_seen_this_store_before_a_start_gets_what_came_since(store: MemoryStore) -> None:
    await begin(store)
    seen = Start(store=(await store_id(store)).id, after=await write(store, "shared/service/db"))
    await begin(store)
    await begin(store)
    last = await write(store, "shared/service/web")
    records = await told(store, seen, last)
    assert [(each.whole, [one.key for one in each.changes]) for each in records] == [(False, ["service/web"])]


async def test_who_has_seen_more_than_the_copy_that_was_restored_gets_everything(store: MemoryStore) -> None:
    """Also when the store is further by now than what was seen, under the id that it had."""
    await begin(store)
    seen = Start(store=(await store_id(store)).id, after=await write(store, "shared/service/db") + 1)
    await begin(store)
    last = await write(store, "shared/service/web", "node/n1")
    assert last > seen.after
    assert [each.whole for each in await told(store, seen, last)] == [True]


async def test_a_large_whole_comes_in_pieces(store: MemoryStore) -> None:
    await store_id(store)
    names = [f"shared/service/{number:02}" for number in range(MANY)]
    last = await write(store, *names, value=b"x" * 100_000)
    records = await told(store, Start(), last)
    assert len(records) > 2
    assert [each.more for each in records] == [True] * (len(records) - 1) + [False]
    assert [one.key for each in records for one in each.changes] == [f"service/{n:02}" for n in range(MANY)]
    assert max(each.ByteSize() for each in records) < 2 * 1024 * 1024


async def test_a_stream_says_that_it_is_alive_while_much_changes_that_is_not_for_others(
    store: MemoryStore,
) -> None:
    async def change() -> None:
        for number in range(10_000):
            await write(store, "status/n1/c", value=b"%d" % number)
            await asyncio.sleep(0.001)

    seen = Start(store=(await store_id(store)).id, after=await write(store, "node/n1"))
    changing = asyncio.ensure_future(change())
    alive: list[FollowResponse] = []
    try:
        async with asyncio.timeout(10):
            async for response in publish(store, "dc1", seen, primary=True):
                alive += [response] if response.HasField("alive") else []
                if len(alive) == 3:
                    break
    finally:
        changing.cancel()
    assert alive[-1].alive.revision > alive[0].alive.revision
