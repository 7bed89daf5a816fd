"""Filters against a plain evaluator that knows no shapes: it walks nested dictionaries and lists."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, to_builtins

from xdsmesh.config.filter import FilterSyntaxError, parse, rows


class Check(Struct, rename="pascal"):
    status: str
    tags: list[str]


class Row(Struct, rename="pascal"):
    name: str
    port: int
    tags: list[str]
    meta: dict[str, str]
    checks: list[Check]


class Question(NamedTuple):
    """A filter as text, how tight its outermost operator binds, and what it means for a plain row."""

    text: str
    binding: int
    judge: Callable[[Any], bool]

    def within(self, binding: int) -> str:
        return self.text if self.binding >= binding else f"({self.text})"


OR, AND, NOT, MATCH = range(4)
OPPOSITES: Final = {"!=": "==", "not in": "in", "is not empty": "is empty"}
EQUALITY: Final = ("==", "!=")
MEMBERSHIP: Final = ("in", "not in")
EMPTINESS: Final = ("is empty", "is not empty")
SELECTORS: Final = {
    "Name": EQUALITY + MEMBERSHIP,
    "Port": EQUALITY,
    "Tags": MEMBERSHIP + EMPTINESS,
    "Meta": MEMBERSHIP + EMPTINESS,
    "Meta.a": EQUALITY + MEMBERSHIP,
    "Checks": EMPTINESS,
    "Checks.Status": EQUALITY + MEMBERSHIP,
    "Checks.Tags": MEMBERSHIP + EMPTINESS,
}


def judge(value: Any, path: list[str], operator: str, wanted: str) -> bool:
    if path and isinstance(value, list):
        return any(judge(item, path, operator, wanted) for item in value)
    if path:
        key, *rest = path
        return judge(value[key], rest, operator, wanted) if key in value else operator in OPPOSITES
    if operator in OPPOSITES:
        return not judge(value, path, OPPOSITES[operator], wanted)
    match operator:
        case "==":
            return str(value) == wanted
        case "in":
            return wanted in value
        case _:
            return len(value) == 0


@st.composite
def matches(draw: st.DrawFn) -> Question:
    selector = draw(st.sampled_from(sorted(SELECTORS)))
    operator = draw(st.sampled_from(SELECTORS[selector]))
    wanted = draw(st.sampled_from(("1", "2")) if selector == "Port" else words)
    quoted = draw(st.sampled_from((f'"{wanted}"', f"`{wanted}`")))
    if operator in EMPTINESS:
        text = f"{selector} {operator}"
    elif operator in EQUALITY:
        text = f"{selector}{operator}{quoted}"
    else:
        swapped = f"{selector} {operator.replace('in', 'contains')} {quoted}"
        text = draw(st.sampled_from((f"{quoted} {operator} {selector}", swapped)))
    return Question(text, MATCH, lambda row: judge(row, selector.split("."), operator, wanted))


def both(left: Question, right: Question) -> Question:
    text = f"{left.within(AND)} and {right.within(AND)}"
    return Question(text, AND, lambda row: left.judge(row) and right.judge(row))


def either(left: Question, right: Question) -> Question:
    return Question(f"{left.text} or {right.text}", OR, lambda row: left.judge(row) or right.judge(row))


def negation(inner: Question) -> Question:
    return Question(f"not {inner.within(NOT)}", NOT, lambda row: not inner.judge(row))


words = st.sampled_from(("a", "b", "ab", "1", "x y", ""))
tags = st.lists(words, max_size=2)
row_values = st.builds(
    Row,
    name=words,
    port=st.sampled_from((1, 2)),
    tags=tags,
    meta=st.dictionaries(st.sampled_from(("a", "b")), words),
    checks=st.lists(st.builds(Check, status=words, tags=tags), max_size=2),
)
questions = st.recursive(
    matches(),
    lambda inner: st.one_of(
        st.builds(both, inner, inner), st.builds(either, inner, inner), st.builds(negation, inner)
    ),
    max_leaves=8,
)


@given(questions, st.lists(row_values, min_size=1, max_size=8))
def test_a_filter_means_what_its_words_say(question: Question, values: list[Row]) -> None:
    is_selected = rows(question.text, Row)
    assert [is_selected(row) for row in values] == [question.judge(to_builtins(row)) for row in values]


PIECES: Final = (
    *("Service.Port", "a", '"b"', "`c`", "1", "-2.5", "ü"),
    *("==", "!=", "in", "is", "empty", "contains", "matches", "not", "and", "or"),
    *("(", ")", '"', "[", "]", ".", "=", "\n", "\\", "\x00"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=20), st.sampled_from(("", " ")))
def test_any_other_text_is_refused_with_a_place_in_it(parts: list[str], between: str) -> None:
    text = between.join(parts)
    with suppress(FilterSyntaxError):
        parse(text)
        return
    with pytest.raises(FilterSyntaxError) as refused:
        parse(text)
    assert 1 <= refused.value.column <= len(text) + 1
