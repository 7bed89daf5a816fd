"""Changes of headers, in an order that does not depend on how they were written down."""

from xdsmesh.config.parts.headers import HeaderModifiers
from xdsmesh.ir.types import HeaderChanges

_NONE = HeaderChanges()


def build_header_changes(modifiers: HeaderModifiers | None) -> HeaderChanges:
    """The changes that a route or a split asks for."""
    if modifiers is None:
        return _NONE
    return HeaderChanges(
        add=tuple(sorted(modifiers.add.items())),
        set=tuple(sorted(modifiers.set.items())),
        remove=tuple(sorted(set(modifiers.remove))),
    )
