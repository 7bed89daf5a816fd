"""What the prober makes of checks whose owners have to speak in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from structlog.testing import capture_logs

from xdsmesh.model.checks import Check, CheckStatus, CheckType, Health, Probe
from xdsmesh.model.duration import Duration

if TYPE_CHECKING:
    from tests.unit.probes.conftest import Door, World

NODE = "n1"


def ttl(name: str, seconds: int, status: Health = Health.CRITICAL, output: str = "") -> Check:
    probe = Probe(ttl=Duration.of(seconds=seconds))
    return Check(name, name, status, output=output, node=NODE, type=CheckType.TTL, probe=probe)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


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


async def test_an_expired_ttl_is_tried_again_too(make: Any) -> None:
    world = make(retry_seconds=0.01)
    world.trouble.add("beats")
    with capture_logs():
        world.put(ttl("beats", 0, Health.PASSING))
        await world.until(lambda: world.refused["beats"] >= 2)
    world.trouble.clear()

    await world.until_is("beats", Health.CRITICAL)


async def test_beats_for_what_has_no_ttl_do_nothing(make: Any, door: Door) -> None:
    world = make()
    world.put(door.check("web"))
    await world.until_is("web", Health.PASSING)
    world.prober.beat("web")
    world.prober.beat("unknown")
    await look(world)

    assert door.visits == 1
