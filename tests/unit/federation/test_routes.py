from datetime import UTC, datetime, timedelta

import pytest

from xdsmesh.catalog import codec, keys
from xdsmesh.catalog.view import CatalogView
from xdsmesh.federation.advertised import federation_address
from xdsmesh.federation.members import others
from xdsmesh.federation.peer import Peer, peer_of
from xdsmesh.federation.routes import routes
from xdsmesh.federation.status import LinkState, LinkStatus
from xdsmesh.model.catalog import Instance, Kind, Node, ServiceAddress
from xdsmesh.model.checks import Check, CheckStatus, Health
from xdsmesh.model.federation import Member, Membership, RemoteGateway, RemoteGateways
from xdsmesh.model.origin import Origin, Source
from xdsmesh.settings import Address
from xdsmesh.store.base import Change, Record

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NODE = Node("n1", "10.0.0.1", "dc1")
ME = Origin(Source.API)


def view_of(*records: tuple[str, bytes]) -> CatalogView:
    view = CatalogView()
    view.take([Change(key, Record(key, value, ME, 1, 1)) for key, value in records])
    return view


def gateway(name: str, **more: object) -> tuple[str, bytes]:
    instance = Instance(name, "mesh-gateway", NODE, Kind.MESH_GATEWAY, "10.0.0.2", 8443, **more)  # type: ignore[arg-type]
    return keys.instance_key("n1", name), codec.encode_instance(instance)


def critical(name: str) -> list[tuple[str, bytes]]:
    check = Check(name, name, service_id=name, node="n1")
    status = CheckStatus(Health.CRITICAL)
    return [
        (keys.check_key("n1", name), codec.encode_check(check)),
        (keys.status_key("n1", name), codec.encode_status(status)),
    ]


THEIRS = (
    RemoteGateway("a", "192.0.2.1", 443, healthy=False),
    RemoteGateway("b", "2001:db8::1", 443),
)


def test_our_own_gateways_come_first_and_the_healthy_ones_before_the_others() -> None:
    lan = {"lan": ServiceAddress("10.0.0.3", 9443), "wan": ServiceAddress("198.51.100.1", 443)}
    own = [gateway("g1"), *critical("g1"), gateway("g2", tagged_addresses=lan)]
    theirs = codec.encode_federated(RemoteGateways(THEIRS))
    view = view_of(*own, (keys.remote_key("dc2", "gateways"), theirs))
    assert routes(view, "dc2") == ("10.0.0.3:9443", "10.0.0.2:8443", "[2001:db8::1]:443", "192.0.2.1:443")
    assert routes(view, "dc3") == ("10.0.0.3:9443", "10.0.0.2:8443")


def test_without_gateways_nothing_leads_there() -> None:
    assert routes(view_of(), "dc2") == ()


def member(name: str) -> bytes:
    return codec.encode_federated(Member(name, name == "dc1", NOW))


def test_a_secondary_that_has_heard_nothing_knows_the_primary() -> None:
    joined = (keys.MEMBERSHIP, codec.encode_federated(Membership("dc1", NOW)))
    assert others(view_of().remote, "dc2") == set()
    assert others(view_of(joined).remote, "dc2") == {"dc1"}
    heard = [(keys.remote_key("dc1", f"member/{name}"), member(name)) for name in ("dc1", "dc2", "dc3")]
    assert others(view_of(joined, *heard).remote, "dc2") == {"dc1", "dc3"}


@pytest.mark.parametrize(
    ("ids", "peer"),
    [
        ([b"spiffe://td/agent/server/dc/dc2"], Peer("spiffe://td/agent/server/dc/dc2", "dc2")),
        ([b"spiffe://td/agent/join/t1"], Peer("spiffe://td/agent/join/t1")),
        ([b"spiffe://td/ns/default/dc/dc2/svc/web"], Peer("spiffe://td/ns/default/dc/dc2/svc/web")),
        ([b"spiffe://other/agent/server/dc/dc2"], None),
        ([b"spiffe://td/agent/server/dc/dc2", b"spiffe://td/agent/server/dc/dc3"], None),
        ([], None),
    ],
)
def test_a_peer_is_who_its_certificate_says(ids: list[bytes], peer: Peer | None) -> None:
    assert peer_of({"peer_spiffe_id": ids}, "td") == peer


def test_gateways_are_told_an_address_that_leads_here() -> None:
    assert federation_address(Address("127.0.0.1", 8600), "") == ServiceAddress("127.0.0.1", 8600)
    assert federation_address(Address("127.0.0.1", 8600), "10.1.1.1") == ServiceAddress("10.1.1.1", 8600)
    assert federation_address(Address("0.0.0.0", 8600), "").address != "0.0.0.0"


def test_what_is_known_is_as_old_as_the_last_word_or_as_what_is_missing() -> None:
    ago = [NOW - timedelta(seconds=seconds) for seconds in range(10)]
    up = LinkStatus("dc2", LinkState.UP, NOW, heard_at=ago[1])
    down = LinkStatus("dc2", LinkState.DOWN, NOW, heard_at=ago[5])
    behind = LinkStatus("dc2", LinkState.UP, NOW, heard_at=ago[1], behind_since=ago[7])
    never = LinkStatus("dc2", LinkState.CONNECTING, NOW)
    assert [each.lag(NOW).seconds for each in (up, down, behind, never)] == [0, 5, 7, 0]
