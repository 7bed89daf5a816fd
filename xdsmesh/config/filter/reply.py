"""What the filter of an API request can select: whatever the rows of the reply show."""

from functools import cache
from operator import attrgetter
from typing import Final

from msgspec import Struct, inspect

from xdsmesh.config.entry import Entry
from xdsmesh.config.filter.shapes import Map, Member, Object, Objects, Primitive, Shape, Value, Values

_UNSELECTABLE: Final = frozenset({"CreateIndex", "ModifyIndex", "Config", "Definition", "Locality", "Ports"})
"""What Consul shows and does not filter by: revisions, and settings of any shape."""

_KIND: Final = Member(attrgetter("KIND"), Value(Primitive.TEXT))
"""The kind of a config entry, which a reply shows like a field."""

_PRIMITIVES: Final[dict[type[inspect.Type], Primitive]] = {
    inspect.StrType: Primitive.TEXT,
    inspect.IntType: Primitive.INTEGER,
    inspect.FloatType: Primitive.FLOAT,
    inspect.BoolType: Primitive.BOOL,
}


@cache
def row_of(struct: type[Struct]) -> Object:
    """What can be selected in a struct: its fields by their encoded names.

    Raises:
        TypeError: it is no struct.
    """
    info = inspect.type_info(struct)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{struct} is no struct")
    return _object(info)


def _object(info: inspect.StructType) -> Object:
    fields = [(field, _shape(field.type)) for field in info.fields if field.encode_name not in _UNSELECTABLE]
    members = {
        field.encode_name: Member(attrgetter(field.name), shape)
        for field, shape in fields
        if shape is not None
    }
    return Object({"Kind": _KIND, **members} if issubclass(info.cls, Entry) else members)


def _shape(info: inspect.Type) -> Shape | None:
    """The shape of a type; None: there is nothing in it that could be compared."""
    match info:
        case inspect.UnionType(types):
            given = [each for each in types if not isinstance(each, inspect.NoneType)]
            return _shape(given[0]) if len(given) == 1 else None
        case inspect.StructType():
            return _object(info)
        case inspect.CollectionType(item_type):
            return _list_of(item_type)
        case inspect.DictType(inspect.StrType(), value_type):
            return Map(_shape(value_type))
    primitive = _primitive(info)
    return Value(primitive) if primitive else None


def _list_of(info: inspect.Type) -> Shape | None:
    item = _shape(info)
    match item:
        case Value(primitive):
            return Values(primitive)
        case Object():
            return Objects(item)
    return None


def _primitive(info: inspect.Type) -> Primitive | None:
    if isinstance(info, inspect.EnumType | inspect.LiteralType):
        values = [each.value for each in info.cls] if isinstance(info, inspect.EnumType) else info.values
        return Primitive.TEXT if all(isinstance(value, str) for value in values) else None
    return _PRIMITIVES.get(type(info))
