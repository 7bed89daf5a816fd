"""What became of a text that was decoded: the value, and what is known of its fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from xdsmesh.config import paths
from xdsmesh.config.entry import Shape
from xdsmesh.config.tree import Position
from xdsmesh.model.errors import Place, Problem

S = TypeVar("S", bound=Shape)


@dataclass(frozen=True, slots=True)
class Decoded(Generic[S]):
    """A decoded value, as far as it could be read; what could not; and where each field stands.

    ``unread`` are the paths of fields that could not be read, ``partial`` those of the objects and lists of
    which something is unread, ``misspelled`` those of the objects that have unknown keys.
    """

    value: S
    source: str
    problems: tuple[Problem, ...]
    positions: Mapping[str, Position]
    unread: frozenset[str]
    partial: frozenset[str]
    misspelled: frozenset[str]

    def place(self, path: str) -> Place:
        """Where a field stands or, if it was not given, the nearest object around it."""
        around = path
        while around not in self.positions:
            around = paths.owner(around)
        return self.positions[around].place(self.source, path)

    def doubtful(self, path: str) -> bool:
        """Whether a rule judges what could not be read whole: then its finding may be wrong.

        That is so for an object or list of which something is unread, for what is unread itself, for an item
        beside such a one, and for a field that seems to be missing where an unknown key may stand for it.
        """
        return (
            any(paths.within(inner, path) for inner in self.partial)
            or any(paths.within(path, outer) for outer in self.unread)
            or (path.endswith("]") and paths.owner(path) in self.partial)
            or (path not in self.positions and paths.owner(path) in self.misspelled)
        )
