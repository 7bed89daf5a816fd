"""Which datacenters belong to the mesh, as far as this one knows."""

from typing import Final

from xdsmesh.catalog.remote import RemoteView
from xdsmesh.model.facts import Fact

_FACTS: Final = frozenset({"member", "membership"})


def primary_of(remote: RemoteView) -> str:
    """The datacenter that this one has joined; empty: it is the primary itself, or alone."""
    return remote.membership.primary if remote.membership else ""


def others(remote: RemoteView, own: str) -> frozenset[str]:
    """The other datacenters. A secondary that has heard nothing yet knows the primary."""
    return frozenset({primary_of(remote), *remote.members}) - {"", own}


def all_datacenters(remote: RemoteView, own: str) -> tuple[str, ...]:
    """All datacenters by name: the ``own`` one first, then the others in order."""
    return own, *sorted(others(remote, own))


def is_about_members(fact: Fact) -> bool:
    """Whether it may change who belongs to the mesh."""
    return fact.key[0] in _FACTS
