"""Flags as Consul's command has them, everywhere: ``-kind``, ``-detailed=true``, ``-datacenter dc1``."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import typer
from typer.core import TyperGroup, TyperOption

from xdsmesh.cli import consul_flags, not_offered

_ONE_DASH: Final = re.compile(r"\A-(?=[a-zA-Z][\w-])")
_TRUE: Final = ("1", "t", "true")
_FALSE: Final = ("0", "f", "false")
_ASKS: Final = "--http-addr"
"""What a command takes that asks a server."""


class Group(TyperGroup):
    """A group of commands whose flags may be spelled with one dash, too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the group's own flags, which end where the name of a command stands."""
        consul_flags.forget()
        return super().parse_args(ctx, as_declared(args, self.get_params(ctx), intermixed=False))

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands and groups together: by the panel of the help that they are in, and by name."""

        def place(name: str) -> tuple[str, str]:
            return str(getattr(self.commands[name], "rich_help_panel", None) or ""), name

        return sorted(super().list_commands(ctx), key=place)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """The command that is named, and what it is to read."""
        if ctx.parent is None and args and args[0] in not_offered.WHY:
            ctx.fail(f"{args[0]} is not offered by xdsmesh: {not_offered.WHY[args[0]]}")
        name, command, rest = super().resolve_command(ctx, args)
        if command is None or isinstance(command, TyperGroup):
            return name, command, rest
        intermixed = command.context_settings.get("allow_interspersed_args", True)
        return name, command, as_declared(rest, command.get_params(ctx), intermixed=intermixed)


def as_declared(args: Sequence[str], parameters: Sequence[Any], *, intermixed: bool) -> list[str]:
    """The same arguments, with each flag spelled as the command declares it.

    The value of a flag, ``-``, and what follows ``--`` stay as they are.

    Args:
        args: What was typed.
        parameters: What the command takes.
        intermixed: Whether flags may also stand behind an argument that is none.
    """
    declared = [each for each in parameters if isinstance(each, TyperOption)]
    options = {name: each for each in declared for name in (*each.opts, *each.secondary_opts)}
    waiting = iter(args)
    told: list[str] = []
    for arg in waiting:
        is_flag = arg.startswith("-") and arg != "-"
        if arg == "--" or not (intermixed or is_flag):
            return [*told, arg, *waiting]
        told += _flag(arg, options, waiting) if is_flag else [arg]
    return told


def _flag(arg: str, options: Mapping[str, TyperOption], waiting: Iterator[str]) -> Iterator[str]:
    """A flag and, if it takes one, its value."""
    name, equals, value = arg.partition("=")
    if name not in options:
        name = _ONE_DASH.sub("--", name, count=1)
    option = options.get(name)
    if option is None:
        yield from _consuls(name, equals, value, waiting) if _ASKS in options else (name + equals + value,)
    elif option.is_flag:
        yield from _switch(name, value, option) if equals else (name,)
    else:
        yield name + equals + value
        if not equals:
            yield from islice(waiting, 1)


def _consuls(name: str, equals: str, value: str, waiting: Iterator[str]) -> Iterator[str]:
    """A flag that is not the command's own: what stands for it, if Consul's command takes it everywhere."""
    if name in consul_flags.SWITCHES:
        return
    if name not in consul_flags.VALUED:
        yield name + equals + value
        return
    given = value if equals else next(waiting, None)
    if given is None:
        raise typer.BadParameter(f"{name} requires an argument")
    yield from consul_flags.VALUED[name](given)


def _switch(name: str, value: str, option: TyperOption) -> Iterator[str]:
    """A flag that is on or off, with a word that says which."""
    if value.lower() in _TRUE:
        yield name
    elif value.lower() in _FALSE:
        yield from option.secondary_opts[:1]
    else:
        yield f"{name}={value}"
