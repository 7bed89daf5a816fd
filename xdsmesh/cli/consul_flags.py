"""Flags that Consul's command takes everywhere, for every command here that asks a server.

There is one namespace and one partition, and the one server is never stale: what says that is taken, and
what says more is refused. The help does not show them.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Final

import typer

from xdsmesh.cli.options import read_token

_datacenter: Final = ContextVar("datacenter", default="")
_THE_ONE: Final = "default"


def asked_datacenter() -> str:
    """The datacenter that the command was told to ask; empty: the server's own."""
    return _datacenter.get()


def forget() -> None:
    """Another command begins."""
    _datacenter.set("")


def _in_datacenter(name: str) -> list[str]:
    """The server itself says whether it is of this datacenter."""
    _datacenter.set(name)
    return []


def _token_file(path: str) -> list[str]:
    return ["--token", read_token(Path(path))]


def _namespace(name: str) -> list[str]:
    return _the_one("namespace", name)


def _partition(name: str) -> list[str]:
    return _the_one("partition", name)


def _the_one(what: str, name: str) -> list[str]:
    if name not in ("", _THE_ONE):
        raise typer.BadParameter(f"there is only the {what} {_THE_ONE!r}, and not {name!r}")
    return []


SWITCHES: Final = ("--stale",)
"""Flags without a value; they change nothing."""

VALUED: Final[Mapping[str, Callable[[str], list[str]]]] = {
    "--datacenter": _in_datacenter,
    "--namespace": _namespace,
    "--partition": _partition,
    "--token-file": _token_file,
}
"""Flags with a value: what stands for them among the flags of the command."""
