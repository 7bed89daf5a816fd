"""Flags as Consul's users type them, the same for every command."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
import typer
from typer.core import TyperGroup, TyperOption
from typer.main import get_command
from typer.testing import CliRunner

from xdsmesh.cli import app
from xdsmesh.cli.spelling import Group, as_declared

CONSULS_OWN = {"-cas"}
"""A flag that means something else with one dash."""


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All commands within a group, with their names."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{path}{name} ")
        yield f"{path}{name}", command


ALL = dict(commands(get_command(app)))


@pytest.fixture(scope="module")
def echo() -> typer.Typer:
    """A command that prints what it was given."""
    app = typer.Typer(cls=Group)

    @app.command()
    def show(
        words: Annotated[list[str] | None, typer.Argument()] = None,
        *,
        note: Annotated[str, typer.Option()] = "",
        weight: Annotated[int, typer.Option()] = 0,
        detailed: Annotated[bool, typer.Option("--detailed")] = False,
        shell: Annotated[bool, typer.Option("--shell/--no-shell")] = True,
    ) -> None:
        typer.echo(json.dumps([words, note, weight, detailed, shell]))

    @app.command("run", context_settings={"allow_interspersed_args": False})
    def run(words: list[str], *, note: Annotated[str, typer.Option()] = "") -> None:
        typer.echo(json.dumps([words, note]))

    return app


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("show -note x -weight 3 -detailed", [None, "x", 3, True, True]),
        ("show -note=x=y --weight=3 -detailed=true", [None, "x=y", 3, True, True]),
        ("show -detailed=false -shell=false", [None, "", 0, False, False]),
        ("show -shell=TRUE -no-shell", [None, "", 0, False, False]),
        ("show -weight -3 -note -detailed", [None, "-detailed", -3, False, True]),
        ("show - -note - a", [["-", "a"], "-", 0, False, True]),
        ("show a -note x -- -note -b", [["a", "-note", "-b"], "x", 0, False, True]),
        ("run -note x jq -note y", [["jq", "-note", "y"], "x"]),
        ("run -- -note y", [["-note", "y"], ""]),
    ],
)
def test_one_dash_is_as_good_as_two(echo: typer.Typer, line: str, read: list[Any]) -> None:
    result = CliRunner().invoke(echo, line.split())
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == read


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("show -nota x", "No such option: --nota.*--note"),
        ("show --nota x", "No such option: --nota.*--note"),
        ("shwo", "No such command 'shwo'. Did you mean 'show'"),
        ("show -detailed=perhaps", "does not take a value"),
        ("show -note", "requires an argument"),
    ],
)
def test_what_is_mistyped_is_named_with_what_is_near(
    echo: typer.Typer, line: str, said: str, environment: dict[str, str]
) -> None:
    result = CliRunner().invoke(echo, line.split(), env=environment)
    assert result.exit_code == 2
    assert re.search(said, result.stderr)


@pytest.mark.parametrize("path", ALL)
def test_every_long_flag_of_every_command_may_have_one_dash(path: str) -> None:
    parameters = ALL[path].params
    options = [each for each in parameters if isinstance(each, TyperOption)]
    long = [(name, option) for option in options for name in option.opts if name.startswith("--")]
    for name, option in long:
        if name[1:] not in CONSULS_OWN:
            typed = [name[1:]] if option.is_flag else [name[1:], "value"]
            assert as_declared(typed, parameters, intermixed=True) == [name, *typed[1:]]


@pytest.mark.parametrize("path", ALL)
def test_every_command_says_in_a_line_what_it_does(path: str) -> None:
    assert 15 < len(ALL[path].get_short_help_str(200)) < 110
