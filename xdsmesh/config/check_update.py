"""What the owner of a TTL check says about it."""

from collections.abc import Iterator
from typing import ClassVar, Final

from xdsmesh.config import rules
from xdsmesh.config.entry import Definition
from xdsmesh.model.checks import CheckStatus, Health
from xdsmesh.model.errors import Problem

MAX_OUTPUT: Final = 4096
"""Bytes of output that are kept."""

_STATUSES: Final = tuple(each.value for each in Health if each)


class CheckUpdate(Definition, frozen=True, kw_only=True):
    """A status, and a text about it. Shape: https://developer.hashicorp.com/consul/api-docs/agent/check."""

    IGNORED: ClassVar[frozenset[str]] = frozenset({"WriteRequest"})

    status: str = ""
    output: str = ""

    def problems(self) -> Iterator[Problem]:
        """What is wrong with it."""
        yield from rules.required("Status", self.status)
        yield from rules.one_of("Status", self.status, ("", *_STATUSES))

    def check_status(self) -> CheckStatus:
        """The catalog's form of it."""
        return said(Health(self.status), self.output)


def said(status: Health, output: str) -> CheckStatus:
    """A status with as much of a text as is kept."""
    return CheckStatus(status, output.encode()[:MAX_OUTPUT].decode(errors="ignore"))
