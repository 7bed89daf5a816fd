"""The prober over real sockets, with a store that gives facts back."""

import asyncio
import random
import resource
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from xdsmesh.model.catalog import Check, CheckStatus, CheckType, Health, Probe
from xdsmesh.model.duration import Duration
from xdsmesh.model.facts import Batch, Fact
from xdsmesh.probes.prober import Limits, Prober

NODE = "n1"
PATIENCE = 20
HOUR = Duration.of(seconds=3600)
SOON = Duration.of(milliseconds=10)


class World:
    """A prober, and a store of checks for it: what it reports comes back as a fact."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        pick: Callable[[float, float], float] = random.uniform,
        **limits: Any,
    ) -> None:
        self.prober = Prober(NODE, self.report, clock, pick, Limits(**limits))
        self.checks: dict[str, Check] = {}
        self.reports: list[tuple[str, CheckStatus]] = []
        self.trouble: set[str] = set()
        self.refused: Counter[str] = Counter()
        self._running = asyncio.create_task(self.prober.run())

    async def report(self, check_id: str, status: CheckStatus) -> None:
        if check_id in self.trouble:
            self.refused[check_id] += 1
            raise OSError("the disk is full")
        self.reports.append((check_id, status))
        self.put(replace(self.checks[check_id], status=status.status, output=status.output))

    def put(self, *checks: Check) -> None:
        self.checks |= {check.id: check for check in checks}
        self.prober.take(Batch(1, tuple(Fact(("check", each.node, each.id), each) for each in checks)))

    def remove(self, check_id: str) -> None:
        self.prober.take(Batch(1, (Fact(("check", NODE, check_id), None),)))

    def write(self, check_id: str, status: Health, output: str = "") -> None:
        """Somebody else says what the status is."""
        self.put(replace(self.checks[check_id], status=status, output=output))

    def status(self, check_id: str) -> CheckStatus:
        check = self.checks[check_id]
        return CheckStatus(check.status, check.output)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.wait([self._running], timeout=0.002)
            assert not self._running.done()

    async def until_is(self, check_id: str, health: Health) -> None:
        await self.until(lambda: self.checks[check_id].status is health)

    async def close(self) -> None:
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., World]]:
    worlds: list[World] = []

    def make_one(*before: Check, **limits: Any) -> World:
        world = World(**limits)
        worlds.append(world)
        world.put(*before)
        return world

    yield make_one
    for world in worlds:
        await world.close()


class Door:
    """An HTTP server that counts who comes; it answers with ``code``, or redirects after the first visit."""

    def __init__(self) -> None:
        self.port = 0
        self.visits = 0
        self.code = 200
        self.redirect = ""

    def __call__(self, _: bytes) -> bytes:
        self.visits += 1
        if self.redirect and self.visits > 1:
            return f"HTTP/1.1 302 Any\r\nContent-Length: 0\r\nLocation: {self.redirect}\r\n\r\n".encode()
        return f"HTTP/1.1 {self.code} Any\r\nContent-Length: 3\r\n\r\n{self.visits:03}".encode()

    def check(self, name: str, interval: Duration = HOUR, **more: Any) -> Check:
        target = f"http://127.0.0.1:{self.port}/"
        return http(name, target, interval, **more)


def http(
    name: str,
    target: str,
    interval: Duration = HOUR,
    status: Health = Health.CRITICAL,
    node: str = NODE,
    **more: Any,
) -> Check:
    probe = Probe(target, interval, **more)
    return Check(name, name, status, node=node, type=CheckType.HTTP, probe=probe)


def ttl(name: str, seconds: int, status: Health = Health.CRITICAL, output: str = "") -> Check:
    probe = Probe(ttl=Duration.of(seconds=seconds))
    return Check(name, name, status, output=output, node=NODE, type=CheckType.TTL, probe=probe)


@pytest.fixture
async def door(servers: Any) -> Door:
    door = Door()
    door.port = await servers.http(door)
    return door


async def test_a_new_sidecar_is_found_as_soon_as_it_listens(make: Any, servers: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    probe = Probe(f"127.0.0.1:{port}", HOUR)
    world = make()
    world.put(Check("sidecar", "sidecar", node=NODE, type=CheckType.TCP, probe=probe))
    await world.until(lambda: "refused" in world.prober.outputs().get("sidecar", ""))

    await servers.tcp(port=port)
    await world.until_is("sidecar", Health.PASSING)
    assert world.prober.outputs() == {}


async def test_after_a_restart_who_passed_has_time_and_who_failed_is_tried_at_once(
    make: Any, door: Door
) -> None:
    world = make(
        door.check("failed"),
        http("passed", "http://127.0.0.1:9/", status=Health.PASSING),
        pick=max,
    )
    await world.until_is("failed", Health.PASSING)

    assert world.prober.outputs() == {}
    assert world.status("passed") == CheckStatus(Health.PASSING)


async def test_a_restored_check_is_first_probed_within_its_interval(make: Any, door: Door) -> None:
    drawn = []

    def pick(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    world = make(door.check("web", status=Health.PASSING), pick=pick)
    await world.until(lambda: door.visits == 1)
    assert drawn[0] == (0, HOUR.seconds)


async def test_a_check_that_is_new_is_probed_at_once_though_it_claims_to_pass(make: Any, door: Door) -> None:
    door.code = 500
    world = make()
    world.put(door.check("web", status=Health.PASSING))

    await world.until_is("web", Health.CRITICAL)
    assert world.status("web").output.endswith("500 Any Output: 001")


async def test_probes_go_on_and_changes_are_reported(make: Any, door: Door) -> None:
    world = make()
    world.put(door.check("web", SOON))
    for code, health in ((200, Health.PASSING), (500, Health.CRITICAL), (429, Health.WARNING)):
        door.code = code
        await world.until_is("web", health)

    assert [status.status for _, status in world.reports] == ["passing", "critical", "warning"]


async def test_facts_that_come_back_do_not_disturb_a_check(make: Any, door: Door) -> None:
    world = make()
    world.put(door.check("web"))
    await world.until_is("web", Health.PASSING)
    world.put(replace(world.checks["web"], name="renamed"))
    world.write("web", Health.WARNING, "somebody says so")
    world.put(door.check("barrier"))
    await world.until_is("barrier", Health.PASSING)

    assert door.visits == 2
    assert world.status("web") == CheckStatus(Health.WARNING, "somebody says so")


async def test_the_next_result_overrules_what_somebody_else_wrote(make: Any, door: Door) -> None:
    world = make()
    world.put(door.check("web", SOON))
    await world.until_is("web", Health.PASSING)

    world.write("web", Health.CRITICAL)
    await world.until_is("web", Health.PASSING)


async def test_a_changed_definition_starts_anew_and_keeps_the_status_until_a_result(
    make: Any, door: Door, closed_port: int
) -> None:
    world = make()
    world.put(door.check("web"))
    await world.until_is("web", Health.PASSING)

    world.put(http("web", f"http://127.0.0.1:{closed_port}/", status=Health.PASSING))
    assert world.status("web").status is Health.PASSING
    await world.until_is("web", Health.CRITICAL)


async def test_a_removed_check_stops_at_once(make: Any) -> None:
    gone = asyncio.Event()
    come = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        come.set()
        await reader.read()
        gone.set()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with server:
        world = make()
        probe = Probe(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", HOUR, timeout=HOUR)
        world.put(Check("web", "web", node=NODE, type=CheckType.H2PING, probe=probe))
        async with asyncio.timeout(PATIENCE):
            await come.wait()
            world.remove("web")
            await gone.wait()
    assert world.reports == []


async def test_it_takes_as_many_results_as_the_thresholds_say(make: Any, door: Door) -> None:
    world = make()
    world.put(door.check("web", SOON, failures_before_critical=3, success_before_passing=2))
    await world.until_is("web", Health.PASSING)
    assert world.status("web").output.endswith("002")

    door.code, before = 500, door.visits
    await world.until_is("web", Health.CRITICAL)
    assert int(world.status("web").output[-3:]) - before >= 3


async def test_output_alone_is_shown_at_once_and_stored_late(make: Any, door: Door) -> None:
    world = make()
    world.put(door.check("web", SOON))
    await world.until_is("web", Health.PASSING)
    await world.until(lambda: world.prober.outputs().get("web", "")[-3:] >= "003")

    assert len(world.reports) == 1


async def test_output_alone_is_stored_in_the_end(make: Any, door: Door) -> None:
    world = make(output_seconds=0.05)
    world.put(door.check("web", SOON))

    await world.until(lambda: len(world.reports) >= 3)
    assert {status.status for _, status in world.reports} == {Health.PASSING}


async def test_a_store_in_trouble_is_tried_again_with_the_next_result(make: Any, door: Door) -> None:
    world = make()
    world.trouble.add("web")
    with capture_logs() as logs:
        world.put(door.check("web", SOON))
        await world.until(lambda: world.refused["web"] >= 2)
    world.trouble.clear()
    await world.until_is("web", Health.PASSING)

    assert logs[0]["check"] == "web"
    assert logs[0]["why"] == "the disk is full"


async def test_an_expired_ttl_is_tried_again_too(make: Any) -> None:
    world = make(retry_seconds=0.01)
    world.trouble.add("beats")
    with capture_logs():
        world.put(ttl("beats", 0, Health.PASSING))
        await world.until(lambda: world.refused["beats"] >= 2)
    world.trouble.clear()

    await world.until_is("beats", Health.CRITICAL)


async def look(world: World) -> None:
    """Make the prober look at its clock."""
    world.put(ttl("bystander", 0, Health.PASSING))
    await world.until_is("bystander", Health.CRITICAL)
    world.remove("bystander")


async def test_a_ttl_ends_unless_somebody_beats(make: Any) -> None:
    clock = Clock()
    world = make(ttl("web", 10, Health.PASSING, "all is well"), clock=clock)
    for _ in range(3):
        clock.now += 9
        world.prober.beat("web")
        await look(world)
    assert world.status("web").status is Health.PASSING

    clock.now += 11
    await look(world)
    expired = CheckStatus(Health.CRITICAL, "TTL expired (last output before timeout follows): all is well")
    assert world.status("web") == expired
    world.prober.beat("web")
    world.write("web", Health.PASSING, "again")
    clock.now += 11
    await look(world)
    assert world.status("web").output.endswith(": again")


async def test_after_a_restart_the_ttl_starts_anew_and_its_end_is_told_once(make: Any) -> None:
    clock = Clock()
    before = ttl("web", 10, Health.CRITICAL, "TTL expired")
    world = make(before, ttl("api", 10), clock=clock)
    clock.now += 11
    await look(world)

    assert world.checks["web"] == before
    assert world.prober.outputs() == {"api": "TTL expired"}
    assert {check_id for check_id, _ in world.reports} == {"bystander"}


async def test_beats_for_what_has_no_ttl_do_nothing(make: Any, door: Door) -> None:
    world = make()
    world.put(door.check("web"))
    await world.until_is("web", Health.PASSING)
    world.prober.beat("web")
    world.prober.beat("unknown")
    await look(world)

    assert door.visits == 1


async def test_an_alias_follows_facts_at_once(make: Any) -> None:
    world = make()
    alias = Check("alias", "alias", node=NODE, type=CheckType.ALIAS, probe=Probe("web"))
    world.put(alias, Check("web:1", "web:1", Health.WARNING, node=NODE, service_id="web"))
    await world.until(lambda: "not registered" in world.prober.outputs().get("alias", ""))

    world.prober.take(Batch(2, (Fact(("instance", NODE, "web"), object()),)))
    await world.until_is("alias", Health.WARNING)
    world.write("web:1", Health.PASSING)
    await world.until_is("alias", Health.PASSING)
    world.write("alias", Health.CRITICAL)
    await world.until_is("alias", Health.PASSING)


async def test_other_nodes_and_other_peoples_checks_are_left_alone(make: Any, door: Door) -> None:
    world = make()
    spoken_for = Check("spoken for", "spoken for", node=NODE)
    world.put(door.check("foreign", node="n2"), spoken_for, replace(door.check("plain"), probe=None))
    world.prober.take(Batch(2, (Fact(("roots",), object()), Fact(("entry", "mesh", "mesh"), None))))
    world.put(door.check("web"))
    await world.until_is("web", Health.PASSING)

    assert door.visits == 1


async def test_checks_that_never_end_hold_up_no_others(make: Any, door: Door) -> None:
    world = make(probes=1, slow_seconds=0.01, stuck_seconds=0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        world.put(*(http(f"stuck-{number}", target, timeout=HOUR) for number in range(4)))
        world.put(door.check("quick"))
        await world.until_is("quick", Health.PASSING)


async def test_a_server_without_free_files_says_nothing_about_others(make: Any, door: Door) -> None:
    gone = http("gone", "http://127.0.0.1:1/", SOON)
    world = make(door.check("up", SOON, status=Health.PASSING), gone)
    await world.until(lambda: door.visits > 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with capture_logs() as logs:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            await world.until(lambda: logs)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        visits = door.visits
        await world.until(lambda: door.visits > visits + 1)
    assert [log["why"] for log in logs] == ["Too many open files"]
    assert {status.status for name, status in world.reports if name == "up"} <= {Health.PASSING}


async def test_a_slow_check_holds_up_no_quick_one(make: Any, servers: Any, door: Door) -> None:
    slow = Door()
    slow.port = await servers.http(slow)
    world = make(probes=1, slow_seconds=0)  # after its first probe, every check is slow
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow.redirect = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        world.put(slow.check("slow", SOON, timeout=HOUR))
        await world.until(lambda: slow.visits == 2)
        world.put(door.check("quick"))
        await world.until_is("quick", Health.PASSING)
