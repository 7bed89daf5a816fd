"""What a caller has reported of its calls: which were answered, by whom, and which failed."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xdsmesh.demo.processes import Child


class Call(NamedTuple):
    """One call of an upstream; times are those of ``time.monotonic``. ``failure`` is empty if it was answered."""

    upstream: str
    began: float
    ended: float
    answered: str
    """By whom, such as ``dc2 db``."""
    failure: str


class Calls:
    """All calls of a process of ``programs/caller.py``."""

    def __init__(self, caller: Child) -> None:
        self._caller = caller

    def all(self, upstream: str = "", since: float = 0, until: float = float("inf")) -> list[Call]:
        """Those that ended by now and began in this time, in order; of one upstream, or all."""
        lines = self._caller.log.read_text().splitlines()
        calls = sorted((Call(*json.loads(line)) for line in lines if line.endswith("]")), key=lambda it: it.began)
        return [it for it in calls if upstream in ("", it.upstream) and since <= it.began < until]


def failed(calls: Iterable[Call]) -> list[Call]:
    """Those that were not answered."""
    return [call for call in calls if call.failure]


def answered_by(calls: Iterable[Call]) -> Counter[str]:
    """Who has answered, and how often; failures by themselves."""
    return Counter(call.answered or call.failure for call in calls)
