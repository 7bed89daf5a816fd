"""A gateway dies while calls go through it: others take over, or the next member does; and it comes back."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.envoy.gateways.conftest import GATEWAY_PORT, PATIENCE, answer, until, until_listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.envoy.gateways.conftest import World

pytestmark = pytest.mark.envoy

CALLERS = 4


class Load:
    """Calls of ``api`` to db without a pause, and what came of them since the last look."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.answers: Counter[str] = Counter()

    async def call(self) -> None:
        while True:
            answered = await self._world.ask("api")
            self.answers[answered.text if answered.status_code == 200 else str(answered.status_code)] += 1

    def look_again(self) -> None:
        self.answers.clear()

    @property
    def failed(self) -> int:
        return sum(count for what, count in self.answers.items() if what.isdigit())

    async def until_answered_by(self, name: str) -> None:
        """Return when all that is answered from now on is answered by instances with a name like this."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.look_again()
            await until(lambda: self.answers.total() >= 20, "there are answers")
            if all(what.startswith(name) for what in self.answers):
                return
            assert time.monotonic() < deadline, self.answers


@asynccontextmanager
async def under_load(world: World) -> AsyncIterator[Load]:
    await world.answers("api", 200)
    load = Load(world)
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(load.call()) for _ in range(CALLERS)]
        await until(lambda: load.answers.total() >= 20, "there are answers")
        yield load
        for call in calls:
            call.cancel()


@pytest.mark.parametrize("mode", ["local", "remote"])
async def test_of_two_gateways_one_may_die_without_a_failed_call(world: World, mode: str) -> None:
    datacenter = world.here if mode == "local" else world.there
    await world.start_gateway(datacenter, 2)
    await datacenter.synced()
    await until_listening(world.host(f"{datacenter.name}-gateway-2"), GATEWAY_PORT)
    if mode == "remote":
        both = [(world.host(f"dc2-gateway-{number}"), GATEWAY_PORT) for number in (1, 2)]
        await world.knows_gateways(*both)
    await world.use(mode)
    async with under_load(world) as load:
        await world.stop_envoy(datacenter, f"{datacenter.name}-gateway-1")
        load.look_again()
        await until(lambda: load.answers.total() >= 200, "there are answers")
        failed = load.failed

    # What was on its way through the gateway when it was killed may be lost, and nothing after that.
    assert failed <= CALLERS, load.answers


@pytest.mark.parametrize("mode", ["local", "remote"])
async def test_the_next_member_takes_over_from_a_gateway_that_died_until_it_is_back(
    world: World, mode: str
) -> None:
    async with spare(world):
        await _goes_over_and_comes_back(world, mode)


async def _goes_over_and_comes_back(world: World, mode: str) -> None:
    await world.use(mode)
    await world.here.write(TO_DC2_AND_THEN_SPARE)
    async with under_load(world) as load:
        await load.until_answered_by("db")
        load.look_again()
        await world.stop_envoy(world.there, "dc2-gateway-1")
        await load.until_answered_by("spare")
        assert load.failed == 0
        await world.start_envoy(world.there, "dc2-gateway-1", "dc2-gateway-1", "gateway")
        await load.until_answered_by("db")


TO_DC2_AND_THEN_SPARE = """
Kind = "service-resolver"
Name = "db"
Failover = { "*" = { Targets = [{ Datacenter = "dc2" }, { Service = "spare" }] } }
"""
SPARE_ALLOWS = """
Kind = "service-intentions"
Name = "spare"
Sources = [{ Name = "api", Action = "allow" }]
"""


@asynccontextmanager
async def spare(world: World) -> AsyncIterator[None]:
    """A service of dc1 that can stand in for db."""
    network, host = world.network, world.host("spare")
    application = await asyncio.start_server(partial(answer, "spare"), host, network.app_port)
    sidecar = {"Port": network.sidecar_port, "Proxy": {"LocalServiceAddress": host}}
    definition = {"Name": "spare", "Address": host, "Port": network.app_port}
    await world.here.register({**definition, "Connect": {"SidecarService": sidecar}})
    await world.here.write(SPARE_ALLOWS)
    await world.start_envoy(world.here, "spare", "spare-sidecar-proxy", "spare")
    await until_listening(host, network.sidecar_port)
    yield
    application.close()
