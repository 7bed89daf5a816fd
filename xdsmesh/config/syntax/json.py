"""JSON (RFC 8259) with positions.

The standard library judges the syntax. Of valid JSON the tokens alone, in order, give the tree and its
positions, so a second parser is not needed.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final, NoReturn

from xdsmesh.config.tree import (
    MAX_DEPTH,
    Array,
    Member,
    Node,
    Object,
    Parsed,
    Position,
    Scalar,
    number,
    readable,
    too_deep,
    unique,
)
from xdsmesh.config.wording import quoted
from xdsmesh.model.errors import Problem

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_WORDS: Final = {"true": True, "false": False, "null": None}
_DEEPER: Final = {"{": 1, "[": 1, "}": -1, "]": -1}
_REMEDIES: Final = {
    "Expecting property name": 'a key in double quotes is due here; no "," follows the last member',
    "Expecting ','": 'put "," between members and between items',
    "Expecting ':'": 'put ":" between a key and its value',
    "Expecting value": 'a value is due here; text needs double quotes, and no "," follows the last item',
    "Extra data": "a file is one JSON value; put several into a list",
    "Unterminated string": 'close it with "',
    "Invalid control character": r"write \n for a new line and \t for a tab",
    "Invalid \\escape": r"write \\ for a backslash",
}


def parse(text: str, source: str) -> Parsed:
    """Parse one JSON value."""
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    if (deep := _too_deep(text)) is not None:
        return Parsed(problems=(too_deep(_position(lines, deep), source),))
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return Parsed(problems=(_problem(error, source),))
    except _ConstantError as error:
        at = next(match.start() for match in _TOKEN.finditer(text) if match.group() == error.word)
        what = f"{error.word} is not a number that JSON knows"
        return Parsed(problems=(Problem(_position(lines, at).place(source), what),))
    builder = _Builder(text, lines, source)
    return Parsed((builder.node(),), tuple(builder.problems))


class _ConstantError(Exception):
    """The standard library also reads ``NaN`` and ``Infinity``, which JSON does not have."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def _refuse_constant(word: str) -> NoReturn:
    raise _ConstantError(word)


class _Builder:
    """Makes the tree of a text that is known to be valid."""

    def __init__(self, text: str, lines: list[int], source: str) -> None:
        self._tokens = _TOKEN.finditer(text)
        self._lines = lines
        self._source = source
        self.problems: list[Problem] = []

    def node(self) -> Node:
        at, token = self._next()
        return self._value(at, token)

    def _next(self) -> tuple[Position, str]:
        match = next(self._tokens)
        return _position(self._lines, match.start()), match.group()

    def _value(self, at: Position, token: str) -> Node:
        if (first := token[0]) == "{":
            return Object(at, unique(self._members(), self._source, self.problems))
        if first == "[":
            return Array(at, tuple(self._items()))
        if first == '"':
            text = self._text(at, token)
            return Scalar(at, text, text)
        return Scalar(at, _WORDS[token] if token in _WORDS else number(token), token)

    def _text(self, at: Position, token: str) -> str:
        return readable(json.loads(token), at, self._source, self.problems)

    def _members(self) -> Iterator[Member]:
        for at, token in self._until("}"):
            self._next()  # the colon
            yield Member(at, self._text(at, token), self.node())

    def _items(self) -> Iterator[Node]:
        for at, token in self._until("]"):
            yield self._value(at, token)

    def _until(self, closing: str) -> Iterator[tuple[Position, str]]:
        while (following := self._next())[1] != closing:
            if following[1] != ",":
                yield following


def _position(lines: list[int], offset: int) -> Position:
    line = bisect_right(lines, offset)
    return Position(line, offset - lines[line - 1] + 1)


def _too_deep(text: str) -> int | None:
    depth = 0
    for match in _TOKEN.finditer(text):
        depth += _DEEPER.get(match.group(), 0)
        if depth > MAX_DEPTH:
            return match.start()
    return None


def _problem(error: json.JSONDecodeError, source: str) -> Problem:
    remedy = next((remedy for start, remedy in _REMEDIES.items() if error.msg.startswith(start)), "")
    found = error.doc[error.pos : error.pos + 1]
    where = "at the end of the text" if error.pos >= len(error.doc.rstrip()) else f"at {quoted(found)}"
    return Problem(
        Position(error.lineno, error.colno).place(source),
        f"this is not valid JSON {where}",
        remedy or error.msg,
    )
