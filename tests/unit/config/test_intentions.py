"""What entries say of two services, and edits of one intention."""

from collections.abc import Callable
from typing import Any

import pytest

from xdsmesh.config.entry import Entry
from xdsmesh.config.intentions import (
    Caller,
    Intention,
    allows,
    deciding,
    from_source,
    in_order,
    intentions_of,
    to_destination,
    with_source,
    without_source,
)
from xdsmesh.config.kinds.service_intentions import ServiceIntentions, SourceIntention

Make = Callable[..., Entry]

GET = [{"Action": "allow", "HTTP": {"Methods": ["get"]}}]
MESH: dict[str, list[dict[str, Any]]] = {
    "*": [{"Name": "*", "Action": "deny"}, {"Name": "batch", "Action": "allow"}],
    "db": [{"Name": "*", "Action": "allow"}, {"Name": "web", "Action": "deny"}],
    "api": [
        {"Name": "web", "Permissions": GET},
        {"Name": "cron", "Action": "allow"},
        {"Name": "*", "Peer": "east", "Action": "allow"},
        {"Name": "web", "Peer": "east", "Action": "deny"},
    ],
}


@pytest.fixture
def entry(make: Make) -> Callable[..., ServiceIntentions]:
    """Makes the intentions of a destination."""

    def make_entry(name: str, *sources: dict[str, Any], **fields: Any) -> ServiceIntentions:
        made = make("service-intentions", name, Sources=list(sources), **fields)
        assert isinstance(made, ServiceIntentions)
        return made

    return make_entry


@pytest.fixture
def mesh(entry: Callable[..., ServiceIntentions]) -> list[Intention]:
    return [each for name, sources in MESH.items() for each in intentions_of(entry(name, *sources))]


def told(intentions: list[Intention]) -> list[str]:
    return [f"{each.source.precedence} {each}" for each in intentions]


def test_all_are_in_the_order_in_which_they_are_looked_at(mesh: list[Intention]) -> None:
    assert told(in_order(mesh)) == [
        "9 cron => api (allow)",
        "9 web => api (1 permission)",
        "9 web => db (deny)",
        "9 peer:east/web => api (deny)",
        "8 * => db (allow)",
        "8 peer:east/* => api (allow)",
        "6 batch => * (allow)",
        "5 * => * (deny)",
    ]


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        (
            "db",
            ["9 web => db (deny)", "8 * => db (allow)", "6 batch => * (allow)", "5 * => * (deny)"],
        ),
        ("unknown", ["6 batch => * (allow)", "5 * => * (deny)"]),
        ("*", ["6 batch => * (allow)", "5 * => * (deny)"]),
    ],
)
def test_a_destination_is_matched_by_its_name_and_by_all(
    mesh: list[Intention], destination: str, expected: list[str]
) -> None:
    assert told(to_destination(mesh, destination)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "web",
            [
                "9 web => api (1 permission)",
                "9 web => db (deny)",
                "8 * => db (allow)",
                "5 * => * (deny)",
            ],
        ),
        ("batch", ["8 * => db (allow)", "6 batch => * (allow)", "5 * => * (deny)"]),
        ("*", ["8 * => db (allow)", "5 * => * (deny)"]),
    ],
)
def test_a_source_is_matched_by_its_name_and_by_all_but_not_in_peers(
    mesh: list[Intention], source: str, expected: list[str]
) -> None:
    assert told(from_source(mesh, source)) == expected


@pytest.mark.parametrize(
    ("caller", "destination", "decision", "is_allowed"),
    [
        (Caller("web"), "db", "web => db (deny)", False),
        (Caller("cron"), "db", "* => db (allow)", True),
        (Caller("batch"), "db", "* => db (allow)", True),
        (Caller("batch"), "api", "batch => * (allow)", True),
        (Caller("other"), "api", "* => * (deny)", False),
        (Caller("web"), "api", "web => api (1 permission)", False),
        (Caller("web", "east"), "api", "peer:east/web => api (deny)", False),
        (Caller("cron", "east"), "api", "peer:east/* => api (allow)", True),
        (Caller("cron", "west"), "api", "None", True),
    ],
)
def test_the_most_exact_one_decides(
    mesh: list[Intention], caller: Caller, destination: str, decision: str, *, is_allowed: bool
) -> None:
    found = deciding(mesh, caller, destination)

    assert str(found) == decision
    assert allows(found, by_default=True) is is_allowed
    assert allows(found, by_default=False) is (is_allowed and found is not None)


def test_an_intention_shows_the_meta_of_its_entry(entry: Callable[..., ServiceIntentions]) -> None:
    (intention,) = intentions_of(entry("db", {"Name": "web", "Action": "deny"}, Meta={"a": "b"}), 3, 7)

    assert (intention.meta, intention.created, intention.modified) == ({"a": "b"}, 3, 7)


def names(entry: ServiceIntentions | None) -> list[str]:
    return [f"{Caller(*each.identity)} {each.action}" for each in entry.sources] if entry else []


def test_a_source_is_put_in_its_place_and_replaces_what_was_said_of_it(
    entry: Callable[..., ServiceIntentions],
) -> None:
    before = entry("db", {"Name": "web", "Action": "deny"}, {"Name": "*", "Action": "deny"}, Meta={"a": "b"})

    for source, expected in (
        (SourceIntention(name="web", action="allow"), ["web allow", "* deny"]),
        (SourceIntention(name="cron", action="allow"), ["web deny", "cron allow", "* deny"]),
        (
            SourceIntention(name="web", peer="east", action="deny"),
            ["web deny", "peer:east/web deny", "* deny"],
        ),
    ):
        after = with_source(before, "db", source.to("db"))
        assert names(after) == expected
        assert after.meta == before.meta
    assert names(with_source(None, "db", SourceIntention(name="web", action="allow"))) == ["web allow"]


def test_with_its_last_source_an_entry_says_nothing(entry: Callable[..., ServiceIntentions]) -> None:
    two = entry("db", {"Name": "web", "Action": "deny"}, {"Name": "*", "Action": "deny"})

    one = without_source(two, Caller("web"))

    assert names(one) == ["* deny"]
    assert without_source(two, Caller("web", "east")) == two
    assert one is not None
    assert without_source(one, Caller("*")) is None
