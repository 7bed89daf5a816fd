"""Which results of probes say something about their targets."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from ipaddress import ip_address
from typing import Any

import pytest

from xdsmesh.model.checks import CheckStatus, CheckType, Health, Probe
from xdsmesh.probes.routes import Address, obstacle
from xdsmesh.probes.way import NoWayError, StoodStillError, Way

UP = CheckStatus(Health.PASSING, "up")
DOWN = CheckStatus(Health.CRITICAL, "down")
PATIENCE = 20

Ask = Callable[[], Coroutine[Any, Any, CheckStatus]]


class World:
    """A clock that is set by hand, and addresses that there is no way to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.cut: set[str] = set()

    def way(self, target: str = "10.0.0.1:80", kind: CheckType = CheckType.TCP) -> Way:
        return Way(kind, Probe(target), lambda: self.now, self.obstacle)

    def obstacle(self, address: Address) -> str:
        return "Network is unreachable" if str(address) in self.cut else ""


@pytest.fixture
def world() -> World:
    return World()


def says(result: CheckStatus, meanwhile: Callable[[], object] = lambda: None) -> Ask:
    """A probe with this result; something happens while it is under way."""

    async def probe() -> CheckStatus:
        meanwhile()
        return result

    return probe


@pytest.mark.parametrize(
    ("kind", "target", "host"),
    [
        (CheckType.TCP, "10.0.0.1:80", "10.0.0.1"),
        (CheckType.UDP, "[2001:db8::1]:80", "2001:db8::1"),
        (CheckType.GRPC, "10.0.0.1:80/shop.Health", "10.0.0.1"),
        (CheckType.H2PING, "10.0.0.1:80", "10.0.0.1"),
        (CheckType.HTTP, "https://me:secret@10.0.0.1:80/health?deep", "10.0.0.1"),
        (CheckType.HTTP, "http://[2001:db8::1]/", "2001:db8::1"),
    ],
)
async def test_what_can_not_leave_this_machine_is_not_sent(
    world: World, kind: CheckType, target: str, host: str
) -> None:
    sent: list[str] = []
    world.cut.add(host)

    with pytest.raises(NoWayError) as refused:
        await world.way(target, kind).result(says(UP, lambda: sent.append(target)))
    assert str(refused.value) == f"this machine has no way to {host} (Network is unreachable)"
    assert not sent


async def test_targets_without_a_host_are_left_to_the_probe(world: World) -> None:
    for kind, target in ((CheckType.HTTP, "127.0.0.1/health"), (CheckType.HTTP, "://"), (CheckType.TCP, "x")):
        assert await world.way(target, kind).result(says(DOWN)) == DOWN


async def test_a_probe_under_way_is_given_up_when_the_way_is_lost(world: World) -> None:
    ended = asyncio.Event()

    async def probe() -> CheckStatus:
        world.cut.add("10.0.0.1")
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return UP

    async with asyncio.timeout(PATIENCE):
        with pytest.raises(NoWayError):
            await world.way().result(probe)
    assert ended.is_set()


async def test_what_a_probe_says_as_the_way_is_lost_does_not_count(world: World) -> None:
    with pytest.raises(NoWayError):  # the silence of a UDP check, for one, would be a pass
        await world.way().result(says(UP, lambda: world.cut.add("10.0.0.1")))


async def test_a_failure_right_after_a_cut_does_not_count_but_a_pass_does(world: World) -> None:
    way = world.way()
    world.cut.add("10.0.0.1")
    with pytest.raises(NoWayError):
        await way.result(says(UP))
    world.cut.clear()

    world.now += 1
    with pytest.raises(NoWayError, match="this machine has no way"):
        await way.result(says(DOWN))
    assert await way.result(says(UP)) == UP
    world.now += 1
    assert await way.result(says(DOWN)) == DOWN


async def test_a_failure_while_this_process_stood_still_does_not_count_but_a_pass_does(world: World) -> None:
    def stand_still() -> None:
        world.now += 5

    with pytest.raises(StoodStillError):
        await world.way().result(says(DOWN, stand_still))
    assert await world.way().result(says(UP, stand_still)) == UP


async def test_a_failure_counts_if_this_process_ran_most_of_the_time(world: World) -> None:
    def stumble() -> None:
        world.now += 0.4

    assert await world.way().result(says(DOWN, stumble)) == DOWN


async def test_a_name_is_cut_off_when_all_its_addresses_are(world: World) -> None:
    way = world.way("localhost:80")
    world.cut |= {str(found[4][0]) for found in socket.getaddrinfo("localhost", None)}

    with pytest.raises(NoWayError, match="no way to localhost"):
        await way.result(says(UP))
    world.cut.pop()
    if world.cut:
        assert await way.result(says(UP)) == UP


async def test_a_name_that_is_not_found_now_has_the_addresses_that_it_had(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = world.way("web.example.com:80")
    loop = asyncio.get_running_loop()

    async def found(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 0))]

    async def not_found(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(loop, "getaddrinfo", found)
    assert await way.result(says(UP)) == UP
    monkeypatch.setattr(loop, "getaddrinfo", not_found)
    assert await way.result(says(DOWN)) == DOWN
    world.cut.add("10.0.0.7")
    with pytest.raises(NoWayError):
        await way.result(says(DOWN))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::"])
def test_this_machine_is_never_cut_off_from_itself(address: str) -> None:
    assert not obstacle(ip_address(address))
