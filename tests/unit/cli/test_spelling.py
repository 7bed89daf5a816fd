"""Flags with one dash, for every command in the same way."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperGroup, TyperOption
from typer.testing import CliRunner

from xdsmesh.cli import app
from xdsmesh.cli.spelling import as_declared

OPTIONS = [
    TyperOption(param_decls=["--kind"], type_descriptor=None),  # type: ignore[arg-type]
]


@pytest.fixture(scope="module")
def echo() -> typer.Typer:
    """A command that prints what it was given."""
    from xdsmesh.cli.spelling import Group
