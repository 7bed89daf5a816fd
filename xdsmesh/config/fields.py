"""What the types of shapes say about their fields, for the codec."""

from functools import cache
from typing import Any

from msgspec import inspect, structs

from xdsmesh.config.entry import Shape
from xdsmesh.config.tree import Array, Node, Scalar


def default_of(item: structs.FieldInfo) -> Any:
    """What a field holds when it is not given."""
    return item.default_factory() if callable(item.default_factory) else item.default


@cache
def fields_of(shape: type[Shape]) -> tuple[structs.FieldInfo, ...]:
    """The fields of a shape, with their defaults."""
    return structs.fields(shape)


@cache
def type_of(shape: type[Shape]) -> inspect.StructType:
    """The shape as a type, with the types of its fields.

    Raises:
        TypeError: it is no struct.
    """
    info = inspect.type_info(shape)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{shape} is not a shape")
    return info


@cache
def by_key(shape: type[Shape]) -> dict[str, inspect.Field]:
    """The fields of a shape by their squashed names, but for those that no key of their own fills."""
    fields = (item for item in type_of(shape).fields if item.name not in (shape.REST, shape.WHOLE))
    return {squash(item.encode_name): item for item in fields}


@cache
def key_of(shape: type[Shape], name: str) -> str:
    """The key under which a field is given to the struct."""
    return next(item.encode_name for item in fields_of(shape) if item.name == name)


def present(info: inspect.UnionType) -> inspect.Type:
    """What an optional field holds when it is given."""
    (present,) = (option for option in info.types if not isinstance(option, inspect.NoneType))
    return present


def shape_of(info: inspect.StructType) -> type[Shape]:
    """The shape that a field holds.

    Raises:
        TypeError: it is another struct.
    """
    if not issubclass(info.cls, Shape):
        raise TypeError(f"the codec does not know structs such as {info.cls}")
    return info.cls


def is_nothing(info: inspect.Type, node: Node) -> bool:
    """Whether a field is as if it was not given: null, or an empty list where an object is wanted."""
    if isinstance(node, Array):
        wanted = present(info) if isinstance(info, inspect.UnionType) else info
        return not node.items and isinstance(wanted, inspect.StructType)
    return isinstance(node, Scalar) and node.value is None


def holds_objects(info: inspect.ListType) -> bool:
    """Whether the items of a list are objects."""
    return isinstance(info.item_type, inspect.StructType)


def squash(key: str) -> str:
    """What two spellings of one key have in common."""
    return key.replace("_", "").lower()


@cache
def squashed(keys: frozenset[str]) -> frozenset[str]:
    """What the spellings of several keys have in common."""
    return frozenset(squash(key) for key in keys)
