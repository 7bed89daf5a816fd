"""Who is critical for too long goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from xdsmesh.model.checks import Check, Health
from xdsmesh.model.duration import Duration
from xdsmesh.model.facts import Batch, Fact
from xdsmesh.probes.reaper import Reaper

NODE = "n1"
PATIENCE = 10
MINUTE = 60


class World:
    """A reaper that looks all the time, by a clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0
        self.gone: list[str] = []
        self.trouble = False
        self.tried = asyncio.Event()
        self.reaper = Reaper(NODE, self.deregister, lambda: self.now, period=0)

    async def deregister(self, service_id: str) -> None:
        self.tried.set()
        if self.trouble:
            raise OSError("the disk is full")
        self.gone.append(service_id)
        for check_id in ("web:1", "web:2") if service_id == "web" else ("bystander",):
            self.put(check_id, None)

    def put(self, check_id: str, check: Check | None, node: str = NODE) -> None:
        self.reaper.take(Batch(1, (Fact(("check", node, check_id), check),)))

    def critical(self, check_id: str = "web:1", node: str = NODE, minutes: int = 1) -> Check:
        limit = Duration.of(seconds=minutes * MINUTE)
        check = Check(check_id, check_id, node=node, service_id="web", deregister_after=limit)
        self.put(check_id, check, node)
        return check

    async def look(self) -> list[str]:
        """Who is gone after the reaper has looked; a bystander goes each time."""
        before = self.gone.count("bystander")
        check = Check(
            "bystander", "bystander", node=NODE, service_id="bystander", deregister_after=Duration(-1)
        )
        self.put("bystander", check)
        async with asyncio.timeout(PATIENCE):
            while self.gone.count("bystander") == before:
                self.tried.clear()
                await self.tried.wait()
        return [service for service in self.gone if service != "bystander"]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    running = asyncio.create_task(world.reaper.run())
    yield world
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_service_that_is_critical_for_longer_than_its_limit_goes_once(world: World) -> None:
    world.critical("web:1")
    world.critical("web:2")
    world.now = MINUTE
    assert await world.look() == []

    world.now += 1
    assert await world.look() == ["web"]
    assert await world.look() == ["web"]


@pytest.mark.parametrize("better", [Health.PASSING, Health.WARNING])
async def test_any_better_moment_starts_the_clock_anew(world: World, better: Health) -> None:
    check = world.critical()
    world.now = MINUTE
    world.put("web:1", replace(check, status=better))
    world.put("web:1", check)
    world.now = 2 * MINUTE
    assert await world.look() == []

    world.now += 1
    assert await world.look() == ["web"]


async def test_other_words_about_a_critical_check_leave_its_clock(world: World) -> None:
    check = world.critical(minutes=2)
    world.now = MINUTE
    world.put("web:1", replace(check, output="still refused", deregister_after=Duration.of(seconds=MINUTE)))
    world.now += 1

    assert await world.look() == ["web"]


async def test_nobody_else_goes(world: World) -> None:
    check = world.critical(node="n2")
    world.put("no limit", replace(check, node=NODE, deregister_after=Duration()))
    world.put("node", replace(check, node=NODE, service_id=""))
    world.critical("gone")
    world.put("gone", None)
    world.now = 10 * MINUTE

    assert await world.look() == []


async def test_what_could_not_be_deregistered_is_tried_again_and_told_once(world: World) -> None:
    world.critical()
    world.trouble, world.now = True, MINUTE + 1
    with capture_logs() as logs:
        async with asyncio.timeout(PATIENCE):
            for _ in range(2):
                world.tried.clear()
                await world.tried.wait()
    world.trouble = False

    assert await world.look() == ["web"]
    assert [log["why"] for log in logs] == ["the disk is full"]
