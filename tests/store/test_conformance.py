"""What every store promises; the contract is the docstrings of ``xdsmesh.store.base``."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import (
    Change,
    CompactedError,
    Conflict,
    Expect,
    Put,
    Record,
    Revision,
    Store,
    StoreClosedError,
    Txn,
)

API = Origin(Source.API, "127.0.0.1:40000")
FILE = Origin(Source.FILE, "mesh/web.hcl", 3, 7)


def put(key: str, value: bytes = b"v") -> Txn:
    return Txn(puts=(Put(key, value),))


def delete(*keys: str) -> Txn:
    return Txn(deletes=keys)


async def take(count: int, watch: AsyncIterator[Revision]) -> list[Revision]:
    async with asyncio.timeout(10):
        return [await anext(watch) for _ in range(count)]


async def test_an_empty_store_is_at_revision_0_and_the_first_commit_makes_revision_1(store: Store) -> None:
    assert await store.list("") == (0, ())
    assert await store.commit(put("a"), API) == 1
    assert await store.commit(put("b"), API) == 2


async def test_a_record_keeps_its_creation_and_tells_its_last_change(store: Store) -> None:
    await store.commit(put("a", b"1"), API)
    await store.commit(put("b"), API)
    await store.commit(put("a", b"2"), FILE)

    assert await store.get("a") == Record("a", b"2", FILE, created=1, modified=3)
    assert await store.get("missing") is None


async def test_values_are_bytes_of_any_kind(store: Store) -> None:
    value = bytes(range(256)) * 1000
    await store.commit(Txn(puts=(Put("a", value), Put("empty", b""))), API)

    _, records = await store.list("")
    assert [record.value for record in records] == [value, b""]


async def test_a_put_without_an_origin_takes_the_commits_own(store: Store) -> None:
    await store.commit(Txn(puts=(Put("mine", b"", FILE), Put("theirs", b""))), API)

    _, records = await store.list("")
    assert {record.key: record.origin for record in records} == {"mine": FILE, "theirs": API}
    (revision,) = await take(1, store.watch("", 0))
    assert revision.origin == API


async def test_a_listing_has_the_records_under_the_prefix_sorted_by_key(store: Store) -> None:
    for key in ("b/2", "b/10", "a", "b", "c/1", "bä", "b/1"):
        await store.commit(put(key), API)

    revision, records = await store.list("b/")
    assert revision == 7
    assert [record.key for record in records] == ["b/1", "b/10", "b/2"]
    assert [record.key for record in (await store.list(""))[1]] == [
        "a",
        "b",
        "b/1",
        "b/10",
        "b/2",
        "bä",
        "c/1",
    ]


async def test_a_deleted_key_is_gone_and_begins_anew_when_put_again(store: Store) -> None:
    await store.commit(put("a"), API)
    assert await store.commit(delete("a"), API) == 2
    assert await store.get("a") is None
    assert await store.list("") == (2, ())

    await store.commit(put("a"), API)
    assert await store.get("a") == Record("a", b"v", API, created=3, modified=3)


async def test_an_expected_revision_lets_a_commit_pass_only_while_it_holds(store: Store) -> None:
    await store.commit(put("a", b"1"), API)
    replace = Txn(puts=(Put("a", b"2"), Put("b", b"")), expects=(Expect("a", 1),))

    assert await store.commit(replace, API) == 2
    assert await store.commit(replace, API) == Conflict("a", expected=1, actual=2)
    assert await store.commit(Txn(deletes=("b",), expects=(Expect("a", 1),)), API) == Conflict("a", 1, 2)
    assert await store.get("b") is not None


async def test_expecting_0_means_absent(store: Store) -> None:
    create = Txn(puts=(Put("a", b"1"),), expects=(Expect("a", 0),))
    assert await store.commit(create, API) == 1
    assert await store.commit(create, API) == Conflict("a", expected=0, actual=1)
    await store.commit(delete("a"), API)
    assert await store.commit(create, API) == 3


async def test_the_first_failed_expectation_is_told_and_nothing_happens(store: Store) -> None:
    await store.commit(put("a"), API)
    doubtful = Txn(puts=(Put("c", b""),), expects=(Expect("a", 1), Expect("b", 7), Expect("a", 9)))

    assert await store.commit(doubtful, API) == Conflict("b", expected=7, actual=0)
    assert await store.list("c") == (1, ())


async def test_a_commit_that_changes_nothing_makes_no_revision(store: Store) -> None:
    await store.commit(put("a"), API)

    assert await store.commit(put("a"), API) == 1
    assert await store.commit(delete("missing"), API) == 1
    assert await store.commit(Txn(expects=(Expect("a", 1),)), API) == 1
    assert await store.commit(Txn(), FILE) == 1


async def test_what_is_equal_in_a_commit_stays_untouched_by_the_rest(store: Store) -> None:
    await store.commit(Txn(puts=(Put("a", b"1"), Put("b", b"1"))), API)
    await store.commit(Txn(puts=(Put("a", b"1"), Put("b", b"2"))), API)

    (_, revision) = await take(2, store.watch("", 0))
    assert [change.key for change in revision.changes] == ["b"]
    assert await store.get("a") == Record("a", b"1", API, created=1, modified=1)


async def test_another_origin_of_the_same_bytes_is_a_change(store: Store) -> None:
    await store.commit(put("a"), API)
    assert await store.commit(put("a"), FILE) == 2
    assert await store.get("a") == Record("a", b"v", FILE, created=1, modified=2)


@pytest.mark.parametrize(
    "txn",
    [
        Txn(puts=(Put("a", b"1"), Put("a", b"2"))),
        Txn(puts=(Put("a", b"1"),), deletes=("a",)),
        Txn(deletes=("a", "a")),
        Txn(puts=(Put("\udcff", b"no Unicode"),)),
    ],
)
async def test_a_transaction_that_makes_no_sense_is_an_error(store: Store, txn: Txn) -> None:
    with pytest.raises(ValueError, match=r"a key occurs twice|surrogates not allowed"):
        await store.commit(txn, API)
    assert await store.commit(put("a"), API) == 1


async def test_a_watch_tells_the_past_and_then_what_happens(store: Store) -> None:
    await store.commit(put("a", b"1"), API)
    await store.commit(put("a", b"2"), FILE)
    watch = store.watch("", 1)
    assert await take(1, watch) == [
        Revision(2, FILE, (Change("a", Record("a", b"2", FILE, created=1, modified=2)),))
    ]

    waiting = asyncio.ensure_future(take(1, watch))
    await store.commit(delete("a"), API)
    assert await waiting == [Revision(3, API, (Change("a", None),))]


async def test_a_watch_tells_a_revision_whole_with_its_changes_sorted_by_key(store: Store) -> None:
    await store.commit(put("b"), API)
    await store.commit(Txn(puts=(Put("c", b""), Put("a", b"")), deletes=("b",)), API)

    (revision,) = await take(1, store.watch("", 1))
    assert [(change.key, change.record is None) for change in revision.changes] == [
        ("a", False),
        ("b", True),
        ("c", False),
    ]


async def test_a_watch_tells_only_what_is_under_its_prefix(store: Store) -> None:
    watch = store.watch("config/", 0)
    await store.commit(put("instance/1"), API)
    await store.commit(Txn(puts=(Put("config/web", b""), Put("instance/2", b""))), API)
    await store.commit(put("instance/3"), API)
    await store.commit(put("config/admin"), API)

    seen = await take(2, watch)
    assert [(revision.number, *(change.key for change in revision.changes)) for revision in seen] == [
        (2, "config/web"),
        (4, "config/admin"),
    ]


async def test_a_watch_after_a_revision_to_come_waits_for_the_one_after_it(store: Store) -> None:
    watch = store.watch("", 2)
    for key in ("a", "b", "c"):
        await store.commit(put(key), API)
    assert [revision.number for revision in await take(1, watch)] == [3]


async def test_watchers_see_every_revision_in_order_while_many_commit(store: Store) -> None:
    watchers = [asyncio.ensure_future(take(40, store.watch("", 0))) for _ in range(5)]
    numbers = await asyncio.gather(
        *(store.commit(put(f"k/{index % 7}", b"%d" % index), API) for index in range(40))
    )

    assert sorted(n for n in numbers if isinstance(n, int)) == list(range(1, 41))
    told = await asyncio.gather(*watchers)
    assert [revision.number for revision in told[0]] == list(range(1, 41))
    assert all(other == told[0] for other in told)


async def test_concurrent_commits_each_get_their_own_result(store: Store) -> None:
    async def append(item: int) -> int:
        while True:
            record = await store.get("list")
            value, modified = (record.value, record.modified) if record else (b"", 0)
            txn = Txn(puts=(Put("list", value + b"%d," % item),), expects=(Expect("list", modified),))
            if isinstance(number := await store.commit(txn, API), int):
                return number

    async with asyncio.timeout(20):
        numbers = await asyncio.gather(*(append(item) for item in range(30)))

    record = await store.get("list")
    assert record is not None
    assert sorted(record.value.split(b",")[:-1], key=int) == [b"%d" % item for item in range(30)]
    assert sorted(numbers) == list(range(1, 31))


async def test_a_commit_is_readable_once_it_is_acknowledged(store: Store) -> None:
    async def write_and_read(key: str) -> int:
        number = await store.commit(put(key), API)
        record = await store.get(key)
        assert record
        assert record.modified == number
        return record.modified

    numbers = await asyncio.gather(*(write_and_read(f"k/{index}") for index in range(30)))
    assert len(set(numbers)) == 30


async def test_a_watch_from_before_the_kept_revisions_is_compacted(store: Store) -> None:
    for index in range(60):  # the fixture keeps 50
        await store.commit(put("a", b"%d" % index), API)

    with pytest.raises(CompactedError) as error:
        await take(1, store.watch("", 9))
    assert (error.value.after, error.value.oldest) == (9, 11)
    assert [revision.number for revision in await take(50, store.watch("", 10))] == list(range(11, 61))


async def test_a_watcher_that_falls_too_far_behind_is_told_instead_of_missing_something(store: Store) -> None:
    watch = store.watch("", 0)
    await store.commit(put("a", b"first"), API)
    await take(1, watch)
    for index in range(60):
        await store.commit(put("a", b"%d" % index), API)

    with pytest.raises(CompactedError):
        await take(1, watch)


async def test_a_cancelled_watcher_disturbs_nobody(store: Store) -> None:
    stays = asyncio.ensure_future(take(2, store.watch("", 0)))
    leaves = asyncio.ensure_future(take(2, store.watch("", 0)))
    await store.commit(put("a"), API)
    leaves.cancel()
    await store.commit(put("b"), API)

    assert [revision.number for revision in await stays] == [1, 2]
    with pytest.raises(asyncio.CancelledError):
        await leaves


async def test_a_cancelled_commit_takes_no_other_with_it(store: Store) -> None:
    commits = [asyncio.ensure_future(store.commit(put(f"k/{index}"), API)) for index in range(10)]
    await asyncio.sleep(0)  # they have begun
    commits[3].cancel()

    results = await asyncio.gather(*commits, return_exceptions=True)
    numbers = [number for number in results if isinstance(number, int)]
    assert len(numbers) >= 9
    assert all(later > earlier for earlier, later in pairwise(numbers))


async def test_what_a_key_held_can_be_erased_and_what_it_holds_stays(store: Store) -> None:
    await store.commit(Txn(puts=(Put("a", b"old"), Put("b", b"other"))), FILE)
    await store.commit(put("a", b"older"), API)
    await store.commit(put("a", b"new"), API)
    await store.commit(put("gone", b"old"), API)
    await store.commit(delete("gone"), API)
    before = await store.list("")

    await store.erase("a")
    await store.erase("gone")
    await store.erase("missing")
    assert await store.list("") == before
    seen = await take(5, store.watch("", 0))
    held = [(c.key, c.record.value if c.record else None) for revision in seen for c in revision.changes]
    assert held == [("a", b""), ("b", b"other"), ("a", b""), ("a", b"new"), ("gone", b""), ("gone", None)]
    assert await store.commit(put("d"), API) == 6


async def test_closing_finishes_the_commits_under_way_and_ends_watches(store: Store) -> None:
    watch = asyncio.ensure_future(anext(store.watch("", 10), None))
    commits = [asyncio.ensure_future(store.commit(put(f"k/{index}"), API)) for index in range(10)]
    await asyncio.sleep(0)  # they have begun
    await store.close()

    assert await asyncio.gather(*commits) == list(range(1, 11))
    async with asyncio.timeout(10):
        assert await watch is None
    with pytest.raises(StoreClosedError):
        await store.commit(put("late"), API)
    with pytest.raises(StoreClosedError):
        await store.get("a")


async def test_what_is_stored_does_not_show_in_logs(store: Store) -> None:
    secret = Put("ca/root", b"PRIVATE KEY")
    await store.commit(Txn(puts=(secret,)), API)
    (revision,) = await take(1, store.watch("", 0))
    assert "PRIVATE" not in repr((secret, revision, await store.get("ca/root")))
