"""What every syntax gives: a tree of values that know where they stand in the text."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from xdsmesh.config.wording import quoted
from xdsmesh.model.errors import Place, Problem

MAX_DEPTH: Final = 64
"""How deep objects and lists may be nested."""

_MAX_DIGITS: Final = 40
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")


class Position(NamedTuple):
    """Where something begins; both count from 1, columns in characters. 0 means unknown."""

    line: int = 0
    column: int = 0

    def place(self, source: str, path: str = "") -> Place:
        """This position in a file, of a field."""
        return Place(source, self.line, self.column, path)


class Scalar(NamedTuple):
    """A value without parts. ``text`` is how a number or a word was written, for whoever wants it as text."""

    at: Position
    value: str | int | float | bool | None
    text: str


class Array(NamedTuple):
    """Values in order."""

    at: Position
    items: tuple["Node", ...]


class Member(NamedTuple):
    """A key of an object, where the key stands, and its value."""

    at: Position
    key: str
    value: "Node"


class Object(NamedTuple):
    """Members in the order of the text; no two have the same key."""

    at: Position
    members: tuple[Member, ...]


Node = Scalar | Array | Object


@dataclass(frozen=True, slots=True)
class Parsed:
    """The values of a text (several only in YAML), and what is wrong with its syntax.

    With problems the values are the part that could be read, or none.
    """

    roots: tuple[Node, ...] = ()
    problems: tuple[Problem, ...] = ()


def number(text: str) -> int | float:
    """The number that a text in JSON's notation, or a hexadecimal one, stands for.

    Whole numbers of absurd length become floats, possibly infinite: no field holds them.
    """
    hexadecimal = text.lstrip("-")[:2].lower() == "0x"
    if len(text) > _MAX_DIGITS:
        return math.inf if hexadecimal else float(text)
    if hexadecimal:
        return int(text, 16)
    return float(text) if any(mark in text for mark in ".eE") else int(text)


def readable(text: str, at: Position, source: str, problems: list[Problem]) -> str:
    """The text, if it can be written down again; what escapes may have brought in is a problem."""
    if not _NO_TEXT.search(text):
        return text
    what = "this text has an escape for a NUL character or for half of a surrogate pair"
    problems.append(Problem(at.place(source), what, "remove it"))
    return _NO_TEXT.sub("\ufffd", text)


def unique(members: Iterator[Member], source: str, problems: list[Problem]) -> tuple[Member, ...]:
    """The members without repeated keys: the first one stays, each further one is a problem."""
    seen: dict[str, Member] = {}
    for member in members:
        first = seen.setdefault(member.key, member)
        if first is not member:
            problems.append(repeated(member.key, first.at, member.at, source))
    return tuple(seen.values())


def repeated(key: str, first: Position, again: Position, source: str) -> Problem:
    """A key that is given a second time."""
    before = f", first at line {first.line}" if first.line else ""
    return Problem(again.place(source), f"{quoted(key)} is given twice{before}", "keep one of them")


def too_deep(at: Position, source: str) -> Problem:
    """An object or list that is nested deeper than we follow."""
    return Problem(
        at.place(source), f"objects and lists are nested more than {MAX_DEPTH} deep here", "flatten them"
    )


def depth_problem(root: Node, source: str) -> Problem | None:
    """The first node that is nested too deep, if there is one."""
    pending: list[tuple[Node, int]] = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        if isinstance(node, Scalar):
            continue
        if depth > MAX_DEPTH:
            return too_deep(node.at, source)
        children = node.items if isinstance(node, Array) else [member.value for member in node.members]
        pending.extend((child, depth + 1) for child in children)
    return None
