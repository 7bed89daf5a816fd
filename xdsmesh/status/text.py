"""Text that a proxy sent, made fit to be shown: one line, bounded, and without keys."""

import re
from typing import Final

MAX_LENGTH: Final = 1000
_PEM: Final = re.compile(r"-----BEGIN .*?(?:-----END [^-]*-----|\Z)", re.DOTALL)


def printable(text: str, limit: int = MAX_LENGTH) -> str:
    """The text on one line of at most ``limit`` characters.

    Envoy's error messages hold newlines and pieces of configuration. Control characters are dropped or
    become spaces, so that nothing can forge a line of a log or move a terminal's cursor.
    """
    visible = "".join(c if c.isprintable() else " " for c in _PEM.sub("[PEM removed]", text[: 20 * limit]))
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
