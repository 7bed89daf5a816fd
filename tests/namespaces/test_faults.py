"""Gateways, the link and control planes fail: nothing local does, and both sides agree afterwards.

How long each takes is printed at the end of the run.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx
import pytest
import pytest_asyncio

from tests.namespaces.calls import Call, Calls, answered_by, failed
from tests.namespaces.control_plane import ControlPlane, until
from tests.namespaces.datacenters import Datacenters
from tests.namespaces.mesh import GATEWAY_ADMIN_PORT, GATEWAYS, Mesh
from tests.namespaces.services import Service, Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    Record = Callable[[str, object], None]

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.envoy, pytest.mark.timeout(240)]

PROTOCOLS: Final = ("http", "http2", "grpc", "tcp")
PAUSE: Final = 0.1
CUT_SECONDS: Final = 30
CUT_SHORT: Final = 1.0
"""Seconds after a kill in which a call may still be one that was in flight: the machine may be busy."""
FAR: Final = [
    *(Service("dc2", "db", f"db-{each}", each, place=place) for place, each in enumerate(PROTOCOLS)),
    Service("dc2", "db", "stock", place=4, version="v1"),
    Service("dc2", "db", "stock", place=5, version="v2"),
    Service("dc2", "db", "only", place=6),
    Service("dc2", "db", "only-tcp", "tcp", place=7),
]
NEAR: Final = [
    *(Service("dc1", "db", f"db-{each}", each, place=place) for place, each in enumerate(PROTOCOLS)),
    Service("dc1", "db", "stock", place=4, version="v1"),
]
API: Final = Service(
    *("dc1", "api", "api"),
    upstreams=[
        *(Upstream(f"db-{each}", each, "dc2") for each in PROTOCOLS),
        Upstream("stock", "http", "dc2"),
        Upstream("only", "http", "dc2"),
        Upstream("only-tcp", "tcp", "dc2"),
        *(Upstream(f"db-{each}", each) for each in PROTOCOLS),
    ],
)
FRONT: Final = Service(
    *("dc2", "api", "front"), upstreams=[*(Upstream(f"db-{each}", each) for each in PROTOCOLS)]
)
FAILS_OVER: Final = [f"db-{each}@dc2" for each in PROTOCOLS]
CROSSES: Final = [*FAILS_OVER, "stock@dc2", "only@dc2", "only-tcp@dc2"]
LOCAL: Final = [f"db-{each}" for each in PROTOCOLS]


def only_intentions(action: str) -> dict[str, Any]:
    return {
        "Kind": "service-intentions",
        "Name": "only",
        "Sources": [{"Name": "api", "Action": action}],
    }


def entries() -> list[dict[str, Any]]:
    protocols = {f"db-{each}": each for each in PROTOCOLS} | {"stock": "http", "only": "http"}
    return [
        {"Kind": "proxy-defaults", "Name": "global", "MeshGateway": {"Mode": "local"}},
        {
            "Kind": "service-intentions",
            "Name": "*",
            "Sources": [{"Name": name, "Action": "allow"} for name in ("api", "front")],
        },
        *(
            {"Kind": "service-defaults", "Name": name, "Protocol": protocol}
            for name, protocol in protocols.items()
        ),
        *(
            {
                "Kind": "service-resolver",
                "Name": f"db-{each}",
                "Failover": {"*": {"Datacenters": ["dc1"]}},
            }
            for each in PROTOCOLS
        ),
        {
            "Kind": "service-resolver",
            "Name": "stock",
            "DefaultSubset": "v1",
            "Subsets": {each: {"Filter": f"Service.Meta.version == {each}"} for each in ("v1", "v2")},
            "Failover": {"*": {"Targets": [{"ServiceSubset": "v2"}, {"Datacenter": "dc1"}]}},
        },
        only_intentions("allow"),
    ]


class World(NamedTuple):
    """The mesh under a steady load: ``api`` calls from dc1, and ``front`` in dc2."""

    mesh: Mesh
    api: Calls
    front: Calls

    async def lands(self, upstream: str, wanted: str, count: int = 10) -> None:
        """Return when the last so many calls of api ended so: answered by somebody, or failed."""

        async def landed() -> bool:
            last = self.api.all(upstream)[-count:]
            return {call.answered or call.failure for call in last} == {wanted}

        await until(landed, f"api's calls of {upstream} end with {wanted!r}")

    async def all_well(self) -> None:
        """Return when all calls are answered where they should be."""
        for upstream in CROSSES:
            version = "-v1" if upstream == "stock@dc2" else ""
            await self.lands(upstream, f"dc2 {upstream.removesuffix('@dc2')}{version}")

    def assert_nothing_local_has_failed(self, since: float) -> None:
        for calls, datacenter in ((self.api, "dc1"), (self.front, "dc2")):
            for upstream in LOCAL:
                seen = answered_by(calls.all(upstream, since))
                assert set(seen) == {f"{datacenter} {upstream}"}, (datacenter, seen)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def complete(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("mesh")
    async with Datacenters(folder) as net, Mesh(net, folder) as mesh:
        await mesh.start(entries(), (API, FRONT, *NEAR, *FAR))
        yield World(mesh, await mesh.call(API, PAUSE), await mesh.call(FRONT, PAUSE))


@pytest_asyncio.fixture(loop_scope="module")
async def world(complete: World) -> World:
    """With nothing wrong in it."""
    await complete.all_well()
    return complete


@pytest.mark.parametrize("datacenter", ["dc2", "dc1"])
async def test_a_gateway_that_is_killed_costs_what_is_in_flight_and_is_used_again_when_it_is_back(
    world: World, datacenter: str, record_property: Record
) -> None:
    side, mesh = world.mesh.side(datacenter), world.mesh
    began = time.monotonic()
    await mesh.kill_gateway(side, "gateway-2")
    killed = time.monotonic()
    await passed(world.api, killed + CUT_SHORT, 30)
    await mesh.start_gateway(side, "gateway-2")
    revived = time.monotonic()
    await until(lambda: is_balanced(mesh, datacenter), f"both gateways of {datacenter} are used")
    balanced = time.monotonic() - revived
    calls = world.api.all(since=began - 1)
    lost = failed(calls)
    assert [call for call in lost if not began - 1 <= call.began < killed + CUT_SHORT] == []
    assert len(lost) <= len(CROSSES) * CUT_SHORT / PAUSE
    # A retry avoids the member that has failed, so some calls go to the one that is near.
    turned = [call for call in calls if call.upstream in CROSSES and call.answered.startswith("dc1")]
    assert len(turned) < len(calls) / 10
    world.assert_nothing_local_has_failed(began)
    slowest = max(call.ended - call.began for call in calls)
    record_property(
        f"a gateway of {datacenter} killed",
        f"{len(lost)} failed of {len(calls)} {by_upstream(lost)}, {len(turned)} answered in dc1"
        f" {by_upstream(turned)}, slowest {slowest:.2f} s,"
        f" both used {balanced:.1f} s after its start",
    )


async def is_balanced(mesh: Mesh, datacenter: str) -> bool:
    """Whether each gateway gets its share of the connections that are made."""
    try:
        before = [await connections(mesh, datacenter, name) for name in GATEWAYS]
        await asyncio.sleep(1)
        after = [await connections(mesh, datacenter, name) for name in GATEWAYS]
    except httpx.TransportError:
        return False  # it does not listen yet
    made = [late - early for late, early in zip(after, before, strict=True)]
    return min(made) > sum(made) / 5


async def connections(mesh: Mesh, datacenter: str, gateway: str) -> int:
    """How many tcp connections a gateway has taken that are for services of dc2."""
    url = f"http://127.0.0.1:{GATEWAY_ADMIN_PORT}/stats?filter=tcp.*downstream_cx_total&format=json"
    stats = (await mesh.host(datacenter, gateway).request(url)).json()["stats"]
    return sum(stat.get("value", 0) for stat in stats)


async def test_both_sides_go_on_while_the_link_is_cut_and_agree_when_it_is_healed(
    world: World, record_property: Record
) -> None:
    mesh, dc1, dc2 = world.mesh, world.mesh.dc1, world.mesh.dc2
    cut, cut_at = time.monotonic(), time.time()
    mesh.net.cut()
    await dc1.put("/v1/config", {"Kind": "service-defaults", "Name": "new", "Protocol": "http"})
    await dc1.put("/v1/config", only_intentions("deny"))
    await mesh.register(Service("dc2", "web", "extra"))
    await dc2.put("/v1/agent/check/fail/only-tcp")
    down = [await linked(side, "down", cut_at) for side in (dc1, dc2)]
    for each in (dc1, dc2):
        shown = await each.command("dc", "status", expect=1)
        assert "down" in shown
        assert "s ago" in shown
        assert "what to do" in shown
    for upstream in FAILS_OVER:
        await world.lands(upstream, f"dc1 {upstream.removesuffix('@dc2')}")
    await asyncio.sleep(cut + CUT_SECONDS - time.monotonic())
    assert not same(dc1, dc2)

    healed, healed_at = time.monotonic(), time.time()
    mesh.net.heal()
    await until(lambda: agree(dc1, dc2), "both sides agree")
    agreed = time.monotonic() - healed
    up = [await linked(side, "up", healed_at) for side in (dc1, dc2)]
    await world.lands("only@dc2", "403 intention")
    for upstream in FAILS_OVER:
        await world.lands(upstream, f"dc2 {upstream.removesuffix('@dc2')}")
    world.assert_nothing_local_has_failed(cut)
    record_property("the link cut", f"known to be down after {max(down):.1f} s")
    for upstream in FAILS_OVER:
        record_property(f"the link cut, {upstream}", move(world.api, upstream, cut, healed))
    denied = first(world.api.all("only@dc2", healed), "403 intention") - healed
    record_property(
        "the link healed",
        f"up after {max(up):.1f} s, agreed after {agreed:.1f} s, an intention enforced after {denied:.1f} s",
    )
    await dc1.put("/v1/config", only_intentions("allow"))
    await dc1.ask("DELETE", "/v1/config/service-defaults/new")
    await dc2.put("/v1/agent/service/deregister/extra")
    await dc2.put("/v1/agent/check/pass/only-tcp")
    await world.all_well()


async def test_calls_go_on_without_the_control_plane_of_their_destination(
    world: World, record_property: Record
) -> None:
    dc1, dc2 = world.mesh.dc1, world.mesh.dc2
    killed = time.monotonic()
    await dc2.kill()
    await dc1.put("/v1/config", only_intentions("deny"))
    await passed(world.api, killed, 50)
    await linked(dc1, "down")
    assert failed(world.api.all(since=killed)) == []
    await dc2.start()
    started, started_at = time.monotonic(), time.time()
    await until(lambda: agree(dc1, dc2), "both sides agree")
    agreed = time.monotonic() - started
    up = await linked(dc1, "up", started_at)
    await world.lands("only@dc2", "403 intention")
    denied = first(world.api.all("only@dc2", killed), "403 intention") - started
    assert not [call for call in failed(world.api.all(since=killed)) if call.upstream != "only@dc2"]
    world.assert_nothing_local_has_failed(killed)
    record_property(
        "the control plane of dc2 killed",
        f"0 failed; after it answered again the link up after {up:.1f} s, agreed after {agreed:.1f} s,"
        f" an intention enforced after {denied:.1f} s",
    )
    await dc1.put("/v1/config", only_intentions("allow"))
    await world.all_well()


async def test_the_others_go_on_without_the_primary_but_for_what_is_its_own(
    world: World, record_property: Record
) -> None:
    mesh, dc1, dc2 = world.mesh, world.mesh.dc1, world.mesh.dc2
    killed = time.monotonic()
    await dc1.kill()
    await linked(dc2, "down")
    refused = await dc2.ask("PUT", "/v1/config", only_intentions("deny"))
    assert refused.status_code == 503
    assert "dc1" in refused.text
    await mesh.register(Service("dc2", "web", "extra"))
    await dc2.put("/v1/agent/check/fail/only-tcp")
    await passed(world.api, time.monotonic(), 30)
    await passed(world.front, time.monotonic(), 30)
    assert {call.upstream for call in failed(world.api.all(since=killed))} == {"only-tcp@dc2"}
    await dc1.start()
    started = time.monotonic()
    await until(lambda: agree(dc1, dc2), "both sides agree")
    agreed = time.monotonic() - started
    assert "service/extra" in dc1.records("remote/dc2/")
    await linked(dc2, "up")
    await dc2.put("/v1/config", only_intentions("deny"))
    await world.lands("only@dc2", "403 intention")
    world.assert_nothing_local_has_failed(killed)
    record_property("the primary killed", f"0 failed; agreed {agreed:.1f} s after it answered again")
    await dc2.put("/v1/config", only_intentions("allow"))
    await dc2.put("/v1/agent/service/deregister/extra")
    await dc2.put("/v1/agent/check/pass/only-tcp")
    await world.all_well()


async def test_traffic_follows_health_to_another_subset_to_another_datacenter_and_back(
    world: World, record_property: Record
) -> None:
    dc2, began = world.mesh.dc2, time.monotonic()
    for check, verb, wanted in (
        ("stock-v1", "fail", "dc2 stock-v2"),
        ("stock-v2", "fail", "dc1 stock-v1"),
        ("stock-v2", "pass", "dc2 stock-v2"),
        ("stock-v1", "pass", "dc2 stock-v1"),
    ):
        changed = time.monotonic()
        await dc2.put(f"/v1/agent/check/{verb}/{check}")
        await world.lands("stock@dc2", wanted)
        took = first(world.api.all("stock@dc2", changed), wanted) - changed
        record_property(f"{check} {verb}", f"calls end at {wanted} after {took:.2f} s")
    await asyncio.gather(*(flips(world, f"db-{each}", record_property) for each in PROTOCOLS))
    assert failed(world.api.all(since=began)) == []


async def flips(world: World, service: str, record_property: Record) -> None:
    """Let all instances of a service in dc2 be critical, and recover."""
    changed = time.monotonic()
    for verb, datacenter in (("fail", "dc1"), ("pass", "dc2")):
        await world.mesh.dc2.put(f"/v1/agent/check/{verb}/{service}")
        await world.lands(f"{service}@dc2", f"{datacenter} {service}")
    seen = world.api.all(f"{service}@dc2", changed)
    away = first(seen, f"dc1 {service}") - changed
    record_property(f"{service} critical", f"moved after {away:.2f} s")


async def linked(side: ControlPlane, state: str, since: float = 0) -> float:
    """Return when the link is in a state: how many seconds after a moment (``time.time``) it came to it."""

    async def is_so() -> bool:
        return bool((await side.link())["state"] == state)

    await until(is_so, f"the link of {side.datacenter} is {state}")
    return datetime.fromisoformat((await side.link())["since"]).timestamp() - since


def same(dc1: ControlPlane, dc2: ControlPlane) -> bool:
    """Whether each has the same config entries, and of the other what that tells of itself."""
    followed = all(
        {key: value for key, value in here.records(f"remote/{there.datacenter}/").items() if key != "cursor"}
        == there.records("shared/")
        for here, there in ((dc1, dc2), (dc2, dc1))
    )
    return followed and dc1.records("entry/") == dc2.records("entry/")


async def agree(dc1: ControlPlane, dc2: ControlPlane) -> bool:
    return same(dc1, dc2)


async def passed(calls: Calls, since: float, count: int) -> None:
    """Return when so many calls of each upstream have begun since then, and ended."""

    async def enough() -> bool:
        done = calls.all(since=since)
        return all(
            sum(call.upstream == upstream for call in done) >= count
            for upstream in {call.upstream for call in calls.all()}
        )

    await until(enough, f"{count} calls of each upstream")


def first(calls: Iterable[Call], wanted: str) -> float:
    """When the first call began that ended so."""
    return next(call.began for call in calls if wanted in (call.answered, call.failure))


def by_upstream(calls: Iterable[Call]) -> dict[str, int]:
    found: dict[str, int] = {}
    for call in calls:
        found[call.upstream] = found.get(call.upstream, 0) + 1
    return found


def move(calls: Calls, upstream: str, cut: float, healed: float) -> str:
    """When calls moved to dc1, and when they came back to dc2; and what it cost."""
    name = upstream.removesuffix("@dc2")
    seen = calls.all(upstream, since=cut - 5)
    after = [call for call in seen if call.began >= cut]
    away = first(after, f"dc1 {name}")
    last = max((call.began for call in after if call.answered == f"dc1 {name}"), default=away)
    lost = failed(seen)
    slow = [call.ended - call.began for call in seen]
    return (
        f"moved after {away - cut:.2f} s, all back {last - healed:.1f} s after the heal,"
        f" {len(lost)} failed of {len(seen)}, slowest {max(slow):.1f} s {answered_by(lost) or ''}"
    )
