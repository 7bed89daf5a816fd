"""Writes ``docs/commands.md``, the reference of the command line, from what the commands say of themselves.

Run it with ``make reference``. With ``--check`` it writes nothing, and fails if the page is not up to date.
"""

# ruff: noqa: INP001, T201 - a script, which prints

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.main import get_command

from xdsmesh.cli import app

PAGE: Final = Path(__file__).parents[1] / "commands.md"

_SERVER: Final = ("http_addr", "token", "ca_cert")
"""Flags of every command that asks a server; they are told once."""
_INTRODUCTION: Final = """\
<!-- Made by reference/commands.py from xdsmesh/cli; edit that, then `make reference`. -->

# Commands

- A long flag may have one dash instead of two, as in Consul's command; so may `-flag=true` and `=false`.
- `-datacenter`, `-namespace`, `-partition`, `-stale` and `-token-file` are Consul's and taken, too; but
  there is one namespace and one partition, and nothing is stale.
- `CONSUL_HTTP_ADDR` and its like are not read: they lead to a Consul.
- Results are on stdout, all else on stderr. A table has colour on a terminal, and is plain in a pipe.
- Exit codes: 0 done, 1 refused or no server, 2 wrong usage, 130 Ctrl-C. A command with its own says so.
- `--wait` returns when all proxies that a write affects have acknowledged it; else it names them and exits 1.
- `xdsmesh --install-completion` teaches your shell (bash, zsh, fish) commands, flags, and known ids.

Each command that asks a server takes:

"""


def page() -> str:
    """The text of the page."""
    root: Any = get_command(app)
    sections = list(_sections(root, "xdsmesh"))
    asking = next(command for name, command in _commands(root, "xdsmesh") if name == "xdsmesh members")
    shared = [each for each in asking.params if each.name in _SERVER]
    return "\n\n".join([_INTRODUCTION + _table(shared), *sections]) + "\n"


def _sections(group: Any, path: str) -> Iterator[str]:
    for name, command in _commands(group, path):
        shown = [each for each in command.params if _is_told(each)]
        parts = [f"## {name}", " ".join((command.help or "").split())]
        yield "\n\n".join([*parts, *([_table(shown)] if shown else [])])


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The commands by name; a group is one only if it does something by itself."""
    for name in group.list_commands(_context(group)):
        command = group.commands[name]
        full = f"{path} {name}"
        if command.hidden:
            continue
        if not isinstance(command, TyperGroup):
            yield full, command
            continue
        if command.invoke_without_command:
            yield full, command
        yield from _commands(command, full)


def _context(command: Any) -> Any:
    return command.make_context("xdsmesh", [], resilient_parsing=True)


def _is_told(parameter: Any) -> bool:
    """Whether a parameter is the command's own; what asks a server has a variable of the environment."""
    is_shared = parameter.name in _SERVER and parameter.envvar
    return not (is_shared or parameter.name == "help" or getattr(parameter, "hidden", False))


def _is_argument(parameter: Any) -> bool:
    return isinstance(parameter, TyperArgument)


def _table(parameters: list[Any]) -> str:
    rows = [f"| {_spelling(each)} | {_meaning(each)} |" for each in parameters]
    return "\n".join(["| | |", "| --- | --- |", *rows])


def _spelling(parameter: Any) -> str:
    if _is_argument(parameter):
        return f"`{parameter.metavar or parameter.name.upper()}`"
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    return names if parameter.is_flag else f"{names} `{_value(parameter)}`"


def _value(option: TyperOption) -> str:
    choices = getattr(option.type_descriptor, "choices", None)
    if option.metavar:
        return option.metavar
    return "\\|".join(str(getattr(each, "value", each)) for each in choices) if choices else "VALUE"


def _meaning(parameter: Any) -> str:
    told = [" ".join((parameter.help or "").split()).replace("|", "\\|")]
    if parameter.envvar:
        told.append(f"Also `{parameter.envvar}`.")
    default = getattr(parameter.default, "value", parameter.default)
    if isinstance(parameter, TyperOption) and default and not parameter.is_flag:
        told.append(f"Default: `{default}`.")
    if parameter.required:
        told.append("Required.")
    return " ".join(told)


def main() -> int:
    """Write the page, or say that it is not up to date."""
    is_current = PAGE.exists() and PAGE.read_text() == page()
    if "--check" in sys.argv:
        if not is_current:
            print(f"docs/{PAGE.name} is not up to date: run `make reference`")
        return not is_current
    if not is_current:
        PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
