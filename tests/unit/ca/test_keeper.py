"""Leaves for whom is held, renewed in time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from structlog.testing import capture_logs

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.keeper import LeafKeeper, change_window
from xdsmesh.ca.sealing import Sealer
from xdsmesh.model.facts import Fact
from xdsmesh.model.trust import Leaf
from xdsmesh.store.memory import MemoryStore

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEB = "spiffe://mesh.example.com/ns/default/dc/dc1/svc/web"
ADMIN = "spiffe://mesh.example.com/ns/default/dc/dc1/svc/admin"
FOREIGN = "spiffe://other.example.com/ns/default/dc/dc1/svc/web"


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Published:
    """The facts so far, in order."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self._grown = asyncio.Event()

    def __call__(self, fact: Fact) -> None:
        self.facts.append(fact)
        self._grown.set()

    def leaves(self, proxy_id: str) -> list[Leaf]:
        values = [fact.value for fact in self.facts if fact.key == ("leaf", proxy_id)]
        return [value for value in values if isinstance(value, Leaf)]

    def has_more(self, proxy_id: str, count: int) -> bool:
        return len(self.leaves(proxy_id)) > count

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await self._grown.wait()
                self._grown.clear()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def published() -> Published:
    return Published()


class Picker:
    """Draws the middle, and remembers between what it was to draw."""

    def __init__(self) -> None:
        self.ranges: list[tuple[float, float]] = []

    def __call__(self, low: float, high: float) -> float:
        self.ranges.append((low, high))
        return (low + high) / 2


@pytest.fixture
def pick() -> Picker:
    return Picker()


@pytest.fixture
async def keeper(clock: Clock, published: Published, pick: Picker) -> AsyncIterator[LeafKeeper]:
    issuer = await Issuer.open(MemoryStore(), "mesh.example.com", clock, Sealer.in_memory())
    keeper = LeafKeeper(issuer, published, clock, pick)
    running = asyncio.create_task(keeper.run())
    yield keeper
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def settle(keeper: LeafKeeper, published: Published) -> None:
    """Make the keeper look at its clock, and wait until it has done all that is due.

    What is due is done in the round of the first bystander, in any order; the second begins the next round.
    """
    for bystander in ("first", "second"):
        count = len(published.leaves(bystander))
        keeper.hold(bystander, ADMIN)
        await published.until(partial(published.has_more, bystander, count))
        keeper.release(bystander)


async def test_a_held_proxy_gets_a_leaf_of_its_own(keeper: LeafKeeper, published: Published) -> None:
    keeper.hold("web-1", WEB)
    keeper.hold("web-2", WEB)
    await settle(keeper, published)

    (one,), (two,) = published.leaves("web-1"), published.leaves("web-2")
    assert (one.spiffe_id, two.spiffe_id) == (WEB, WEB)
    assert one.key_pem != two.key_pem


async def test_two_streams_of_a_proxy_share_its_leaf_until_both_are_gone(
    keeper: LeafKeeper, published: Published, clock: Clock
) -> None:
    keeper.hold("web-1", WEB)
    keeper.hold("web-1", WEB)
    await settle(keeper, published)
    keeper.release("web-1")
    assert [fact.value is None for fact in published.facts if fact.key == ("leaf", "web-1")] == [False]

    keeper.release("web-1")
    clock.now += 100 * HOUR
    await settle(keeper, published)
    assert [fact.value is None for fact in published.facts if fact.key == ("leaf", "web-1")] == [False, True]


async def test_a_proxy_that_is_released_at_once_gets_no_leaf(
    keeper: LeafKeeper, published: Published
) -> None:
    keeper.hold("web-1", WEB)
    keeper.release("web-1")
    await settle(keeper, published)
    assert not published.leaves("web-1")


async def test_releasing_what_nobody_holds_is_an_error(keeper: LeafKeeper) -> None:
    with pytest.raises(KeyError):
        keeper.release("web-1")


async def test_a_proxy_that_becomes_another_service_loses_its_leaf_and_gets_a_new_one(
    keeper: LeafKeeper, published: Published
) -> None:
    keeper.hold("web-1", WEB)
    await settle(keeper, published)
    keeper.hold("web-1", ADMIN)
    keeper.release("web-1")
    await settle(keeper, published)

    values = [fact.value for fact in published.facts if fact.key == ("leaf", "web-1")]
    assert [value.spiffe_id if isinstance(value, Leaf) else value for value in values] == [WEB, None, ADMIN]


async def test_a_leaf_is_renewed_at_a_moment_drawn_between_60_and_90_percent_of_its_life(
    keeper: LeafKeeper, published: Published, clock: Clock, pick: Picker
) -> None:
    keeper.hold("web-1", WEB)
    await settle(keeper, published)
    assert set(pick.ranges) == {(0.6, 0.9)}

    clock.now = START + 53.9 * HOUR  # the picker draws 75 % of 72 hours
    await settle(keeper, published)
    assert len(published.leaves("web-1")) == 1

    clock.now = START + 54 * HOUR
    await settle(keeper, published)
    first, second = published.leaves("web-1")
    assert second.not_after - first.not_after == 54 * HOUR
    assert second.key_pem != first.key_pem

    clock.now = START + 108 * HOUR
    await settle(keeper, published)
    assert len(published.leaves("web-1")) == 3


async def test_renewal_comes_by_itself_before_the_leaf_expires(published: Published) -> None:
    def clock() -> datetime:
        return datetime.now(UTC)

    issuer = await Issuer.open(
        MemoryStore(), "mesh.example.com", clock, Sealer.in_memory(), timedelta(seconds=3)
    )
    keeper = LeafKeeper(issuer, published, clock, lambda low, _: low)
    running = asyncio.create_task(keeper.run())
    keeper.hold("web-1", WEB)
    await published.until(lambda: len(published.leaves("web-1")) == 2)

    assert clock() < published.leaves("web-1")[0].not_after
    running.cancel()


async def test_what_cannot_be_issued_is_logged_and_tried_again_ever_less_often(
    keeper: LeafKeeper, published: Published, clock: Clock
) -> None:
    with capture_logs() as logs:
        keeper.hold("foreign", FOREIGN)
        keeper.hold("web-1", WEB)
        await settle(keeper, published)
        for _ in range(20):
            clock.now += timedelta(seconds=1)
            await settle(keeper, published)

    told = [log for log in logs if log["proxy"] == "foreign"]
    assert {log["log_level"] for log in told} == {"warning"}
    assert "is not in the trust domain mesh.example.com" in told[0]["error"]
    assert [log["seconds"] for log in told[:4]] == [0.8, 1.5, 3.0, 6.0]
    assert len(told) < 7
    assert len(published.leaves("web-1")) == 1

    keeper.hold("foreign", WEB)  # registered anew, as it should be
    await settle(keeper, published)
    assert [leaf.spiffe_id for leaf in published.leaves("foreign")] == [WEB]


async def test_no_key_is_logged(keeper: LeafKeeper, published: Published) -> None:
    with capture_logs() as logs:
        keeper.hold("web-1", WEB)
        keeper.hold("foreign", FOREIGN)
        await settle(keeper, published)
    assert logs
    assert "PRIVATE" not in repr((logs, published.facts, keeper))


async def test_a_thousand_at_once_are_served_without_holding_up_the_event_loop(
    keeper: LeafKeeper, published: Published
) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    for number in range(1000):
        keeper.hold(f"web-{number}", WEB)
    await published.until(lambda: len(published.facts) == 1000)
    beside.cancel()

    assert {fact.key for fact in published.facts} == {("leaf", f"web-{number}") for number in range(1000)}
    assert turns >= 100


async def test_leaves_of_another_intermediate_are_made_anew_soon_and_once(
    clock: Clock, published: Published, pick: Picker
) -> None:
    issuer = await Issuer.open(MemoryStore(), "mesh.example.com", clock, Sealer.in_memory())
    keeper = LeafKeeper(issuer, published, clock, pick)
    issuer.listen(keeper.renew_soon)
    running = asyncio.create_task(keeper.run())
    for proxy in ("web-1", "web-2"):
        keeper.hold(proxy, WEB)
    await settle(keeper, published)
    before = keeper.leaf("web-1")
    assert before == published.leaves("web-1")[-1]
    assert keeper.leaf("nobody") is None

    await issuer.renew()
    assert keeper.leaf("web-1") is None, "its leaf is not of the intermediate that signs now"
    clock.now += change_window(2)
    await settle(keeper, published)
    after = keeper.leaf("web-1")
    assert after not in (None, before)
    keeper.renew_soon()
    clock.now += HOUR
    await settle(keeper, published)
    assert [len(published.leaves(proxy)) for proxy in ("web-1", "web-2")] == [2, 2]
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def test_many_leaves_are_spread_over_half_a_minute_and_few_over_moments() -> None:
    assert change_window(3) < timedelta(seconds=0.1)
    assert change_window(1_000_000) == timedelta(seconds=30)
