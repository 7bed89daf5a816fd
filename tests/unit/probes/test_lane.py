"""Work for keys, so much at a time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from xdsmesh.probes.lane import Lane

PATIENCE = 10


class Works:
    """Work that begins, and lasts until it is let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.now: Counter[str] = Counter()
        self._moved = asyncio.Event()

    async def __call__(self, key: str) -> None:
        self.begun.append(key)
        self.now[key] += 1
        assert self.now[key] == 1, "twice at a time"
        self._moved.set()
        gate = self.gates[key] = asyncio.Event()
        try:
            await gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append(key)
            raise
        finally:
            self.now[key] -= 1
        if key == "bad":
            raise RuntimeError("no good")

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._moved.clear()
                await self._moved.wait()

    async def until_begun(self, *keys: str) -> None:
        await self.until(lambda: self.begun == list(keys))


@pytest.fixture
def works() -> Works:
    return Works()


@pytest.fixture
async def lane(works: Works) -> AsyncIterator[Lane]:
    lane = Lane(2, works)
    running = asyncio.create_task(lane.run())
    yield lane
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert not +works.now


async def test_no_more_is_done_at_a_time_than_is_allowed(lane: Lane, works: Works) -> None:
    for key in ("a", "b", "c", "d"):
        lane.want(key)
    await works.until_begun("a", "b")

    works.gates["b"].set()
    await works.until_begun("a", "b", "c")
    works.gates["a"].set()
    await works.until_begun("a", "b", "c", "d")


async def test_what_is_wanted_again_while_it_is_done_is_done_once_more(lane: Lane, works: Works) -> None:
    lane.want("a")
    await works.until_begun("a")
    lane.want("a")
    lane.want("a")
    lane.want("b")
    await works.until_begun("a", "b")

    works.gates["a"].set()
    await works.until_begun("a", "b", "a")
    works.gates["a"].set()
    works.gates["b"].set()
    lane.want("c")
    await works.until_begun("a", "b", "a", "c")


async def test_what_is_dropped_stops_and_does_not_begin(lane: Lane, works: Works) -> None:
    for key in ("a", "b", "c", "d"):
        lane.want(key)
    await works.until_begun("a", "b")
    lane.drop("a")
    lane.drop("c")

    await works.until_begun("a", "b", "d")
    assert works.cancelled == ["a"]


async def test_work_that_fails_is_logged_and_the_rest_goes_on(lane: Lane, works: Works) -> None:
    lane.want("bad")
    await works.until_begun("bad")
    with capture_logs() as logs:
        works.gates["bad"].set()
        lane.want("a")
        lane.want("b")
        await works.until_begun("bad", "a", "b")

    assert [(log["check"], log["log_level"]) for log in logs] == [("bad", "error")]


async def test_what_takes_long_holds_nobody_up_as_far_as_there_is_room(works: Works) -> None:
    lane = Lane(1, works, patience=0)
    running = asyncio.create_task(lane.run())
    for number in range(9):
        lane.want(str(number))
    await works.until_begun("0", "1", "2", "3", "4")  # four linger, and one has the place

    lane.drop("1")
    works.gates["4"].set()
    await works.until(lambda: len(works.begun) == 7)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert not +works.now
