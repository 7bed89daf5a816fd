"""What the parsers share: where things stand, what their texts may hold, and when a text is too much."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from xdsmesh.config.problems import Problems
from xdsmesh.config.tree import MAX_DEPTH, MAX_VALUES, Member, Position, Scalar, Unread
from xdsmesh.model.codes import Code

_DEEPER: Final = {"{": 1, "[": 1, "}": -1, "]": -1}
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")


class TooMuchError(Exception):
    """The text is nested too deep, or holds too many values; the problem is noted."""


class Reading:
    """A text that is being read: turns offsets into positions, counts values, collects problems."""

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.problems = Problems(source)
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._values = 0

    def at(self, offset: int) -> Position:
        """The position of an offset."""
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1)

    def unescaped(self, at: Position, text: str) -> Scalar | Unread:
        """A text that had escapes as a value, unless they brought in what can't be written down again."""
        if not _NO_TEXT.search(text):
            return Scalar(at, text, text)
        what = "this text has an escape for a NUL character or for half of a surrogate pair"
        self.problems.add(at, what, "remove it", code=Code.UNWRITABLE_TEXT)
        return Unread(at)

    def unique(self, members: Iterable[Member]) -> tuple[Member, ...]:
        """The members without repeated keys: the first one stays, each further one is a problem."""
        seen: dict[str, Member] = {}
        for member in members:
            first = seen.setdefault(member.key, member)
            if first is not member:
                self.problems.repeated(member.key, first.at, member.at)
        return tuple(seen.values())

    def too_deep(self, at: Position) -> TooMuchError:
        """Note an object or list that is nested deeper than we follow."""
        what = f"objects and lists are nested more than {MAX_DEPTH} deep here"
        self.problems.add(at, what, "flatten them", code=Code.TOO_DEEP)
        return TooMuchError()

    def count(self, at: Position) -> None:
        """Count a value.

        Raises:
            TooMuchError: it is one too many.
        """
        self._values += 1
        if self._values > MAX_VALUES:
            raise self.too_many(at, f"{MAX_VALUES:,} values")

    def too_many(self, at: Position, limit: str) -> TooMuchError:
        """Note what is one more than a file may hold."""
        what = f"a file holds at most {limit}, and this is one more"
        self.problems.add(at, what, "divide it", code=Code.TOO_MANY_VALUES)
        return TooMuchError()


def too_deep_piece(pieces: Iterable[str], *, around: int = 0) -> int | None:
    """Which of a text's pieces, if any, is the first bracket that is nested too deep.

    Args:
        pieces: the pieces of a text; those that are brackets count.
        around: how deep the text as a whole is.
    """
    depth = around
    for index, piece in enumerate(pieces):
        if piece in _DEEPER:
            depth += _DEEPER[piece]
            if depth > MAX_DEPTH:
                return index
    return None
