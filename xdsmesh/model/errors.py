"""What a person is told when their input is refused: what, where, why, and what to do."""

from dataclasses import dataclass, field

from xdsmesh.model.codes import Code


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in the input a problem is.

    ``source`` is a file's path as the person gave it, or empty for a request body. ``line`` and
    ``column`` count from 1; 0 means unknown. ``path`` is the field, such as ``Routes[0].Match.HTTP``.
    """

    source: str = ""
    line: int = 0
    column: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.source and self.line:
            return f"{self.source}:{self.line}:{self.column}"
        return self.source or self.path


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, its remedy if there is an obvious one, and its code."""

    place: Place
    what: str
    remedy: str = ""
    code: Code = field(kw_only=True)

    def __str__(self) -> str:
        where = str(self.place)
        text = f"{self.code} {self.what}"
        told = f"{where}: {text}" if where else text
        return f"{told} ({self.remedy})" if self.remedy else told


class RefusedError(Exception):
    """Input that is refused whole, with all its problems; nothing has changed."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class NotFoundError(Exception):
    """What was asked for does not exist; the text says what."""


class OwnershipError(Exception):
    """A write to something that another origin owns, such as the API to what a file declares."""


class NeededError(Exception):
    """What was to be removed is needed as things are; the text says what for."""


class UnderWayError(Exception):
    """What was asked for must wait for something that is under way; the text says what, and what to do."""


class NoPathError(Exception):
    """A datacenter that is not of the mesh; the text says which are."""


class OutOfReachError(Exception):
    """Another datacenter does not answer; the text says why, and what to do."""


class AddressInUseError(Exception):
    """An address to listen on can't be had; the text says why, and what to do."""
