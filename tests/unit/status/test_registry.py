"""What is recorded of streams, as whoever asks for the status sees it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from xdsmesh.model.resource import CLUSTER, ENDPOINT, LISTENER, Resources
from xdsmesh.status import Registry, Rejection, Snapshot, State, StreamRecord, TypeStatus
from xdsmesh.status.text import printable

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=5)


class AtSeven:
    """A proxy that has acknowledged revision 7."""

    def revision(self) -> int:
        return 7

    def settled(self) -> bool:
        return True

    def states(self, type_url: str, resources: Resources) -> dict[str, State]:
        del type_url
        return dict.fromkeys(resources, State.SYNCED)

    def wants(self, type_url: str, name: str) -> bool:
        del type_url, name
        return False


def record(proxy: str = "web-1") -> StreamRecord:
    return StreamRecord(proxy, "web", "1.40.0", "127.0.0.1:4", "delta", NOON, AtSeven())


def only_type(registry: Registry) -> TypeStatus:
    ((status,),) = [proxy.types for proxy in registry.snapshot().connected]
    return status


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def stream(registry: Registry) -> StreamRecord:
    stream = record()
    registry.connect(stream)
    stream.requested(CLUSTER)
    return stream


def test_a_connected_proxy_is_shown_until_it_leaves(registry: Registry, stream: StreamRecord) -> None:
    (shown,) = registry.snapshot().connected
    assert (shown.proxy, shown.service, shown.envoy_version) == ("web-1", "web", "1.40.0")
    assert (shown.variant, shown.address, shown.connected_at, shown.revision) == (
        "delta",
        "127.0.0.1:4",
        NOON,
        7,
    )
    registry.disconnect(stream)
    registry.disconnect(stream)
    assert registry.snapshot() == Snapshot()


def test_two_streams_of_one_proxy_are_both_shown(registry: Registry) -> None:
    first, second = record(), record()
    registry.connect(first)
    registry.connect(second)
    assert len(registry.snapshot().connected) == 2
    registry.disconnect(first)
    assert len(registry.snapshot().connected) == 1


def test_proxies_are_sorted_and_so_are_their_types(registry: Registry) -> None:
    for proxy in ("b", "a"):
        stream = record(proxy)
        registry.connect(stream)
        for type_url in ("type.googleapis.com/other", LISTENER, ENDPOINT, CLUSTER):
            stream.requested(type_url)
    connected = registry.snapshot().connected
    assert [proxy.proxy for proxy in connected] == ["a", "b"]
    assert [it.type for it in connected[0].types] == ["CDS", "EDS", "LDS", "type.googleapis.com/other"]


def test_a_type_that_was_asked_for_is_not_sent_at_first(registry: Registry, stream: StreamRecord) -> None:
    del stream
    assert only_type(registry) == TypeStatus("CDS", State.NOT_SENT)


def test_a_type_that_the_proxy_held_already_is_synced(registry: Registry, stream: StreamRecord) -> None:
    stream.unchanged(CLUSTER)
    assert only_type(registry).state is State.SYNCED


def test_a_type_is_stale_until_it_is_acknowledged(registry: Registry, stream: StreamRecord) -> None:
    stream.sent(CLUSTER, "v1", "1", 3, NOON)
    assert only_type(registry) == TypeStatus(
        "CDS", State.STALE, "v1", "1", sent_at=NOON, responses=1, resources=3
    )
    stream.acked(CLUSTER, "1", LATER, in_doubt=False)
    assert only_type(registry).state is State.SYNCED
    assert only_type(registry).acked_at == LATER
    stream.sent(CLUSTER, "v2", "2", 1, LATER)
    assert only_type(registry).state is State.STALE
    assert only_type(registry).resources == 4


def test_a_rejection_is_shown_with_its_reason_until_it_is_made_good(
    registry: Registry, stream: StreamRecord
) -> None:
    stream.sent(CLUSTER, "v1", "1", 2, NOON)
    stream.rejected(CLUSTER, "1", "no such\nfilter\x1b[31m", ("a", "b"), NOON)
    shown = only_type(registry)
    assert (shown.state, shown.error, shown.rejected) == (State.ERROR, "no such filter [31m", ("a", "b"))
    assert shown.nacks == 1
    stream.sent(CLUSTER, "v2", "2", 1, NOON)
    stream.acked(CLUSTER, "2", LATER, in_doubt=True)
    assert only_type(registry).state is State.ERROR, "the rejected resource is still missing"
    stream.acked(CLUSTER, "3", LATER, in_doubt=False)
    shown = only_type(registry)
    assert (shown.error, shown.rejected, shown.nacks) == ("", (), 1)
    assert shown.last_error == Rejection("no such filter [31m", ("a", "b"), NOON), "it is still told"


def test_who_was_refused_is_counted_and_the_latest_stands_first(registry: Registry) -> None:
    registry.refuse("x", "127.0.0.1", "not registered", NOON)
    registry.refuse("y", "127.0.0.1", "not registered", NOON)
    registry.refuse("x", "127.0.0.1", "not registered", LATER)
    first, second = registry.snapshot().refused
    assert (first.proxy, first.times, first.first_at, first.last_at) == ("x", 2, NOON, LATER)
    assert (second.proxy, second.times) == ("y", 1)


def test_who_is_served_is_no_longer_shown_as_refused(registry: Registry) -> None:
    registry.refuse("web-1", "127.0.0.1", "not registered", NOON)
    registry.refuse("web-1", "10.0.0.9", "not registered", NOON)
    registry.connect(record("web-1"))
    (other_machine,) = registry.snapshot().refused
    assert other_machine.address == "10.0.0.9"


def test_refusals_are_bounded(registry: Registry) -> None:
    for number in range(500):
        registry.refuse(f"p{number}", "127.0.0.1", "not registered", NOON)
    refused = registry.snapshot().refused
    assert len(refused) == 100
    assert refused[0].proxy == "p499"


def test_a_hostile_id_forges_no_line(registry: Registry) -> None:
    registry.refuse("a\nb\x1b[2J" + "x" * 1000, "127.0.0.1", "not registered", NOON)
    (refused,) = registry.snapshot().refused
    assert refused.proxy.startswith("a b [2Jxxx")
    assert len(refused.proxy) == 256


def test_streams_are_found_by_their_proxies(registry: Registry, stream: StreamRecord) -> None:
    other = record("web-2")
    registry.connect(other)
    assert registry.streams({"web-1", "web-3"}) == [stream]
    registry.disconnect(stream)
    assert registry.streams({"web-1"}) == []


def test_who_watches_a_stream_is_told_that_it_left(registry: Registry, stream: StreamRecord) -> None:
    told: list[bool] = []

    def watch(each: StreamRecord) -> None:
        told.append(each.connected)

    stream.watch(watch)
    stream.moved()
    registry.disconnect(stream)
    stream.unwatch(watch)
    stream.moved()
    assert told == [True, False]


def test_a_snapshot_survives_json(registry: Registry, stream: StreamRecord) -> None:
    stream.sent(CLUSTER, "v1", "1", 2, NOON)
    stream.rejected(CLUSTER, "1", "no", ("a",), LATER)
    registry.refuse("x", "127.0.0.1", "not registered", NOON)
    snapshot = registry.snapshot()
    assert msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot) == snapshot


def test_keys_in_an_error_are_not_shown() -> None:
    text = "can't use -----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY----- here"
    assert printable(text) == "can't use [PEM removed] here"
    assert "MC4" not in printable(text[:50])


def test_long_text_is_cut() -> None:
    assert printable("x" * 5000) == "x" * 999 + "…"
