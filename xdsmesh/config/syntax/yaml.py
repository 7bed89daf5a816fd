"""YAML with positions: plain scalars by YAML 1.2's core schema (section 10.3.2), so ``no`` is text.

Read from the parser's events, so that what we refuse (anchors, aliases, tags) is never expanded.
"""

import re
from collections.abc import Iterator
from typing import Final

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)

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
from xdsmesh.model.errors import Problem

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER: Final = re.compile(r"[-+]?(0|[1-9]\d*)(\.\d*)?([eE][-+]?\d+)?|0x[0-9a-fA-F]+")


def parse(text: str, source: str) -> Parsed:
    """Parse a stream of YAML documents; empty documents are left out."""
    builder = _Builder(text, source)
    try:
        roots = tuple(builder.roots())
    except _RefusedError as error:
        return Parsed(problems=(error.problem,))
    except yaml.MarkedYAMLError as error:
        return Parsed(problems=(_problem(error, source),))
    except yaml.reader.ReaderError as error:
        what = f"the character U+{_code(error.character):04X} may not stand in YAML"
        return Parsed(
            problems=(Problem(_position_of(text, error.position).place(source), what, "remove it"),)
        )
    return Parsed(roots, tuple(builder.problems))


class _RefusedError(Exception):
    """A construct of YAML that config files do not have."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class _Builder:
    """Makes trees from the parser's events."""

    def __init__(self, text: str, source: str) -> None:
        self._events: Iterator[Event] = yaml.parse(text, Loader=_LOADER)
        self._source = source
        self.problems: list[Problem] = []

    def roots(self) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                root = self._node(next(self._events), 1)
                if not (isinstance(root, Scalar) and root.value is None):
                    yield root

    def _node(self, event: Event, depth: int) -> Node:
        at = _position(event)
        self._refuse_references(event, at)
        if isinstance(event, ScalarEvent):
            text = self._text(event)
            return Scalar(at, text if event.style else _plain(text), text)
        if depth > MAX_DEPTH:
            raise _RefusedError(too_deep(at, self._source))
        if isinstance(event, MappingStartEvent):
            return Object(at, unique(self._members(depth), self._source, self.problems))
        return Array(at, tuple(self._node(item, depth + 1) for item in self._until(SequenceEndEvent)))

    def _text(self, event: ScalarEvent) -> str:
        return readable(event.value, _position(event), self._source, self.problems)

    def _members(self, depth: int) -> Iterator[Member]:
        for event in self._until(MappingEndEvent):
            at = _position(event)
            self._refuse_references(event, at)
            if not isinstance(event, ScalarEvent):
                raise _RefusedError(Problem(at.place(self._source), "a key must be a single word or text"))
            yield Member(at, self._text(event), self._node(next(self._events), depth + 1))

    def _until(self, end: type[CollectionEndEvent]) -> Iterator[Event]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _refuse_references(self, event: Event, at: Position) -> None:
        if isinstance(event, AliasEvent):
            what, remedy = f"aliases such as *{event.anchor} are not read", "write the value out"
        elif isinstance(event, NodeEvent) and event.anchor:
            what, remedy = f"anchors such as &{event.anchor} are not read", "remove it"
        elif isinstance(event, (ScalarEvent, CollectionStartEvent)) and event.tag is not None:
            what, remedy = f"tags such as {event.tag} are not read", "remove it"
        else:
            return
        raise _RefusedError(Problem(at.place(self._source), what, remedy))


def _plain(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    return number(text) if _NUMBER.fullmatch(text) else text


def _position(event: Event) -> Position:
    mark = event.start_mark
    if mark is None:
        return Position()
    return Position(mark.line + 1, mark.column + 1)


def _position_of(text: str, offset: int) -> Position:
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def _code(character: object) -> int:
    return character if isinstance(character, int) else ord(str(character)[:1])


def _problem(error: yaml.MarkedYAMLError, source: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    at = Position(mark.line + 1, mark.column + 1) if mark else Position()
    details = " ".join(part for part in (error.context, error.problem) if part)
    return Problem(at.place(source), f"this is not valid YAML: {details}", error.note or "")
