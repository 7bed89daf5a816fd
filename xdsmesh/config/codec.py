"""One decoder and one encoder for all shapes, driven by their types; no code per kind.

Decoding follows Consul's rules: keys in any case and in PascalCase or snake_case (the exact PascalCase key
wins), weakly typed values, one value for a list, a list of one object for an object, no object where a list
is empty. All problems of an input are collected; unknown keys are problems.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, inspect

from xdsmesh.config import paths, scalars, unknown_keys, wording
from xdsmesh.config.decoded import Decoded
from xdsmesh.config.entry import Definition, Shape
from xdsmesh.config.fields import (
    by_key,
    default_of,
    fields_of,
    holds_objects,
    is_nothing,
    key_of,
    present,
    shape_of,
    squash,
    squashed,
    type_of,
)
from xdsmesh.config.problems import MAX_PROBLEMS, Problems, TooManyProblemsError
from xdsmesh.config.tree import Array, Member, Node, Object, Position, Scalar, Unread
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

S = TypeVar("S", bound=Shape)
D = TypeVar("D", bound=Definition)

_MAX_ITEMS: Final = 10_000
"""How many items a list, or keys a map, may have: whoever waits for what is made of them would wait long."""


def read(
    shape: type[D], node: Node, source: str, *, check: bool = True
) -> tuple[D | None, tuple[Problem, ...]]:
    """Decode a definition, normalize it and, unless told otherwise, check it by its own rules.

    Returns:
        The definition, or None if there are problems; and all its problems, each with its place in the text.
    """
    decoded = decode(shape, node, source)
    definition = decoded.value.normalize()
    rules = definition.problems() if check else ()
    sure = (problem for problem in rules if not decoded.doubtful(problem.place.path))
    found = [replace(item, place=decoded.place(item.place.path)) for item in islice(sure, MAX_PROBLEMS)]
    unread = decoded.problems or decoded.unread
    return (None if unread or found else definition.arranged()), (*decoded.problems, *found)


def decode(shape: type[S], node: Node, source: str) -> Decoded[S]:
    """Decode a tree into a shape, leaving out what is wrong."""
    decoder = _Decoder(Problems(source))
    fields: Any = UNSET
    with suppress(TooManyProblemsError):
        fields = decoder.shape(type_of(shape), node, "")
    value = msgspec.convert({} if fields is UNSET else fields, shape)
    return Decoded(
        value,
        source,
        tuple(decoder.problems.found),
        decoder.positions,
        frozenset(decoder.unread),
        frozenset(decoder.partial),
        frozenset(decoder.misspelled),
    )


def encode(value: Shape) -> dict[str, Any]:
    """The shape as plain values under PascalCase keys. Durations are Go strings; defaults are left out."""
    if value.WHOLE and getattr(value, value.WHOLE):
        return dict(getattr(value, value.WHOLE))
    kept = (value.REST, value.WHOLE)
    given = ((item, getattr(value, item.name)) for item in fields_of(type(value)) if item.name not in kept)
    plain = {item.encode_name: _plain(part) for item, part in given if part != default_of(item)}
    return plain | (getattr(value, value.REST) if value.REST else {})


def _plain(value: Any) -> Any:
    match value:
        case Shape():
            return encode(value)
        case Duration():
            return str(value)
        case float() if value.is_integer():
            return int(value)  # as Go writes it: 90, not 90.0
        case dict():
            return {key: _plain(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
    return value


@dataclass(slots=True)
class _Decoder:
    """The state of decoding one tree."""

    problems: Problems
    positions: dict[str, Position] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    partial: set[str] = field(default_factory=set)
    misspelled: set[str] = field(default_factory=set)

    def shape(self, info: inspect.StructType, node: Node, path: str) -> Any:
        """A struct's fields by their encoded names, or UNSET."""
        self.positions.setdefault(path, node.at)
        members = self._members(node, path)
        if members is None:
            return UNSET
        values: dict[str, Any] = {}
        shape = shape_of(info)
        for item, member in self._known(shape, members, path):
            if not is_nothing(item.type, member.value):
                value = self._value(item.type, member.value, paths.join(path, item.encode_name))
                values.update({item.encode_name: value} if value is not UNSET else {})
        return values | self._rest(shape, members, path) | _whole(shape, members)

    def _rest(self, shape: type[Shape], members: Iterable[Member], path: str) -> dict[str, Any]:
        """The field for the keys that are no fields, if the shape has one."""
        if not shape.REST:
            return {}
        fields = by_key(shape)
        others = [member for member in members if squash(member.key) not in fields]
        if self._too_many(others, self.positions[path], path):
            return {}
        rest = {each.key: self._opaque(each.value, paths.field(path, each.key)) for each in others}
        return {key_of(shape, shape.REST): rest}

    def _opaque(self, node: Node, path: str) -> Any:
        """A value that is somebody else's, as it was written."""
        if isinstance(node, Object):
            return {item.key: self._opaque(item.value, paths.field(path, item.key)) for item in node.members}
        if isinstance(node, Array):
            return [self._opaque(item, paths.item(path, index)) for index, item in enumerate(node.items)]
        if isinstance(node, Unread):
            self._doubt(path)
            return None
        if isinstance(node.value, float) and not math.isfinite(node.value):
            self._mismatch(node, path, "must be a number that can be written down")
            return None
        return node.value

    def _members(self, node: Node, path: str) -> tuple[Member, ...] | None:
        """The members of an object, or of the only object of a list."""
        if isinstance(node, Array) and len(node.items) == 1:
            (node,) = node.items
        if isinstance(node, Object):
            return node.members
        self._mismatch(node, path, "must be an object")
        return None

    def _known(
        self, shape: type[Shape], members: Iterable[Member], path: str
    ) -> Iterator[tuple[inspect.Field, Member]]:
        """The members that are fields, one for each field; the others become problems."""
        fields = by_key(shape)
        chosen: dict[str, Member] = {}
        for member in members:
            item = fields.get(squash(member.key))
            if item is None:
                if not shape.REST:
                    self._refuse_key(shape, member, path)
                continue
            first = chosen.setdefault(item.encode_name, member)
            if member.key == item.encode_name:
                chosen[item.encode_name] = member
            elif first is not member and first.key != item.encode_name:
                place = self._doubt_key(path, member)
                self.problems.repeated(member.key, first.at, member.at, place)
        return ((fields[squash(name)], member) for name, member in chosen.items())

    def _refuse_key(self, shape: type[Shape], member: Member, path: str) -> None:
        key = squash(member.key)
        if key in squashed(shape.IGNORED):
            return
        if why := unknown_keys.why_refused(shape, key):
            if not unknown_keys.asks_for_nothing(key, member.value):
                code, sentence = why
                place = self._doubt_key(path, member)
                what = f"{wording.shortened(member.key)} {sentence}"
                self.problems.add(member.at, what, "remove it", code=code, path=place)
            return
        self.misspelled.add(path)
        place = self._doubt_key(path, member)
        if isinstance(member.value, Unread):
            return
        what, remedy = f"unknown key {wording.key(member.key)}", unknown_keys.remedy(shape, member.key)
        self.problems.add(member.at, what, remedy, code=Code.KEY_UNKNOWN, path=place)

    def _value(self, info: inspect.Type, node: Node, path: str) -> Any:
        self.positions[path] = node.at
        if isinstance(node, Unread):
            self._doubt(path)
            return UNSET
        return self._given(info, node, path)

    def _given(self, info: inspect.Type, node: Node, path: str) -> Any:
        match info:
            case inspect.UnionType():
                return self._maybe(present(info), node, path)
            case inspect.StructType():
                return self.shape(info, node, path)
            case inspect.AnyType():
                return self._opaque(node, path)
            case inspect.DictType():
                return self._mapping(info, node, path)
            case inspect.ListType():
                return self._list(info, node, path)
        return self._scalar(info, node, path)

    def _maybe(self, info: inspect.Type, node: Node, path: str) -> Any:
        """What may be left out. No text is then no number: 0 and nothing would make a difference."""
        if isinstance(info, inspect.IntType) and isinstance(node, Scalar) and node.value == "":
            self._mismatch(node, path, f"must be {_WANTED[type(info)]}")
            return UNSET
        return self._given(info, node, path)

    def _list(self, info: inspect.ListType, node: Node, path: str) -> Any:
        """The items of a list, or the only one. An unread object is replaced, to keep the others' indexes."""
        items = node.items if isinstance(node, Array) else (node,)
        if self._too_many(items, node.at, path):
            return UNSET
        values = [
            self._value(info.item_type, item, paths.item(path, index)) for index, item in enumerate(items)
        ]
        if UNSET not in values:
            return values
        return [{} if value is UNSET else value for value in values] if holds_objects(info) else UNSET

    def _mapping(self, info: inspect.DictType, node: Node, path: str) -> Any:
        """Keys and values of an object, or of several that a list holds: labelled blocks come so."""
        objects = node.items if isinstance(node, Array) else (node,)
        values: dict[str, Any] = {}
        seen: dict[str, Position] = {}
        for item in objects:
            if not isinstance(item, Object):
                self._mismatch(item, path, "must be an object")
                return UNSET
            if self._too_many(item.members, item.at, path):
                return UNSET
            for member in item.members:
                if member.key in seen:
                    self._doubt(path)
                    self.problems.repeated(member.key, seen[member.key], member.at, path)
                    continue
                seen[member.key] = member.at
                values[member.key] = self._value(info.value_type, member.value, paths.key(path, member.key))
        return {key: value for key, value in values.items() if value is not UNSET}

    def _scalar(self, info: inspect.Type, node: Node, path: str) -> Any:
        if not isinstance(node, Scalar):
            self._mismatch(node, path, f"must be {_WANTED[type(info)]}")
            return UNSET
        try:
            return _scalar_of(info, node)
        except scalars.MismatchError as error:
            self._mismatch(node, path, str(error), error.code)
            return UNSET

    def _mismatch(self, node: Node, path: str, must: str, code: Code = Code.TYPE_MISMATCH) -> None:
        self._doubt(path)
        if not isinstance(node, Unread):
            what = f"{paths.label(path) or 'this'} {must}, not {scalars.shown(node)}"
            self.problems.add(node.at, what, code=code, path=path)

    def _too_many(self, items: Sequence[object], at: Position, path: str) -> bool:
        """Whether a list or map is so long that it is not read."""
        if len(items) <= _MAX_ITEMS:
            return False
        self._doubt(path)
        what = f"{paths.label(path) or 'this'} has {len(items):,} items; at most {_MAX_ITEMS:,} are allowed"
        self.problems.add(at, what, "divide it", code=Code.TOO_LONG, path=path)
        return True

    def _doubt(self, path: str) -> None:
        """Remember that a field could not be read."""
        self.unread.add(path)
        self.partial.add(paths.owner(path))

    def _doubt_key(self, path: str, member: Member) -> str:
        """Remember that an object has a key that is no field; returned is that key's path."""
        place = paths.field(path, wording.shortened(member.key))
        self.unread.add(place)
        self.partial.add(path)
        return place


_WANTED: Final[dict[type[inspect.Type], str]] = {
    inspect.StrType: "text",
    inspect.BoolType: "true or false",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.DataclassType: "a duration",
}


def _scalar_of(info: inspect.Type, node: Scalar) -> str | bool | int | float | Duration:
    match info:
        case inspect.StrType():
            return scalars.as_text(node)
        case inspect.BoolType():
            return scalars.as_bool(node)
        case inspect.IntType():
            return scalars.as_integer(node, info.ge, info.le)
        case inspect.FloatType():
            return scalars.as_float(node)
        case inspect.DataclassType() if info.cls is Duration:
            return scalars.as_duration(node)
    raise TypeError(f"the codec does not know fields of type {info}")


def _whole(shape: type[Shape], members: Iterable[Member]) -> dict[str, Any]:
    """The field for all keys as they were written, if the shape has one; problems of them are told before."""
    if not shape.WHOLE:
        return {}
    return {key_of(shape, shape.WHOLE): {member.key: _as_written(member.value) for member in members}}


def _as_written(node: Node) -> Any:
    if isinstance(node, Object):
        return {member.key: _as_written(member.value) for member in node.members}
    if isinstance(node, Array):
        return [_as_written(item) for item in node.items]
    return None if isinstance(node, Unread) else node.value
