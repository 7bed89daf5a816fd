"""Datacenters follow one another: what travels, and what becomes of it when the link is cut."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.feature.federation.conftest import (
    JOINED,
    Datacenter,
    Mesh,
    put,
    until,
    until_agreed,
)
from xdsmesh.catalog import codec, keys
from xdsmesh.config.files import decode_entry
from xdsmesh.federation import following, publishing
from xdsmesh.federation.errors import NoRouteError
from xdsmesh.federation.progress import Progress
from xdsmesh.federation.status import LinkState
from xdsmesh.federation.store_id import ORIGIN
from xdsmesh.federation.v1.federation_pb2 import FollowResponse
from xdsmesh.model.federation import Member, Membership
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Put, Txn


@pytest.fixture
async def pair(mesh: Mesh) -> Mesh:
    """Two datacenters that follow one another; dc1 is the primary."""
    await mesh.start("dc1")
    await mesh.start("dc2")
    await mesh.federate("dc1", "dc2")
    await until_up(mesh)
    return mesh


async def until_up(mesh: Mesh) -> None:
    await until(lambda: mesh["dc1"].is_up("dc2") and mesh["dc2"].is_up("dc1"), "both links are up")


@contextmanager
def pretending_to_be_primary() -> Iterator[None]:
    """Whoever is followed tells what only the primary should."""
    told_key = publishing.told_key
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "told_key", lambda key, primary: told_key(key, primary=primary or True))
        yield


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """The keys that have come over all links, each with whether it came in a whole."""
    seen: list[tuple[str, bool]] = []
    take = Progress.take

    async def noting(self: Progress, response: FollowResponse, store_id: str) -> None:
        seen.extend((change.key, response.records.whole) for change in response.records.changes)
        await take(self, response, store_id)

    monkeypatch.setattr(Progress, "take", noting)
    return seen


async def until_heard(one: Datacenter, other: str, revision: int) -> None:
    def has_heard() -> bool:
        return one.link(other).revision >= revision

    await until(has_heard, "the other one was heard")


async def quiet(mesh: Mesh) -> None:
    """Return once each has heard that the other one has nothing else to tell."""
    for one, other in (("dc1", "dc2"), ("dc2", "dc1")):
        there = await mesh[other].parts.feed.latest()
        await until_heard(mesh[one], other, there)


async def test_each_knows_what_the_other_one_has(pair: Mesh) -> None:
    one, two = pair["dc1"], pair["dc2"]
    await one.write(db="http")
    await one.register("db")
    await two.register("web")
    await until_agreed(one, two)
    entry = await two.store.get(keys.entry_key("service-defaults", "db"))
    assert entry is not None
    assert entry.origin == Origin(Source.PRIMARY, "dc1")
    known = two.parts.feed.view.remote.services_of("dc1")["db"].subset("").instances
    assert [(each.address, each.port, each.healthy) for each in known] == [("10.0.0.80", 18080, True)]
    assert "web" in one.parts.feed.view.remote.services_of("dc2")


async def test_what_is_deleted_is_deleted_there(pair: Mesh) -> None:
    one, two = pair["dc1"], pair["dc2"]
    await one.write(db="http", cache="tcp")
    await one.register("db")
    await two.register("web")
    await until_agreed(one, two)
    await one.write(cache=None)
    await one.deregister("db")
    await two.deregister("web")
    await until_agreed(one, two)
    assert list(await two.entries()) == [keys.entry_key("service-defaults", "db")]
    assert two.parts.feed.view.remote.services_of("dc1") == {}
    assert one.parts.feed.view.remote.services_of("dc2") == {}


async def test_only_changes_travel(pair: Mesh, received: list[tuple[str, bool]]) -> None:
    one, two = pair["dc1"], pair["dc2"]
    for number in range(20):
        await one.register(f"service-{number}")
    await until_agreed(one, two)
    await quiet(pair)
    received.clear()
    await one.write(db="http")
    await one.register("service-3", 9000)
    await until_agreed(one, two)
    await quiet(pair)
    assert set(received) == {("entry/service-defaults/db", False), ("service/service-3", False)}


async def test_health_that_changes_nothing_for_others_does_not_travel(
    pair: Mesh, received: list[tuple[str, bool]]
) -> None:
    one, two = pair["dc1"], pair["dc2"]
    await one.register("db", Check={"CheckID": "db", "TTL": "600s", "Status": "passing"})
    await until_agreed(one, two)
    await quiet(pair)
    received.clear()
    for said in range(10):
        await one.report("db", "passing", f"{said} connections")
    await one.report("db", "warning", "slow")  # a warning is no reason not to call it
    await quiet(pair)
    assert received == []
    await one.report("db", "critical", "gone")
    await quiet(pair)
    assert received == [("service/db", False)]
    known = two.parts.feed.view.remote.services_of("dc1")["db"].subset("")
    assert not known.healthy


async def test_a_link_that_was_cut_goes_on_where_it_was(pair: Mesh, received: list[tuple[str, bool]]) -> None:
    one, two = pair["dc1"], pair["dc2"]
    await one.write(db="http")
    await one.register("db")
    await until_agreed(one, two)
    await quiet(pair)
    received.clear()
    for relay in pair.relays.values():
        relay.cut()
    await until(lambda: not one.is_up("dc2") and not two.is_up("dc1"), "the cut is noticed")
    await one.write(cache="tcp")
    await two.register("web")
    for relay in pair.relays.values():
        relay.heal()
    await until_agreed(one, two)
    assert set(received) == {("entry/service-defaults/cache", False), ("service/web", False)}


async def test_a_restart_of_either_side_goes_on_where_it_was(
    pair: Mesh, received: list[tuple[str, bool]]
) -> None:
    await pair["dc1"].write(db="http")
    await pair["dc1"].register("db")
    await until_agreed(pair["dc1"], pair["dc2"])
    await quiet(pair)
    received.clear()
    for name, service in (("dc2", "late"), ("dc1", "later")):
        await pair.stop(name)
        await pair.start(name)
        await until_up(pair)
        await pair["dc1"].register(service)
        await until_agreed(pair["dc1"], pair["dc2"])
    assert set(received) == {("service/late", False), ("service/later", False)}


async def test_who_comes_back_is_dialled_at_once(pair: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    for pause in ("_SHORTEST_PAUSE", "_FIRST_PAUSE", "_LONGEST_PAUSE"):
        monkeypatch.setattr(following, pause, 3600.0)
    await pair.stop("dc2")
    await until(lambda: not pair["dc1"].is_up("dc2"), "it is missed")
    await pair.start("dc2")
    await until_up(pair)


async def test_who_was_away_too_long_gets_everything_anew(
    mesh: Mesh, received: list[tuple[str, bool]]
) -> None:
    await mesh.start("dc1", keep=20)
    await mesh.start("dc2")
    await mesh.federate("dc1", "dc2")
    await mesh["dc1"].write(gone="http", stays="http")
    await until_agreed(mesh["dc1"], mesh["dc2"])
    await mesh.stop("dc2")
    received.clear()
    await mesh["dc1"].write(gone=None)
    for number in range(30):
        await mesh["dc1"].write(stays="tcp" if number % 2 else "http")
    await mesh.start("dc2")
    await until_agreed(mesh["dc1"], mesh["dc2"])
    assert ("entry/service-defaults/stays", True) in received
    assert await mesh["dc2"].has("entry/service-defaults/gone") is None


async def test_a_link_over_which_nothing_comes_is_noticed_and_heals(pair: Mesh) -> None:
    """Nothing is closed: packets vanish."""
    one, two = pair["dc1"], pair["dc2"]
    await one.register("db")
    await until_agreed(one, two)
    for relay in pair.relays.values():
        relay.stall()
    await until(lambda: not one.is_up("dc2") and not two.is_up("dc1"), "the silence is noticed")
    link = two.link("dc1")
    assert link.state is LinkState.DOWN
    assert "heard" in link.error or "ping" in link.error, link
    assert link.via == f"127.0.0.1:{pair.relays['dc2'].port}"
    await one.write(db="http")
    await two.register("web")
    assert "db" in two.parts.feed.view.remote.services_of("dc1")  # what it knew last
    for relay in pair.relays.values():
        relay.heal()
    await until_agreed(one, two)
    await until_up(pair)

    def is_well() -> bool:
        link = two.link("dc1")
        return (link.error, link.attempts, link.behind_since) == ("", 0, None)

    await until(is_well, "nothing is held against the link any more")


async def test_a_secondary_has_no_say_in_config_entries(pair: Mesh) -> None:
    """Not even if it tells the primary some, and of other datacenters it tells nothing either."""
    one = pair["dc1"]
    entry = decode_entry(b'{"Kind": "service-defaults", "Name": "forged", "Protocol": "http"}')
    forged = {
        keys.entry_key("service-defaults", "forged"): codec.encode_entry(entry),
        keys.shared_key("member/evil"): codec.encode_federated(
            Member("evil", primary=True, joined_at=JOINED)
        ),
    }
    puts = tuple(Put(key, value) for key, value in forged.items())
    with pretending_to_be_primary():
        await pair.stop("dc2")
        await pair.start("dc2")
        await pair["dc2"].store.commit(Txn(puts), ORIGIN)
        await until_up(pair)
        await pair["dc2"].register("web")
        await until(lambda: "web" in one.parts.feed.view.remote.services_of("dc2"), "dc1 has heard of web")
    assert await one.has(keys.entry_key("service-defaults", "forged")) is None
    assert "evil" not in one.parts.feed.view.remote.members


async def test_what_a_member_told_is_forgotten_when_it_is_removed(pair: Mesh) -> None:
    one, two = pair["dc1"], pair["dc2"]
    await two.register("web")
    await until_agreed(one, two)
    await one.store.commit(Txn(deletes=(keys.shared_key("member/dc2"),)), ORIGIN)
    await until(lambda: not one.parts.feed.view.remote.services_of("dc2"), "its services are forgotten")
    assert await one.told("dc2") == {}
    await until(lambda: not two.is_up("dc1"), "its stream ends")
    assert "dc1" in two.link("dc1").error
    assert "member" in two.link("dc1").error
    assert one.parts.links.status() == ()


async def test_a_datacenter_to_which_no_way_is_known_tells_one_itself(mesh: Mesh) -> None:
    """dc1's own gateway does not lead to dc2 yet; that of dc2 does lead to dc1."""
    await mesh.start("dc1")
    await mesh.start("dc2")
    del mesh.relays["dc1"].targets["dc2"]
    await mesh.federate("dc1", "dc2")
    await until(lambda: mesh["dc1"].is_up("dc2"), "dc1 has learned the way")
    assert mesh["dc1"].link("dc2").via == f"127.0.0.1:{mesh.relays['dc2'].port}"


async def test_two_secondaries_find_one_another(mesh: Mesh) -> None:
    """Neither has a gateway that leads to the other one: the primary tells where those are."""
    names = ("dc1", "dc2", "dc3")
    for name in names:
        await mesh.start(name)
    del mesh.relays["dc2"].targets["dc3"], mesh.relays["dc3"].targets["dc2"]
    await mesh.federate(*names)
    await until(lambda: mesh["dc2"].is_up("dc3") and mesh["dc3"].is_up("dc2"), "they are linked")
    await until_agreed(*(mesh[name] for name in names))
    assert await mesh["dc2"].told("dc2") == {}


async def test_another_certificate_is_used_at_once(pair: Mesh) -> None:
    link = pair["dc2"].link("dc1")
    await pair["dc2"].parts.leaves.issuer.renew()
    await until(lambda: pair["dc2"].link("dc1").since > link.since, "the link is another one")
    await until_up(pair)
    await pair["dc1"].write(db="http")
    await until_agreed(pair["dc1"], pair["dc2"])


async def test_without_a_gateway_the_link_says_so_and_comes_up_when_there_is_one(mesh: Mesh) -> None:
    await mesh.start("dc1")
    two = await mesh.start("dc2")
    await mesh.let_in("dc1", "dc2")
    await put(two.store, keys.MEMBERSHIP, Membership("dc1", JOINED))
    await until(lambda: two.parts.links.status() and two.link("dc1").error, "it says what is missing")
    assert "no mesh gateway is known" in two.link("dc1").error
    with pytest.raises(NoRouteError, match="no mesh gateway is known"):
        two.parts.links.call("dc1")
    await two.gateway(mesh.relays["dc2"])
    await until(lambda: two.is_up("dc1"), "it is up")


async def test_what_another_release_tells_in_its_own_way_stops_the_link_and_says_why(pair: Mesh) -> None:
    """What was known stays: half of the truth may be worse than an old one."""
    one, two = pair["dc1"], pair["dc2"]
    await one.register("db")
    await until_agreed(one, two)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "told_key", lambda key, **_: "service/db" if "shared" in key else None)
        await one.store.commit(Txn((Put(keys.shared_key("tomorrow"), b"[]"),)), ORIGIN)
        await until(lambda: not two.is_up("dc1"), "the link is down")
        assert "upgrade" in two.link("dc1").error
        await until(lambda: two.link("dc1").attempts > 2, "it is tried again, and never up in between")
        assert not two.is_up("dc1")
    await until(lambda: two.is_up("dc1"), "it is up once the record is gone")
    assert "db" in two.parts.feed.view.remote.services_of("dc1")
