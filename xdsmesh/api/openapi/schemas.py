"""JSON schemas of the types that decode bodies and encode replies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from xdsmesh.api.openapi.parameters import DURATION
from xdsmesh.config.entry import Entry, Shape
from xdsmesh.config.kinds import KINDS
from xdsmesh.model.duration import Duration

Schema = dict[str, Any]

_REFERENCE: Final = "#/components/schemas/{name}"
_DURATION: Final = _REFERENCE.format(name=Duration.__name__)
_ADDED: Final[Schema] = {
    "CreateIndex": {"type": "integer", "description": "The revision that created it; ignored in a body."},
    "ModifyIndex": {
        "type": "integer",
        "description": "The revision that last changed it; ignored in a body.",
    },
    "Hash": {"description": "Ignored in a body."},
}
"""The keys of every config entry that are none of its fields, besides its kind."""


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schemas of some types, and the components that they refer to."""

    by_type: Mapping[Any, Schema]
    components: Mapping[str, Schema]

    def of(self, wanted: Any) -> Schema:
        """The schema of one of the types."""
        return self.by_type[wanted]


def make_schemas(types: Iterable[Any]) -> Schemas:
    """Make the schemas of types of msgspec. ``Entry`` stands for a config entry of any kind.

    What our codec takes besides what a schema says, such as other spellings of a key, is left out.
    """
    wanted: Sequence[Any] = [*dict.fromkeys(types)]
    schemas, components = msgspec.json.schema_components(
        [*wanted, *KINDS.values(), Duration, Entry], ref_template=_REFERENCE
    )
    named = {_short(name): _tidy(schema) for name, schema in components.items()}
    for shape in _shapes():
        if shape.REST and (name := _name(shape, named)) in named:
            _open(named[name], shape.REST)
    kinds = {kind: _name(shape, named) for kind, shape in KINDS.items()}
    for kind, name in kinds.items():
        named[name] = _with_kind(named[name], kind)
    named[Duration.__name__] = {
        "description": "A span of time as Go writes it, or in nanoseconds.",
        "anyOf": [DURATION, {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}],
    }
    named[Entry.__name__] = _any_kind(kinds)
    by_type = {each: _tidy(schema) for each, schema in zip(wanted, schemas, strict=False)}
    return Schemas(by_type, dict(sorted(named.items())))


def _any_kind(kinds: Mapping[str, str]) -> Schema:
    references = {kind: _REFERENCE.format(name=name) for kind, name in kinds.items()}
    return {
        "title": "Entry",
        "description": "A config entry of any kind.",
        "oneOf": [{"$ref": each} for each in references.values()],
        "discriminator": {"propertyName": "Kind", "mapping": references},
    }


def _with_kind(schema: Schema, kind: str) -> Schema:
    properties = {"Kind": {"const": kind}, **schema["properties"], **_ADDED}
    return {**schema, "properties": properties, "required": ["Kind"]}


def _shapes(base: type[Shape] = Shape) -> Iterable[type[Shape]]:
    for shape in base.__subclasses__():
        yield shape
        yield from _shapes(shape)


def _open(schema: Schema, rest: str) -> None:
    """Let the keys stand in an object itself that one of its fields takes in."""
    del schema["properties"][rest]
    schema["additionalProperties"] = True


def _name(shape: type[Shape], named: Mapping[str, Schema]) -> str:
    """The name of a shape's component."""
    plain = shape.__name__
    return plain if plain in named else _short(f"{shape.__module__}.{plain}")


def _short(name: str) -> str:
    """A component's name; where several types have the same, they are told apart by their modules."""
    return ".".join(name.split(".")[-2:])


def _tidy(schema: Any) -> Any:
    """A schema in our names of components, with Markdown for a description, and durations as text."""
    if isinstance(schema, list | tuple):
        return [_tidy(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {key: _tidy(value) for key, value in schema.items()}
    if isinstance(reference := tidy.get("$ref"), str):
        path, _, name = reference.rpartition("/")
        tidy["$ref"] = f"{path}/{_short(name)}"
        if reference == _DURATION and "default" in schema:
            tidy["default"] = str(Duration(**schema["default"]))
    if isinstance(text := tidy.get("description"), str):
        tidy["description"] = text.replace("``", "`")
    return tidy
