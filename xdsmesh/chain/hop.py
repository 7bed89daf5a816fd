"""How a chain gets from one service to the next: what a person looks at when the next one is wrong."""

from dataclasses import dataclass
from typing import Self

from xdsmesh.config.entry import Entry


@dataclass(frozen=True, slots=True)
class Hop:
    """A field of an entry that leads to a service. ``path`` is as in ``Routes[0]``."""

    kind: str
    name: str
    path: str

    @classmethod
    def of(cls, entry: Entry, path: str) -> Self:
        """The hop that ``entry`` makes by its field ``path``."""
        return cls(entry.KIND, entry.name, path)

    @classmethod
    def start(cls, service: str) -> Self:
        """What leads to the chain's own service: its callers. No entry does, so none is ever wrong."""
        return cls("", service, "")

    def __str__(self) -> str:
        return f'{self.path} of {self.kind} "{self.name}"'
