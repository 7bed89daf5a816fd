"""What is said of a link that is not up, by how far one comes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from xdsmesh.federation.diagnosis import (
    REFUSED,
    Probed,
    Side,
    Step,
    gateway_troubles,
    link_troubles,
    policy_troubles,
)
from xdsmesh.federation.report import Category, GatewayStatus
from xdsmesh.federation.status import LinkState, LinkStatus

GATEWAY = GatewayStatus("gw-1", "203.0.113.1:8443", healthy=True)
THEIRS = GatewayStatus("gw-2", "198.51.100.1:8443", healthy=True)
DC1, DC2 = Side("dc1", (GATEWAY,), "deny"), Side("dc2", (THEIRS,), "deny")
DOWN = LinkStatus("dc2", LinkState.DOWN, datetime(2026, 1, 1, tzinfo=UTC), error="it says no", declined=True)


@pytest.mark.parametrize(
    ("step", "category", "told"),
    [
        (Step.CONNECT, Category.ADDRESS, "the mesh gateway of dc1 at 10.0.1.1:8443 can't be reached"),
        (Step.HANDSHAKE, Category.SNI, "does not lead to server.dc2.consul"),
        (Step.CERTIFICATE, Category.TRUST, "the certificate of dc2 can't be believed here"),
        (Step.ADMISSION, Category.TRUST, "dc2 does not believe the certificate of dc1"),
        (Step.THROUGH, Category.TRUST, "the control plane of dc2 is reached, and there is no link"),
    ],
)
def test_where_it_ends_tells_what_it_is_about(step: Step, category: Category, told: str) -> None:
    (trouble,) = link_troubles(DC1, DC2, DOWN, [Probed("10.0.1.1:8443", step, "so it is")])
    assert (trouble.category, trouble.stops) == (category, True)
    assert told in trouble.what
    assert trouble.why
    assert trouble.remedy


def test_what_is_reached_again_comes_back_by_itself() -> None:
    """Its control plane has been started again, say; nobody has refused anything."""
    probed = Probed("10.0.1.1:8443", Step.THROUGH, "")
    (trouble,) = link_troubles(DC1, DC2, replace(DOWN, declined=False), [probed])
    assert trouble.category is Category.ADDRESS
    assert "the link is not back yet" in trouble.what


def test_without_an_own_gateway_the_address_is_the_other_datacenters() -> None:
    probed = Probed(THEIRS.address, Step.CONNECT, "no route to host")
    (trouble,) = link_troubles(Side("dc1", ()), DC2, DOWN, [probed])
    assert "the mesh gateway of dc2 at 198.51.100.1:8443" in trouble.what
    assert trouble.why == "no route to host"
    assert "wan address in dc2" in trouble.remedy


def test_a_name_that_is_not_routed_is_told_with_where_the_gateway_has_to_get() -> None:
    probed = Probed("10.0.1.1:8443", Step.HANDSHAKE, "the connection was closed")
    (trouble,) = link_troubles(DC1, DC2, DOWN, [probed])
    assert "198.51.100.1:8443" in trouble.remedy


def test_where_no_gateway_of_the_other_is_known_nothing_else_is_to_blame() -> None:
    unknown = Side("dc2", ())
    probed = Probed("10.0.1.1:8443", Step.HANDSHAKE, "the connection was closed")
    assert not list(link_troubles(DC1, unknown, DOWN, [probed]))
    assert [trouble.what for trouble in gateway_troubles(unknown)] == ["no mesh gateway of dc2 is known"]


def test_where_the_others_gateway_refuses_it_is_no_matter_of_the_name() -> None:
    ours = Probed("10.0.1.1:8443", Step.HANDSHAKE, "the connection was closed")
    (trouble,) = link_troubles(DC1, DC2, DOWN, [ours, Probed(THEIRS.address, Step.CONNECT, REFUSED)])
    assert trouble.category is Category.ADDRESS
    assert "the mesh gateway of dc2 at 198.51.100.1:8443" in trouble.what
    hidden = Probed(THEIRS.address, Step.CONNECT, "nobody answers")
    (trouble,) = link_troubles(DC1, DC2, DOWN, [ours, hidden])
    assert trouble.category is Category.SNI, "only gateways need to reach one another"


def test_what_works_is_not_talked_about() -> None:
    up = LinkStatus("dc2", LinkState.UP, DOWN.since)
    assert not list(link_troubles(DC1, DC2, up, []))
    assert not list(gateway_troubles(DC1))
    assert not list(policy_troubles(DC1, DC2))
    assert not list(policy_troubles(DC1, Side("dc2", ()))), "what is not known yet is no difference"


def test_gateways_that_are_missing_or_ill_stop_traffic() -> None:
    (missing,) = gateway_troubles(Side("dc1", ()))
    assert "xdsmesh envoy --gateway mesh" in missing.remedy
    (ill,) = gateway_troubles(Side("dc1", (GatewayStatus("gw-1", "203.0.113.1:8443", healthy=False),)))
    assert "gw-1 at 203.0.113.1:8443" in ill.why
    assert missing.stops
    assert ill.stops


def test_another_default_is_a_note() -> None:
    (trouble,) = policy_troubles(DC1, Side("dc2", (), "allow"))
    assert (trouble.category, trouble.stops) == (Category.INTENTION, False)
    assert "dc2 has another default" in trouble.what
