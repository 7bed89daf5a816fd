from datetime import UTC, datetime

import pytest

from xdsmesh.catalog import codec, keys
from xdsmesh.config.files import decode_entry
from xdsmesh.federation.applying import Told, UnreadableError, decide, origin_of
from xdsmesh.model.federation import (
    Cursor,
    Member,
    RemoteGateway,
    RemoteGateways,
    RemoteInstance,
    RemoteService,
    RemoteSubset,
)
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Expect, Record, Txn

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CURSOR = Cursor("store", 7, NOW)
EMPTY = codec.encode_federated(RemoteService(()))
ENTRY = codec.encode_entry(decode_entry(b'{"Kind": "service-defaults", "Name": "db", "Protocol": "http"}'))
MEMBER = codec.encode_federated(Member("dc3", primary=False, joined_at=NOW))
PRIMARY = Origin(Source.PRIMARY, "dc1")


def record(key: str, value: bytes, origin: Origin | None = None) -> Record:
    return Record(key, value, origin or origin_of("dc1"), 1, 3)


def decided(told: Told, *current: Record) -> Txn:
    return decide(told, told.accepted(), {each.key: each for each in current}, None)


def written(txn: Txn) -> set[str]:
    return {put.key for put in txn.puts} - {"remote/dc1/cursor"}


def test_what_each_tells_of_itself_is_kept_under_its_own_name() -> None:
    txn = decided(Told("dc1", {"service/db": EMPTY, "service/remote/dc2/web": EMPTY}, CURSOR))
    assert written(txn) == {"remote/dc1/service/db", "remote/dc1/service/remote/dc2/web"}
    assert txn.puts[-1].value == codec.encode_federated(CURSOR)


@pytest.mark.parametrize(
    "key", ["entry/service-defaults/db", "member/dc3", "trust", "cursor", "ca/authority", "token/x", ""]
)
def test_a_secondary_has_no_say_in_anything_else(key: str) -> None:
    assert Told("dc2", {key: MEMBER}, CURSOR).accepted() == {}


def test_the_primary_has_a_say_in_entries_and_members() -> None:
    values: dict[str, bytes | None] = {"entry/service-defaults/db": ENTRY, "member/dc3": MEMBER}
    txn = decided(Told("dc1", values, CURSOR, primary=True))
    assert written(txn) == {"entry/service-defaults/db", "remote/dc1/member/dc3", keys.GUARD}
    (entry,) = (put for put in txn.puts if put.key.startswith("entry/"))
    assert entry.origin == PRIMARY
    assert Expect(keys.GUARD, 0) in txn.expects


@pytest.mark.parametrize("key", ["cursor", "ca/authority", "token/x", "remote/dc2/server"])
def test_the_primary_has_no_say_in_anything_else(key: str) -> None:
    assert Told("dc1", {key: MEMBER}, CURSOR, primary=True).accepted() == {}


GATEWAYS = {at: codec.encode_federated(RemoteGateways((), revision=at)) for at in (5, 6, 7)}
WAY = "remote/dc3/gateways"


def test_the_primary_tells_the_way_to_others_and_not_to_ourselves() -> None:
    told = Told("dc1", {"way/dc3": GATEWAYS[6], "way/dc2": GATEWAYS[6]}, CURSOR, "dc2", primary=True)
    assert written(decided(told)) == {WAY}
    assert Told("dc3", {"way/dc4": GATEWAYS[6]}, CURSOR, "dc2").accepted() == {}, "a secondary does not"


@pytest.mark.parametrize("whole", [False, True])
def test_what_a_datacenter_has_told_of_its_gateways_later_itself_stays(*, whole: bool) -> None:
    told = Told("dc1", {"way/dc3": GATEWAYS[6]}, CURSOR, "dc2", primary=True, whole=whole)
    late = decided(told, record(WAY, GATEWAYS[7]))
    assert (written(late), late.deletes) == (set(), ())
    assert written(decided(told, record(WAY, GATEWAYS[5]))) == {WAY}


@pytest.mark.parametrize(
    "instance",
    [
        RemoteInstance("192.0.2.1", 0),
        RemoteInstance("192.0.2.1", 70_000),
        RemoteInstance("no name", 1),
        RemoteInstance("192.0.2.1", 1, weight=0),
    ],
)
def test_a_place_that_envoy_would_not_take_is_not_believed(instance: RemoteInstance) -> None:
    service = codec.encode_federated(RemoteService((RemoteSubset("", (instance,)),)))
    with pytest.raises(UnreadableError, match="dc2 tells service/db in a way that can't be read here"):
        Told("dc2", {"service/db": service}, CURSOR).accepted()


def test_what_is_there_already_is_not_written_again() -> None:
    told = Told("dc1", {"service/db": EMPTY, "entry/service-defaults/db": ENTRY}, CURSOR, primary=True)
    current = (record("remote/dc1/service/db", EMPTY), record("entry/service-defaults/db", ENTRY, PRIMARY))
    txn = decided(told, *current)
    assert (written(txn), txn.deletes, txn.expects) == (set(), (), ())


def test_an_entry_of_the_same_words_but_another_writer_becomes_that_of_the_primary() -> None:
    told = Told("dc1", {"entry/service-defaults/db": ENTRY}, CURSOR, primary=True)
    txn = decided(told, record("entry/service-defaults/db", ENTRY, Origin(Source.API)))
    assert "entry/service-defaults/db" in written(txn)


def test_what_is_gone_there_goes_here() -> None:
    told = Told("dc1", {"service/db": None, "service/never-heard-of": None}, CURSOR)
    assert decided(told, record("remote/dc1/service/db", EMPTY)).deletes == ("remote/dc1/service/db",)


def test_what_a_whole_does_not_have_goes() -> None:
    told = Told("dc1", {"service/db": EMPTY}, CURSOR, primary=True, whole=True)
    current = [record("remote/dc1/service/db", EMPTY), record("remote/dc1/service/old", EMPTY)]
    txn = decided(told, *current, record("entry/service-defaults/old", ENTRY, PRIMARY))
    assert txn.deletes == ("entry/service-defaults/old", "remote/dc1/service/old")
    assert written(txn) == {keys.GUARD}


def gateways(port: int, revision: int) -> bytes:
    return codec.encode_federated(RemoteGateways((RemoteGateway("g", "192.0.2.1", port),), revision))


def test_of_two_words_about_gateways_the_later_one_counts() -> None:
    """A report may have come before what it is about."""
    known = record("remote/dc1/gateways", gateways(2, revision=9))
    assert written(decided(Told("dc1", {"gateways": gateways(1, revision=5)}, CURSOR), known)) == set()
    assert written(decided(Told("dc1", {"gateways": gateways(3, revision=10)}, CURSOR), known)) != set()
    whole = Told("dc1", {"gateways": gateways(1, revision=5)}, CURSOR, whole=True)
    assert written(decided(whole, known)) != set()  # of another store, perhaps


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("service/db", b"{"),
        ("service/db", b'{"subsets":1}'),
        ("entry/of-tomorrow/db", b"{}"),
        ("member/x", b"1"),
    ],
)
def test_what_cannot_be_read_is_refused_whole(key: str, value: bytes) -> None:
    with pytest.raises(UnreadableError, match=f"dc1 tells {key} .* upgrade"):
        Told("dc1", {"service/web": EMPTY, key: value}, CURSOR, primary=True).accepted()
