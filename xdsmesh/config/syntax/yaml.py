"""YAML with positions: plain scalars by YAML 1.2's core schema (section 10.3.2), so ``no`` is text.

Read from the parser's events, so that what we refuse (anchors, aliases, tags) is never expanded.
"""

import re
from collections.abc import Iterator
from typing import Final

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from xdsmesh.config.problems import TooManyProblemsError
from xdsmesh.config.syntax.reading import Reading, TooMuchError
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
from xdsmesh.config.wording import shortened
from xdsmesh.model.codes import Code

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER: Final = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0x[0-9a-fA-F]+")


def parse(text: str, source: str) -> Parsed:
    """Parse a stream of YAML documents; empty documents are left out."""
    reading = Reading(text, source)
    try:
        roots = tuple(_Builder(reading).roots())
    except (TooMuchError, TooManyProblemsError):
        roots = ()
    except yaml.MarkedYAMLError as error:
        _note(error, reading)
        roots = ()
    except yaml.reader.ReaderError as error:
        what = f"the character U+{_code(error.character):04X} may not stand in YAML"
        reading.problems.add(reading.at(error.position), what, "remove it", code=Code.UNWRITABLE_TEXT)
        roots = ()
    return Parsed(roots, tuple(reading.problems.found))


class _Builder:
    """Makes trees from the parser's events."""

    def __init__(self, reading: Reading) -> None:
        self._events: Iterator[Event] = yaml.parse(reading.text, Loader=_LOADER)
        self._reading = reading

    def roots(self) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                self._reading.count(_position(event))
                root = self._node(next(self._events), 1)
                if not (isinstance(root, Scalar) and root.value is None):
                    yield root

    def _node(self, event: Event, depth: int) -> Node:
        at = _position(event)
        self._reading.count(at)
        self._refuse_references(event, at)
        if isinstance(event, ScalarEvent):
            return self._scalar(event, at)
        if isinstance(event, AliasEvent):
            return Unread(at)
        if depth > MAX_DEPTH:
            raise self._reading.too_deep(at)
        if isinstance(event, MappingStartEvent):
            return Object(at, self._reading.unique(self._members(depth)))
        return Array(at, tuple(self._items(depth)))

    def _scalar(self, event: ScalarEvent, at: Position) -> Scalar | Unread:
        text = event.value
        if event.style == '"':
            return self._reading.unescaped(at, text)
        return Scalar(at, text if event.style else _plain(text), text)

    def _items(self, depth: int) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                return
            yield self._node(event, depth + 1)

    def _members(self, depth: int) -> Iterator[Member]:
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                return
            key = self._key(event, depth)
            value = self._node(next(self._events), depth + 1)
            yield Member(key.at, key.text, value if isinstance(key, Scalar) else Unread(value.at))

    def _key(self, event: Event, depth: int) -> Scalar | Unread:
        at = _position(event)
        if not isinstance(event, ScalarEvent):
            self._node(event, depth + 1)
            self._reading.problems.add(at, "a key must be a single word or text", code=Code.SYNTAX)
            return Unread(at)
        self._refuse_references(event, at)
        if event.value == "<<" and not event.style:
            what, remedy = "merge keys (<<) are not read", "write the members out"
            self._reading.problems.add(at, what, remedy, code=Code.YAML_ALIAS)
            return Unread(at)
        return self._reading.unescaped(at, event.value)

    def _refuse_references(self, event: Event, at: Position) -> None:
        anchor = event.anchor if isinstance(event, NodeEvent) else None
        tag = event.tag if isinstance(event, ScalarEvent | CollectionStartEvent) else None
        if anchor is None and tag is None:
            return
        if isinstance(event, AliasEvent):
            what, remedy = f"aliases such as *{shortened(anchor or '')} are not read", "write the value out"
        elif anchor is not None:
            what, remedy = f"anchors such as &{shortened(anchor)} are not read", "remove it"
        else:
            what, remedy = f"tags such as {shortened(tag or '')} are not read", "remove it"
        self._reading.problems.add(at, what, remedy, code=Code.YAML_ALIAS)


def _plain(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    return number(text) if _NUMBER.fullmatch(text) else text


def _position(event: Event) -> Position:
    mark = event.start_mark
    if mark is None:
        return Position()
    return Position(mark.line + 1, mark.column + 1)


def _code(character: object) -> int:
    return character if isinstance(character, int) else ord(str(character)[:1])


def _note(error: yaml.MarkedYAMLError, reading: Reading) -> None:
    mark = error.problem_mark or error.context_mark
    at = Position(mark.line + 1, mark.column + 1) if mark else Position()
    details = " ".join(part for part in (error.context, error.problem) if part)
    reading.problems.add(at, f"this is not valid YAML: {details}", error.note or "", code=Code.SYNTAX)
