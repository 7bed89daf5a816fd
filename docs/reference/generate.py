"""Writes the reference of config entries from their types: one page a kind, beside this file.

Run it with ``make reference``. With ``--check`` it writes nothing, and fails if a page is not up to date.
"""

# ruff: noqa: INP001, T201 - a script, which prints

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from msgspec import inspect as types

from xdsmesh.config.entry import Entry, Shape
from xdsmesh.config.kinds import ENTERPRISE_KINDS, INTERNAL_KINDS, KINDS
from xdsmesh.model.duration import Duration

HERE: Final = Path(__file__).parent
EXAMPLES: Final = HERE / "examples"
INDEX: Final = "README.md"

_MADE: Final = (
    "<!-- Made by generate.py from the types in xdsmesh/config; edit those, then `make reference`. -->"
)
_SIMPLE: Final[dict[type[types.Type], str]] = {
    types.StrType: "text",
    types.BoolType: "true or false",
    types.FloatType: "number",
    types.AnyType: "any value",
    types.DataclassType: "duration",
}
_INDEX_TEXT: Final = """\
# Config entries

An entry is written in HCL, JSON or YAML, and has a `Kind` and (but for `mesh` and `proxy-defaults`) a `Name`.
A page for each kind says what else it can hold. [Services and checks](services.md) are no entries.

- Keys are written as here or in `snake_case`, in any case: `PathPrefix` is `path_prefix`.
- Values are taken as they are meant: `"100"` is also a number, `1` also true, one value also a list.
- No text (`""`) is also 0 or false, where that is the same as nothing; an empty list is also no object.
- A list or map has at most 10,000 items.
- A duration is a text such as `10s`, `1m30s` or `250ms`, or a whole number of nanoseconds.
- A field without a default is absent when it is left out, or an object with the defaults of its own fields.
- Unknown keys are refused, as are those of Consul Enterprise: `Namespace`, `Partition`, `SamenessGroup`.
- `CreateIndex`, `ModifyIndex` and `Hash` may stand in any entry, and are ignored.
- What is accepted but has no effect yet is said when it is written.

| kind | what it says |
| --- | --- |
"""


def pages() -> dict[str, str]:
    """The text of every page, by its file's name."""
    made = {f"{kind}.md": page(KINDS[kind]) for kind in KINDS}
    return {INDEX: index()} | made


def index() -> str:
    """The page that lists the kinds."""
    rows = [f"| [`{kind}`]({kind}.md) | {_first_sentence(shape)} |" for kind, shape in sorted(KINDS.items())]
    enterprise = " and ".join(f"`{kind}`" for kind in sorted(ENTERPRISE_KINDS))
    internal = " and ".join(f"`{kind}`" for kind in sorted(INTERNAL_KINDS))
    refused = (
        f"Refused: {enterprise}, which belong to Consul Enterprise, and {internal}, which nobody writes."
    )
    return f"{_MADE}\n\n{_INDEX_TEXT}" + "\n".join(rows) + f"\n\n{refused}\n"


def page(kind: type[Entry]) -> str:
    """The page of a kind."""
    parts = [_MADE, f"# {kind.KIND}", _description(kind), *_examples(kind), *_table(kind)]
    for shape in _shapes_within(kind):
        parts += [f"## {shape.__name__}", _description(shape), *_table(shape)]
    return "\n\n".join(parts) + "\n"


def _examples(kind: type[Entry]) -> Iterator[str]:
    """Its examples; the first one has the kind's own name."""
    for file in sorted(EXAMPLES.glob(f"{kind.KIND}*.hcl"), key=lambda file: file.stem):
        text = file.read_text()
        if f'Kind = "{kind.KIND}"' in text:
            yield f"```hcl\n{text}```"


def _table(shape: type[Shape]) -> Iterator[str]:
    meanings = _meanings(shape)
    rows = [
        f"| `{item.encode_name}` | {_words(item.type)} | {_default(item)} | {meanings.get(item.name, '')} |"
        for item in _fields(shape)
        if item.name != shape.REST
    ]
    yield "\n".join(["| field | type | default | meaning |", "| --- | --- | --- | --- |", *rows])
    if shape.REST:
        yield "Other keys may stand here too; they are kept."
    own = shape.ENTERPRISE - Shape.ENTERPRISE
    if own:
        names = ", ".join(f"`{name}`" for name in sorted(own))
        yield f"Refused, since it belongs to Consul Enterprise: {names}."
    ignored = shape.IGNORED - Entry.IGNORED
    if ignored:
        names = ", ".join(f"`{name}`" for name in sorted(ignored))
        yield f"Accepted and ignored: {names}."


@cache
def _fields(shape: type[Shape]) -> tuple[types.Field, ...]:
    info = types.type_info(shape)
    if not isinstance(info, types.StructType):
        raise TypeError(f"{shape} is not a shape")
    return info.fields


def _shapes_within(shape: type[Shape]) -> list[type[Shape]]:
    """The objects inside, each once, in the order in which a reader meets them."""
    found: dict[type[Shape], None] = {}
    waiting = [shape]
    while waiting:
        inner = [each for item in _fields(waiting.pop(0)) for each in _shapes_of(item.type)]
        fresh = [each for each in dict.fromkeys(inner) if each not in found]
        found.update(dict.fromkeys(fresh))
        waiting = fresh + waiting
    return list(found)


def _shapes_of(info: types.Type) -> list[type[Shape]]:
    match info:
        case types.UnionType():
            return [shape for option in info.types for shape in _shapes_of(option)]
        case types.ListType():
            return _shapes_of(info.item_type)
        case types.DictType():
            return _shapes_of(info.value_type)
        case types.StructType():
            return [info.cls] if issubclass(info.cls, Shape) else []
    return []


def _words(info: types.Type) -> str:
    """A type as a reader would call it."""
    match info:
        case types.UnionType():
            return " or ".join(_words(each) for each in info.types if not isinstance(each, types.NoneType))
        case types.ListType():
            return f"list of {_words(info.item_type)}"
        case types.DictType():
            return f"map of {_words(info.value_type)}"
        case types.StructType():
            return f"[{info.cls.__name__}](#{info.cls.__name__.lower()})"
        case types.IntType():
            limits = "" if info.ge is None or info.le is None else f", {info.ge} to {info.le}"
            return f"whole number{limits}"
    return _SIMPLE[type(info)]


def _default(item: types.Field) -> str:
    """What a field is when it is left out. Objects are absent, or hold their own defaults."""
    if callable(item.default_factory):
        value = item.default_factory()
        return "" if isinstance(value, Shape) else f"`{value}`"
    match item.default:
        case None | Shape():
            return ""
        case Duration():
            return f"`{item.default}`"
    return f"`{json.dumps(item.default)}`"


def _description(shape: type[Shape]) -> str:
    """What a class says about itself."""
    return (inspect.getdoc(shape) or "").replace("``", "`")


def _first_sentence(shape: type[Shape]) -> str:
    return _description(shape).partition("\n\n")[0].replace("\n", " ")


@cache
def _meanings(shape: type[Shape]) -> dict[str, str]:
    """The texts below the fields of a class and of its bases, by the fields' names."""
    found: dict[str, str] = {}
    for base in reversed(shape.__mro__):
        if issubclass(base, Shape):
            found |= _own_meanings(base)
    return found


def _own_meanings(shape: type[Shape]) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(shape))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    found = {}
    for item, after in pairwise(body):
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            text = (
                after.value.value
                if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                else ""
            )
            found[item.target.id] = " ".join(str(text).split()).replace("``", "`").replace("|", "\\|")
    return found


def main() -> int:
    """Write the pages, or say which are not up to date."""
    stale = [
        name
        for name, text in pages().items()
        if not (HERE / name).exists() or (HERE / name).read_text() != text
    ]
    if "--check" in sys.argv:
        for name in stale:
            print(f"docs/reference/{name} is not up to date: run `make reference`")
        return bool(stale)
    for name in stale:
        (HERE / name).write_text(pages()[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
