"""What a caller has reported of its calls: which were answered, by whom, and which failed."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xdsmesh.demo.processes import Child


class Call(NamedTuple):
    """One call of an upstream; times are those of ``time.monotonic``.

    ``failure`` is empty if it was answered.
    """

    upstream: str
    began: float
    ended: float
    answered: str
    """By whom, such as ``dc2 db``."""
    failure: str


class Calls:
    """All calls of a process of ``programs/caller.py``."""

    def __init__(self, caller: Child) -> None:
        self._log = caller.log.open()
        self._line = ""
        self._calls: list[Call] = []

    def all(self, upstream: str = "", since: float = 0, until: float = float("inf")) -> list[Call]:
        """Those that ended by now and began in this time, in order; of one upstream, or all."""
        self._read()
        return [it for it in self._calls if upstream in ("", it.upstream) and since <= it.began < until]

    def close(self) -> None:
        self._log.close()

    def _read(self) -> None:
        """Take what has come since the last time; the last line may not be complete yet."""
        *lines, self._line = (self._line + self._log.read()).split("\n")
        self._calls += (Call(*json.loads(line)) for line in lines)
        self._calls.sort(key=lambda call: call.began)


def failed(calls: Iterable[Call]) -> list[Call]:
    """Those that were not answered."""
    return [call for call in calls if call.failure]


def answered_by(calls: Iterable[Call]) -> Counter[str]:
    """Who has answered, and how often; failures by themselves."""
    return Counter(call.answered or call.failure for call in calls)
