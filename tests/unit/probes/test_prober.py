"""The prober over real sockets, with a store that gives facts back."""

from __future__ import annotations

import asyncio
import resource
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from structlog.testing import capture_logs

from xdsmesh.model.checks import Check, CheckStatus, CheckType, Health, Probe
from xdsmesh.model.duration import Duration
from xdsmesh.model.facts import Batch, Fact

if TYPE_CHECKING:
    from tests.unit.probes.conftest import Door

NODE = "n1"
PATIENCE = 20
HOUR = Duration.of(seconds=3600)
SOON = Duration.of(milliseconds=10)


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
        door.check("passed", port=9, status=Health.PASSING),
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

    world.put(door.check("web", port=closed_port, status=Health.PASSING))
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


async def test_a_slow_check_holds_up_no_quick_one(make: Any, doors: Any) -> None:
    slow, quick = await doors(), await doors()
    world = make(probes=1, slow_seconds=0)  # after its first probe, every check is slow
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow.redirect = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        world.put(slow.check("slow", SOON, timeout=HOUR))
        await world.until(lambda: slow.visits == 2)
        world.put(quick.check("quick"))
        await world.until_is("quick", Health.PASSING)


async def test_checks_that_never_end_hold_up_no_others(make: Any, door: Door) -> None:
    world = make(probes=1, slow_seconds=0.01, stuck_seconds=0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        world.put(*(door.check(f"stuck-{number}", port=port, timeout=HOUR) for number in range(4)))
        world.put(door.check("quick"))
        await world.until_is("quick", Health.PASSING)


async def test_a_server_without_free_files_says_nothing_about_others(make: Any, door: Door) -> None:
    gone = door.check("gone", SOON, port=1)
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
