"""How a command fails."""

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

    def at(self, place: Place) -> "ServerRefusedError":
        """The same, with the place of what it refused."""
        return ServerRefusedError("\n".join(f"{place}: {line}" for line in str(self).splitlines()))
