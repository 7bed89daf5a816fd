from datetime import UTC, datetime

from xdsmesh.status import ProxyStatus, State, TypeStatus
from xdsmesh.status.words import listed, why_not_acknowledged

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)


def proxy(*types: TypeStatus) -> ProxyStatus:
    return ProxyStatus("web-1", "web", "1.40.0", "127.0.0.1:4", "delta", NOON, 3, types)


def test_a_rejection_is_told_with_what_it_was_made_from() -> None:
    error = TypeStatus(
        "LDS",
        State.ERROR,
        nonce="2",
        error="no such filter",
        rejected=("public_listener",),
        causes=("service-defaults/web (mesh.hcl:3:1)",),
    )
    assert why_not_acknowledged(proxy(TypeStatus("CDS", State.STALE, nonce="3"), error)) == (
        "rejected LDS (public_listener): no such filter; made from service-defaults/web (mesh.hcl:3:1)"
    )


def test_without_a_rejection_the_types_that_were_not_answered_are_told() -> None:
    types = (TypeStatus("CDS", State.SYNCED, nonce="1"), TypeStatus("EDS", State.STALE, nonce="2"))
    assert why_not_acknowledged(proxy(*types)) == "has not answered EDS"


def test_what_waits_for_something_else_was_not_sent() -> None:
    assert why_not_acknowledged(proxy(TypeStatus("CDS", State.SYNCED, nonce="1"))) == (
        "has not been sent all of it yet"
    )


def test_a_long_list_is_cut() -> None:
    assert listed([str(number) for number in range(12)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
