"""What filters select from: the shape of a row, as a tree of what stands in it and how to read that."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any


class Primitive(StrEnum):
    """What a single value is, in the words of an error."""

    TEXT = "text"
    INTEGER = "number"
    FLOAT = "decimal number"
    BOOL = "truth value"


@dataclass(frozen=True, slots=True)
class Value:
    """A single value."""

    type: Primitive

    def __str__(self) -> str:
        return f"a {self.type}"


@dataclass(frozen=True, slots=True)
class Values:
    """A list of single values."""

    type: Primitive

    def __str__(self) -> str:
        return f"a list of {self.type}s"


@dataclass(frozen=True, slots=True)
class Map:
    """Keys that are data. Where ``value`` is None, only the keys can be asked about."""

    value: "Shape | None"

    def __str__(self) -> str:
        return "a map"


@dataclass(frozen=True, slots=True)
class Object:
    """Members by name."""

    members: "Mapping[str, Member]"

    def __str__(self) -> str:
        return "an object"


@dataclass(frozen=True, slots=True)
class Objects:
    """A list of objects. What is asked of a member holds if it holds for any of them."""

    item: Object

    def __str__(self) -> str:
        return "a list of objects"


Shape = Value | Values | Map | Object | Objects


@dataclass(frozen=True, slots=True)
class Member:
    """What an object has under a name. None, if ``get`` yields it, is as good as empty, or zero."""

    get: Callable[[Any], Any]
    shape: Shape


def closest(root: Object, path: tuple[str, ...]) -> str:
    """The selector that a wrong one most likely means, or an empty text."""
    known = set()
    for names, shape in _walk(root, ()):
        known.add(".".join(names))
        if isinstance(shape, Map) and len(path) > 1:
            known.add(".".join((*names, path[-1])))
    by_lower = {name.lower(): name for name in sorted(known)}
    found = get_close_matches(".".join(path).lower(), by_lower, n=1)
    return by_lower[found[0]] if found else ""


def _walk(object_: Object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Shape]]:
    """Everything that has a name of its own and can be asked about."""
    for name, member in object_.members.items():
        names, shape = (*path, name), member.shape
        if not isinstance(shape, Object):
            yield names, shape
        if isinstance(shape, Object | Objects):
            yield from _walk(shape if isinstance(shape, Object) else shape.item, names)
