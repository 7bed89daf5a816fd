"""What commands print: tables, trees and colour on a terminal, plain text in a pipe, JSON when asked."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

T = TypeVar("T")

Cell = str | Text

_UNBOUNDED: Final = 1 << 16
"""Columns: in a pipe nothing is wrapped."""
_MANY: Final = 10
"""Fewer things are done before one could read how far it is."""


def show_table(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Print a table, headings in capitals."""
    console = Console()
    if console.is_terminal:
        console.print(_table(headings, rows, box.SIMPLE_HEAD))
    else:
        _show_plain(_table(headings, rows, None))


def show_columns(rows: Iterable[Sequence[str]]) -> None:
    """Print columns without headings, two blanks or more between them."""
    _show_plain(_table((), rows, None))


def show_fields(value: Any) -> None:
    """Print an object as a table of its values, each by its path, such as ``Splits[0].Weight``."""
    show_table(("field", "value"), _fields("", msgspec.to_builtins(value)))


def show_tree(tree: Tree) -> None:
    """Print a tree."""
    console = Console()
    if console.is_terminal:
        console.print(tree)
    else:
        _show_plain(tree)


def show_json(value: Any) -> None:
    """Print JSON, indented as Consul's command does it."""
    typer.echo(json.dumps(msgspec.to_builtins(value), indent=4, ensure_ascii=False))


def progress(items: Sequence[T], what: str, *, shown: bool = True) -> Iterable[T]:
    """The items, while a terminal shows how far it is; what prints meanwhile would disturb that."""
    console = Console(stderr=True)
    if len(items) < _MANY or not shown or not console.is_terminal:
        return items
    return track(items, f"{what} ...", console=console, transient=True)


def _fields(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _fields(f"{path}.{key}" if path else key, inner)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _fields(f"{path}[{index}]", inner)
    else:
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _show_plain(what: Table | Tree) -> None:
    plain = Console(width=_UNBOUNDED, no_color=True)
    with plain.capture() as captured:
        plain.print(what)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())


def _table(headings: Sequence[str], rows: Iterable[Sequence[Cell]], edges: box.Box | None) -> Table:
    table = Table(
        box=edges, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=bool(headings)
    )
    for heading in headings:
        table.add_column(heading.upper(), overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table
