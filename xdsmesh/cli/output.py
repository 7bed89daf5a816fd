"""What commands print: tables, trees and colour on a terminal, plain text in a pipe, JSON when asked."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

Cell = str | Text

_UNBOUNDED: Final = 1 << 16
"""Columns: in a pipe nothing is wrapped."""


def show_table(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Print a table, headings in capitals."""
    console = Console()
    if console.is_terminal:
        console.print(_table(headings, rows, box.SIMPLE_HEAD))
    else:
        _show_plain(_table(headings, rows, None))


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


def _show_plain(what: Table | Tree) -> None:
    plain = Console(width=_UNBOUNDED, no_color=True)
    with plain.capture() as captured:
        plain.print(what)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())


def _table(headings: Sequence[str], rows: Iterable[Sequence[Cell]], edges: box.Box | None) -> Table:
    table = Table(box=edges, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading.upper(), overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table
