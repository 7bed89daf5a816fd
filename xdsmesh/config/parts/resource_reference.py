"""References from one config entry to another."""

from typing import Self

from msgspec import structs

from xdsmesh.config.entry import Shape


class ResourceReference(Shape, frozen=True):
    """Another config entry, or a section of it."""

    kind: str = ""
    """The other entry's kind."""
    name: str = ""
    """The other entry's name."""
    section_name: str = ""
    """A part of the other entry, such as the name of a listener; empty is all of it."""

    def or_kind(self, kind: str) -> Self:
        """The reference with this kind if it has none."""
        return structs.replace(self, kind=self.kind or kind)
