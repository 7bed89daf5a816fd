"""A wait ends when the streams say so, not because somebody asks again and again."""

import asyncio
from datetime import UTC, datetime

import pytest

from xdsmesh.model.resource import Resources
from xdsmesh.status import Registry, State, StreamRecord
from xdsmesh.status.waiting import Waiting

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
PATIENCE = 10.0
REVISION = 5


class Progress:
    """What a test says of a proxy."""

    def __init__(self) -> None:
        self.reached = -1
        self.is_settled = False

    def revision(self) -> int:
        return self.reached

    def settled(self) -> bool:
        return self.is_settled

    def states(self, type_url: str, resources: Resources) -> dict[str, State]:
        del type_url
        return dict.fromkeys(resources, State.STALE)

    def wants(self, type_url: str, name: str) -> bool:
        del type_url, name
        return False


class Proxy:
    """A connected stream that a test moves."""

    def __init__(self, registry: Registry, name: str) -> None:
        self._registry = registry
        self._progress = Progress()
        self.stream = StreamRecord(name, "web", "1.40.0", "127.0.0.1:4", "delta", NOON, self._progress)
        registry.connect(self.stream)

    def reach(self, revision: int) -> None:
        self._progress.reached = revision
        self.stream.moved()

    def reject(self) -> None:
        self._progress.is_settled = True
        self.stream.moved()

    def get_more(self) -> None:
        self._progress.is_settled = False
        self.stream.moved()

    def leave(self) -> None:
        self._registry.disconnect(self.stream)


@pytest.fixture
def registry() -> Registry:
    return Registry()


def start(*proxies: Proxy) -> Waiting:
    return Waiting([each.stream for each in proxies], REVISION, asyncio.get_running_loop().time())


async def over(waiting: Waiting, patience: float = PATIENCE) -> bool:
    """Whether it ends before its time is over."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    await waiting.until(deadline)
    return loop.time() < deadline


async def test_it_ends_with_the_last_acknowledgement(registry: Registry) -> None:
    one, other = Proxy(registry, "one"), Proxy(registry, "other")
    waiting = start(one, other)
    one.reach(REVISION)
    other.reach(REVISION - 1)
    assert [each.proxy for each in waiting.lagging] == ["other"]
    asyncio.get_running_loop().call_soon(other.reach, REVISION + 1)
    assert await over(waiting)
    assert waiting.lagging == []
    assert waiting.seconds.keys() == {"one", "other"}


async def test_nobody_to_wait_for_is_no_wait() -> None:
    assert await over(start())


async def test_who_has_acknowledged_it_already_is_not_waited_for(registry: Registry) -> None:
    proxy = Proxy(registry, "one")
    proxy.reach(REVISION)
    waiting = start(proxy)
    assert await over(waiting)
    assert list(waiting.seconds) == ["one"]


async def test_a_silent_proxy_is_waited_for_until_it_is_time(registry: Registry) -> None:
    proxy = Proxy(registry, "one")
    waiting = start(proxy)
    assert not await over(waiting, 0.01)
    assert waiting.lagging == [proxy.stream]
    assert waiting.seconds == {}


async def test_what_is_rejected_will_not_be_acknowledged(registry: Registry) -> None:
    one, other = Proxy(registry, "one"), Proxy(registry, "other")
    waiting = start(one, other)
    one.reject()
    asyncio.get_running_loop().call_soon(other.reach, REVISION)
    assert await over(waiting)
    assert waiting.lagging == [one.stream]


async def test_a_proxy_that_rejected_and_is_sent_something_else_is_waited_for(registry: Registry) -> None:
    one, other = Proxy(registry, "one"), Proxy(registry, "other")
    waiting = start(one, other)
    one.reject()
    one.get_more()
    other.reach(REVISION)
    assert not await over(waiting, 0.01)
    one.reach(REVISION)
    assert await over(waiting)


async def test_who_leaves_is_not_waited_for(registry: Registry) -> None:
    one, other = Proxy(registry, "one"), Proxy(registry, "other")
    waiting = start(one, other)
    one.reach(REVISION)
    asyncio.get_running_loop().call_soon(other.leave)
    assert await over(waiting)
    assert (waiting.lagging, waiting.gone, list(waiting.seconds)) == ([], {"other"}, ["one"])


async def test_a_proxy_has_acknowledged_it_when_all_of_its_streams_have(registry: Registry) -> None:
    first, second = Proxy(registry, "one"), Proxy(registry, "one")
    waiting = start(first, second)
    first.reach(REVISION)
    assert waiting.seconds == {}
    second.reach(REVISION)
    assert list(waiting.seconds) == ["one"]


async def test_it_can_be_ended_and_watches_nothing_when_it_is_closed(registry: Registry) -> None:
    proxy = Proxy(registry, "one")
    waiting = start(proxy)
    waiting.end()
    assert await over(waiting)
    waiting.close()
    proxy.reach(REVISION)
    assert waiting.lagging == [proxy.stream]
