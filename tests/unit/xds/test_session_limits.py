"""What a stream may ask for at most, and what it must say."""

from collections.abc import Callable
from typing import Any

import pytest

from xdsmesh.xds.messages import Close, Code
from xdsmesh.xds.session import MAX_NAMES, MAX_TYPES

Make = Callable[..., Any]


def test_a_request_without_a_type_ends_the_stream(either: Make) -> None:
    talk = either()
    talk.ask("")
    assert isinstance(talk.answer, Close)
    assert talk.answer.code is Code.INVALID_ARGUMENT


def test_names_are_bounded(either: Make) -> None:
    talk = either()
    mark = "+" if talk.delta else ""
    talk.ask("EDS", " ".join(f"{mark}{number}" for number in range(MAX_NAMES + 1)))
    assert isinstance(talk.answer, Close)
    assert talk.answer.code is Code.RESOURCE_EXHAUSTED


def test_types_are_bounded(either: Make) -> None:
    talk = either()
    for number in range(MAX_TYPES):
        talk.ask(f"type.googleapis.com/{number}")
        assert talk.answer is None
    talk.ask("type.googleapis.com/one.more")
    assert isinstance(talk.answer, Close)


@pytest.mark.parametrize("count", [10_000])
def test_many_names_are_served_without_holding_up_others(either: Make, count: int) -> None:
    names = [str(number) for number in range(count)]
    talk = either(EDS=" ".join(f"{name}=1" for name in names))
    mark = "+" if talk.delta else ""
    sent = talk.ask("EDS", " ".join(mark + name for name in names))
    assert len(sent[0].split()) == count + 1
