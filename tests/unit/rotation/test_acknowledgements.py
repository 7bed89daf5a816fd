"""Who is waited for: by what streams say, and by who is missing after a restart."""

import asyncio
from datetime import UTC, datetime

from xdsmesh.model.resource import SECRET, EncodedResource, Resources
from xdsmesh.rotation.acknowledgements import Acknowledgements
from xdsmesh.status import Registry, State, StreamRecord

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
ROOTS = EncodedResource(SECRET, "roots", "2", b"")


class Proxy:
    """A stream of which a test says what it holds."""

    def __init__(self, name: str, *, asks: bool = True) -> None:
        self.asks = asks
        self.version = "1"
        self.is_settled = False
        self.record = StreamRecord(name, name, "1.40.0", "127.0.0.1:1", "delta", NOON, self)
        self.record.requested(SECRET)

    def revision(self) -> int:
        return -1

    def settled(self) -> bool:
        return self.is_settled

    def wants(self, type_url: str, name: str) -> bool:
        return self.asks and (type_url, name) == (SECRET, "roots")

    def states(self, type_url: str, resources: Resources) -> dict[str, State]:
        assert type_url == SECRET
        same = {name: it.version == self.version for name, it in resources.items()}
        return {name: State.SYNCED if it else State.STALE for name, it in same.items()}

    def hold(self, version: str) -> None:
        self.version = version
        self.record.moved()


async def loaded() -> None:
    """Nothing is to be loaded."""


def waiting_for(registry: Registry, *proxies: str) -> Acknowledgements:
    return Acknowledgements(registry, lambda: proxies, loaded)


async def started(acknowledgements: Acknowledgements) -> asyncio.Task[None]:
    waiting = asyncio.create_task(acknowledgements.until_all("roots", lambda _: ROOTS, lambda: True))
    await asyncio.sleep(0)
    return waiting


async def test_it_is_over_when_all_hold_just_this_version() -> None:
    registry, web, db = Registry(), Proxy("web"), Proxy("db")
    registry.connect(web.record)
    registry.connect(db.record)
    acknowledgements = waiting_for(registry)
    waiting = await started(acknowledgements)
    web.hold("2")
    db.hold("another")
    await asyncio.sleep(0)
    assert [each.proxy for each in acknowledgements.waiting()] == ["db"]
    db.hold("2")
    await asyncio.wait_for(waiting, 5)
    assert acknowledgements.waiting() == []


async def test_who_comes_late_or_falls_back_is_waited_for() -> None:
    registry, web, late = Registry(), Proxy("web"), Proxy("late")
    registry.connect(web.record)
    acknowledgements = waiting_for(registry)
    waiting = await started(acknowledgements)
    registry.connect(late.record)
    late.record.moved()
    web.hold("2")
    web.hold("1")
    await asyncio.sleep(0)
    assert [each.proxy for each in acknowledgements.waiting()] == ["late", "web"]
    registry.disconnect(web.record)
    late.hold("2")
    await asyncio.wait_for(waiting, 5)


async def test_who_does_not_ask_counts_until_it_has_answered_everything() -> None:
    registry, web = Registry(), Proxy("web", asks=False)
    registry.connect(web.record)
    acknowledgements = waiting_for(registry)
    waiting = await started(acknowledgements)
    assert [each.why for each in acknowledgements.waiting()] == ["has not been sent all of it yet"]
    web.is_settled = True
    web.record.moved()
    await asyncio.wait_for(waiting, 5)


async def test_after_a_restart_those_of_before_have_a_while_to_come_back() -> None:
    registry, proxies = Registry(), ["db", "web"]
    acknowledgements = Acknowledgements(registry, lambda: proxies, loaded)
    await acknowledgements.open()
    proxies.append("new")
    waiting = await started(acknowledgements)
    assert [each.proxy for each in acknowledgements.waiting()] == ["db", "web"]
    assert acknowledgements.waiting()[0].why == "has not come back since the server was started"
    assert acknowledgements.unconnected() == ["db", "new", "web"]
    web = Proxy("web")
    registry.connect(web.record)
    web.hold("2")
    await asyncio.sleep(0)
    assert [each.proxy for each in acknowledgements.waiting()] == ["db"]
    proxies.remove("db")
    web.record.moved()
    await asyncio.wait_for(waiting, 5)


async def test_who_does_not_come_back_in_time_is_not_waited_for() -> None:
    acknowledgements = waiting_for(Registry(), "web")
    acknowledgements.return_seconds = 0.01
    await acknowledgements.open()
    await asyncio.wait_for(acknowledgements.until_all("roots", lambda _: ROOTS, lambda: True), 5)
    assert acknowledgements.unconnected() == ["web"]


async def test_what_is_not_wanted_any_more_ends() -> None:
    registry, web = Registry(), Proxy("web")
    registry.connect(web.record)
    acknowledgements, wanted = waiting_for(registry), [True]
    waiting = asyncio.create_task(acknowledgements.until_all("roots", lambda _: ROOTS, lambda: bool(wanted)))
    await asyncio.sleep(0)
    wanted.clear()
    acknowledgements.look_again()
    await asyncio.wait_for(waiting, 5)


async def test_who_leaves_has_a_while_to_come_back() -> None:
    registry, web = Registry(), Proxy("web")
    registry.connect(web.record)
    acknowledgements = waiting_for(registry, "web", "db")
    await acknowledgements.open()
    acknowledgements.return_seconds = 60
    registry.disconnect(web.record)
    waiting = await started(acknowledgements)
    db, back = Proxy("db"), Proxy("web")
    registry.connect(db.record)
    db.hold("2")
    await asyncio.sleep(0)
    assert [(each.proxy, each.why) for each in acknowledgements.waiting()] == [
        ("web", "has just disconnected")
    ]
    registry.connect(back.record)
    back.hold("2")
    await asyncio.wait_for(waiting, 5)
