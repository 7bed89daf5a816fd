"""What the prober makes of checks whose targets it has no way to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from structlog.testing import capture_logs

from xdsmesh.model.checks import Check, CheckStatus, CheckType, Health, Probe
from xdsmesh.model.duration import Duration
from xdsmesh.probes.cut import not_probed

if TYPE_CHECKING:
    from tests.unit.probes.conftest import Door, World

NODE = "n1"
HOUR = Duration.of(seconds=3600)
SOON = Duration.of(milliseconds=10)
WHY = "this machine has no way to 127.0.0.1 (Network is unreachable)"


class Cable:
    """The way to everybody: whole, or not."""

    def __init__(self) -> None:
        self.whole = True

    def obstacle(self, _: object) -> str:
        return "" if self.whole else "Network is unreachable"


def says_why(world: World, check_id: str) -> bool:
    return WHY in world.prober.outputs().get(check_id, "")


async def test_a_check_keeps_its_status_while_there_is_no_way_and_says_why(make: Any, door: Door) -> None:
    cable = Cable()
    world = make(obstacle=cable.obstacle)
    world.put(door.check("web", SOON))
    await world.until_is("web", Health.PASSING)
    cable.whole = False
    await world.until(lambda: says_why(world, "web"))
    visits = door.visits
    said = world.prober.outputs()["web"]
    assert said.startswith(f"not probed: {WHY}; last known: HTTP GET http://127.0.0.1:{door.port}/: 200 Any")

    cable.whole = True
    await world.until(lambda: door.visits > visits and not says_why(world, "web"))
    assert [status.status for _, status in world.reports] == [Health.PASSING]


async def test_a_new_check_stays_critical_says_why_and_passes_soon_after(make: Any, door: Door) -> None:
    cable = Cable()
    cable.whole = False
    world = make(obstacle=cable.obstacle)
    world.put(door.check("web"))
    await world.until(lambda: says_why(world, "web"))
    assert world.prober.outputs()["web"] == f"not probed: {WHY}"
    assert world.status("web").status is Health.CRITICAL

    cable.whole = True
    await world.until_is("web", Health.PASSING)


async def test_who_died_meanwhile_is_critical_soon(make: Any, door: Door) -> None:
    cable = Cable()
    world = make(obstacle=cable.obstacle)
    world.put(door.check("web", SOON))
    await world.until_is("web", Health.PASSING)
    cable.whole = False
    await world.until(lambda: says_why(world, "web"))
    door.code = 500

    cable.whole = True
    await world.until_is("web", Health.CRITICAL)
    assert "500" in world.status("web").output


async def test_silence_is_no_pass_of_a_udp_check_that_can_not_be_sent(make: Any) -> None:
    cable = Cable()
    cable.whole = False
    world = make(obstacle=cable.obstacle)
    probe = Probe("127.0.0.1:9", HOUR, timeout=SOON)
    world.put(Check("web", "web", node=NODE, type=CheckType.UDP, probe=probe))
    await world.until(lambda: says_why(world, "web"))
    assert not world.reports


async def test_the_log_says_once_that_this_machine_is_cut_off_and_once_that_it_is_back(
    make: Any, door: Door
) -> None:
    cable = Cable()
    world = make(obstacle=cable.obstacle)
    world.put(door.check("a", SOON), door.check("b", SOON), door.check("gone", SOON))
    for name in ("a", "b", "gone"):
        await world.until_is(name, Health.PASSING)
    with capture_logs() as logs:
        cable.whole = False
        await world.until(lambda: all(says_why(world, name) for name in ("a", "b", "gone")))
        world.remove("gone")
        cable.whole = True
        await world.until(lambda: not any(says_why(world, name) for name in ("a", "b")))
        await world.until(lambda: len(logs) > 1)
    assert [log["log_level"] for log in logs] == ["warning", "info"]
    assert logs[0]["why"] == WHY


async def test_a_target_that_there_was_never_a_way_to_makes_no_cut(make: Any, door: Door) -> None:
    cable = Cable()
    cable.whole = False
    world = make(obstacle=cable.obstacle)
    with capture_logs() as logs:
        world.put(door.check("web"))
        await world.until(lambda: says_why(world, "web"))
    assert not logs


def test_what_a_check_said_last_stays_readable_however_long_it_is_not_probed() -> None:
    first = not_probed(CheckStatus(Health.WARNING, "429"), "a")
    assert first == CheckStatus(Health.WARNING, "not probed: a; last known: 429")
    assert not_probed(first, "b") == CheckStatus(Health.WARNING, "not probed: b; last known: 429")
    assert not_probed(not_probed(CheckStatus(Health.CRITICAL), "a"), "b").output == "not probed: b"
