"""How a command fails."""

from collections.abc import Mapping
from typing import Final

from xdsmesh.model.errors import Place

REFUSED: Final = 1
"""The exit code of a command that was refused, or that found a problem."""

WRONG_USAGE: Final = 2
"""The exit code of a command that was called wrongly."""


class CommandError(Exception):
    """Why a command cannot go on: the sentence that it prints before it exits with ``REFUSED``."""


class ServerRefusedError(CommandError):
    """The server did not do what it was asked; the text is its own, a problem a line."""

    def at(self, places: Mapping[str, Place]) -> "ServerRefusedError":
        """The same, with the places of what it refused; ``places`` is by the names in the server's text."""
        return ServerRefusedError("\n".join(located(line, places) for line in str(self).splitlines()))


def located(line: str, places: Mapping[str, Place], mark: str = "") -> str:
    """A line of the server's with the place of what it names at its beginning, and a mark after that."""
    place = next((place for name, place in places.items() if line.startswith(f"{name}:")), None)
    if place is None and len(places) == 1:
        (place,) = places.values()
    return f"{place}: {mark}{line}" if place else f"{mark}{line}"
