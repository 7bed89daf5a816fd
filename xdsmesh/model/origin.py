"""Where a stored value came from, so that history, blame and ownership are plain reads."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Source(StrEnum):
    """Who may write a key. What one source wrote, another may not change."""

    FILE = "file"
    API = "api"
    SERVER = "server"
    PRIMARY = "primary"
    """The primary datacenter, whose config entries the others have."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The writer of a value: a place in a file, an author at the API, the server itself, or the primary.

    ``where`` is the file's path, the author's address, the part of the server, or the primary's name.
    ``line`` and ``column`` count from 1 and are 0 when the value did not come from a file.
    """

    source: Source
    where: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.where}:{self.line}:{self.column}" if self.line else (self.where or self.source.value)


PROBER: Final = Origin(Source.SERVER, "checks")
"""Who says what the status of a check is, whoever registered the check."""
