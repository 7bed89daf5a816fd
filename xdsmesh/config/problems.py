"""What is wrong with one text: collected all at once, up to as much as a person may want to read."""

from dataclasses import dataclass, field
from typing import Final

from xdsmesh.config import wording
from xdsmesh.config.tree import Position
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem

MAX_PROBLEMS: Final = 100
"""How many problems of one file are told; whoever has more hears that there are more."""


class TooManyProblemsError(Exception):
    """So many problems that it is of no use to look for more."""


@dataclass(slots=True)
class Problems:
    """Collects the problems of one file or body."""

    source: str
    found: list[Problem] = field(default_factory=list)

    def add(self, at: Position, what: str, remedy: str = "", *, code: Code, path: str = "") -> None:
        """Note a problem of what stands somewhere.

        Raises:
            TooManyProblemsError: there are enough now.
        """
        self.extend(Problem(at.place(self.source, path), what, remedy, code=code))

    def extend(self, *problems: Problem) -> None:
        """Note problems that somebody else found.

        Raises:
            TooManyProblemsError: there are enough now.
        """
        self.found += problems
        if len(self.found) >= MAX_PROBLEMS:
            raise TooManyProblemsError

    def repeated(self, key: str, first: Position, again: Position, path: str = "") -> None:
        """Note a key that is given a second time."""
        before = f", first at line {first.line}" if first.line else ""
        what = f"{wording.quoted(key)} is given twice{before}"
        self.add(again, what, "keep one of them", code=Code.KEY_REPEATED, path=path)


def limited(problems: list[Problem]) -> tuple[Problem, ...]:
    """The problems of a file in the order of its text; of very many only the first ones."""
    ordered = sorted(problems, key=lambda problem: (problem.place.line, problem.place.column))
    if len(ordered) < MAX_PROBLEMS:
        return tuple(ordered)
    what = f"there may be more problems: only {MAX_PROBLEMS} are told"
    more = Problem(Place(ordered[0].place.source), what, "mend these first", code=Code.MORE_PROBLEMS)
    return (*ordered[:MAX_PROBLEMS], more)
