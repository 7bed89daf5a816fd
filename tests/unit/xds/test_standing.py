"""What a client has of each resource, and whether anything is still to come."""

from collections.abc import Callable
from typing import Any

from xdsmesh.model.resource import CLUSTER, ROUTE

Make = Callable[..., Any]


def states(talk: Any) -> dict[str, str]:
    return {name: state.value for name, state in talk.session.states(CLUSTER, talk.view.clusters).items()}


def test_a_resource_is_in_sync_once_it_is_acknowledged(either: Make) -> None:
    talk = either(CDS="a=1 b=1")
    assert states(talk) == {"a": "NOT SENT", "b": "NOT SENT"}
    talk.ask("CDS")
    assert states(talk) == {"a": "STALE", "b": "STALE"}
    talk.ack("CDS")
    assert states(talk) == {"a": "SYNCED", "b": "SYNCED"}
    assert talk.session.states(ROUTE, {}) == {}


def test_an_older_version_is_stale_and_a_rejected_one_an_error(delta: Make) -> None:
    talk = delta(CDS="a=1 b=1")
    talk.settle("CDS")
    talk.push(CDS="a=2 b=1")
    assert states(talk) == {"a": "STALE", "b": "SYNCED"}
    talk.push(CDS="a=2 b=1 c=1")
    assert states(talk) == {"a": "STALE", "b": "SYNCED", "c": "NOT SENT"}
    talk.nack("CDS")
    assert states(talk)["a"] == "ERROR"


def test_a_talk_is_settled_when_no_answer_is_to_come(either: Make) -> None:
    talk = either(CDS="a=1")
    talk.ask("CDS")
    assert not talk.session.settled(talk.view)
    talk.nack("CDS")
    assert talk.session.settled(talk.view)
    assert not talk.session.acknowledged(talk.view)
    other = either(CDS="a=2").view
    assert not talk.session.settled(other), "it was not sent yet"
