"""The names of things in the store."""

from typing import Final

ENTRIES: Final = "entry/"
INSTANCES: Final = "instance/"
GUARD: Final = "guard/entries"
"""Every write of config entries bumps this key, so that a check against all entries stays sound."""


def entry_key(kind: str, name: str) -> str:
    """The key of a config entry."""
    return f"{ENTRIES}{kind}/{name}"


def entry_name(key: str) -> tuple[str, str]:
    """The kind and name that an entry's key stands for."""
    kind, _, name = key.removeprefix(ENTRIES).partition("/")
    return kind, name


def instance_key(instance_id: str) -> str:
    """The key of a service instance; ids are unique in a datacenter, and a store is one datacenter's."""
    return f"{INSTANCES}{instance_id}"


def instance_id(key: str) -> str:
    """The id that an instance's key stands for."""
    return key.removeprefix(INSTANCES)
