"""JSON (RFC 8259) with positions.

The standard library judges the syntax. Of valid JSON the tokens alone, in order, give the tree and its
positions, so a second parser is not needed.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, NoReturn

from xdsmesh.config.problems import TooManyProblemsError
from xdsmesh.config.syntax.reading import Reading, TooMuchError, too_deep_piece
from xdsmesh.config.tree import (
    MAX_DEPTH,
    Array,
    Member,
    Node,
    Object,
    Parsed,
    Position,
    Scalar,
    Unread,
    number,
)
from xdsmesh.config.wording import quoted
from xdsmesh.model.codes import Code

_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*+"|[{}\[\]]|[^\s{}\[\]:,"]+', re.DOTALL)
"""What is neither a comma nor a colon: in a text that is valid they tell nothing."""
_BRACKET: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*+(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)
_WORDS: Final = {"true": True, "false": False, "null": None}
_REMEDIES: Final = {
    "Expecting property name": 'a key in double quotes is due here; no "," follows the last member',
    "Expecting ','": 'put "," between members and between items',
    "Expecting ':'": 'put ":" between a key and its value',
    "Expecting value": 'a value is due here; text needs double quotes, and no "," follows the last item',
    "Illegal trailing comma": 'remove the ","',
    "Extra data": "a file is one JSON value; put several into a list",
    "Unterminated string": 'close it with "',
    "Invalid control character": r"write \n for a new line and \t for a tab",
    "Invalid \\escape": r"write \\ for a backslash",
}


def parse(text: str, source: str) -> Parsed:
    """Parse one JSON value."""
    reading = Reading(text, source)
    try:
        _refuse_depth(reading)
        roots = (_Builder(reading).node(),) if _is_valid(reading) else ()
    except (TooMuchError, TooManyProblemsError):
        roots = ()
    return Parsed(roots, tuple(reading.problems.found))


def _refuse_depth(reading: Reading) -> None:
    if reading.text.count("{") + reading.text.count("[") <= MAX_DEPTH:
        return
    deep = too_deep_piece(_BRACKET.findall(reading.text))
    if deep is not None:
        match = next(islice(_BRACKET.finditer(reading.text), deep, None))
        raise reading.too_deep(reading.at(match.start()))


class _ConstantError(Exception):
    """The standard library also reads ``NaN`` and ``Infinity``, which JSON does not have."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def _refuse_constant(word: str) -> NoReturn:
    raise _ConstantError(word)


_JUDGE: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)


def _is_valid(reading: Reading) -> bool:
    """Whether the text is JSON; if not, why is noted."""
    text, problems = reading.text, reading.problems
    try:
        _JUDGE.decode(text)
    except json.JSONDecodeError as error:
        remedy = next((remedy for start, remedy in _REMEDIES.items() if error.msg.startswith(start)), "")
        ended = error.pos >= len(text.rstrip())
        where = "at the end of the text" if ended else f"at {quoted(text[error.pos])}"
        what = f"this is not valid JSON {where}"
        problems.add(Position(error.lineno, error.colno), what, remedy or error.msg, code=Code.SYNTAX)
        return False
    except _ConstantError as error:
        start = next(match.start() for match in _TOKEN.finditer(text) if match.group() == error.word)
        what = f"{error.word} is not a number that JSON knows"
        problems.add(reading.at(start), what, code=Code.SYNTAX)
        return False
    return True


class _Builder:
    """Makes the tree of a text that is known to be valid."""

    def __init__(self, reading: Reading) -> None:
        self._tokens = _TOKEN.finditer(reading.text)
        self._reading = reading

    def node(self) -> Node:
        match = next(self._tokens)
        return self._value(match.start(), match.group())

    def _value(self, start: int, token: str) -> Node:
        at = self._reading.at(start)
        self._reading.count(at)
        if (first := token[0]) == "{":
            return Object(at, self._reading.unique(self._members()))
        if first == "[":
            return Array(at, tuple(self._items()))
        if first == '"':
            return self._text(at, token)
        return Scalar(at, _WORDS[token] if token in _WORDS else number(token), token)

    def _text(self, at: Position, token: str) -> Scalar | Unread:
        if "\\" in token:
            return self._reading.unescaped(at, json.loads(token))
        return Scalar(at, token[1:-1], token[1:-1])

    def _members(self) -> Iterator[Member]:
        for match in self._tokens:
            if (piece := match.group()) == "}":
                return
            at = self._reading.at(match.start())
            key = self._text(at, piece)
            value = self.node()
            yield Member(at, key.text, value if isinstance(key, Scalar) else Unread(value.at))

    def _items(self) -> Iterator[Node]:
        for match in self._tokens:
            if (piece := match.group()) == "]":
                return
            yield self._value(match.start(), piece)
