"""Reading entries as the kinds that they are."""

from typing import TypeVar

from xdsmesh.chain.types import ReadEntry
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds import proxy_defaults

_EntryT = TypeVar("_EntryT", bound=Entry)


def read_as(read: ReadEntry, kind: type[_EntryT], name: str) -> _EntryT | None:
    """Read the entry of a kind, as that kind."""
    entry = read(kind.KIND, name)
    return entry if isinstance(entry, kind) else None


def read_proxy_defaults(read: ReadEntry) -> proxy_defaults.ProxyDefaults:
    """Read the one entry of its kind, or what holds without it."""
    return read_as(read, proxy_defaults.ProxyDefaults, proxy_defaults.NAME) or proxy_defaults.ProxyDefaults()
