"""How datacenters come together, as callers of the HTTP API and the command write it."""

from collections.abc import Iterator
from typing import Final

from msgspec import field

from xdsmesh.config import rules
from xdsmesh.config.entry import Definition
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem

_USUAL: Final = Duration.parse("1h")
_SHORTEST: Final = Duration.parse("1m")
_LONGEST: Final = Duration.parse("168h")


class JoinTokenBody(Definition, frozen=True):
    """A token with which one datacenter may join: any, or the one of that name; and how long it works."""

    datacenter: str = ""
    ttl: Duration = field(default=_USUAL, name="TTL")

    def problems(self) -> Iterator[Problem]:
        """What is wrong: the name is none, or the token would work too briefly or too long."""
        if self.datacenter:
            yield from rules.name("Datacenter", self.datacenter)
        if not _SHORTEST <= self.ttl <= _LONGEST:
            what = f"TTL is {self.ttl}, and a token works from {_SHORTEST} to {_LONGEST}"
            yield rules.problem("TTL", what, "write one between, such as 1h", code=Code.OUT_OF_RANGE)


class JoinBody(Definition, frozen=True):
    """The token to join with, and whether config entries that are in the way are to be deleted."""

    token: str = ""
    discard_entries: bool = False

    def __repr__(self) -> str:
        return "JoinBody()"  # never the token

    def problems(self) -> Iterator[Problem]:
        """What is wrong: there is no token."""
        yield from rules.required("Token", self.token)
