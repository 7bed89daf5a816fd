"""What the syntaxes have in common: a tree of values that know where they stand in the text."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

from xdsmesh.model.errors import Place, Problem

MAX_DEPTH: Final = 64
"""How deep objects and lists may be nested."""

MAX_VALUES: Final = 120_000
"""How many values one text may hold: real config of a mebibyte holds some 80,000."""

_MAX_DIGITS: Final = 40


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


class Unread(NamedTuple):
    """Something that can't be read, of which the syntax has already told. ``text`` is what may be meant."""

    at: Position
    text: str = ""


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


Node = Scalar | Array | Object | Unread


@dataclass(frozen=True, slots=True)
class Parsed:
    """The values of a text (several only in YAML), and what is wrong with its syntax.

    With problems the values are the part whose shape is clear, or none.
    """

    roots: tuple[Node, ...] = ()
    problems: tuple[Problem, ...] = ()


def number(text: str) -> int | float:
    """The number that a text in JSON's notation, or a hexadecimal one, stands for.

    Whole numbers of absurd length become floats, possibly infinite: no field holds them.
    """
    if len(text) <= _MAX_DIGITS and text.isdecimal():
        return int(text)
    hexadecimal = text.lstrip("-")[:2].lower() == "0x"
    if len(text) > _MAX_DIGITS:
        return math.inf if hexadecimal else float(text)
    if hexadecimal:
        return int(text, 16)
    return float(text) if any(mark in text for mark in ".eE") else int(text)
