"""When a check is probed again: at its interval, and quickly while it is waited for."""

from dataclasses import dataclass, replace
from typing import Final, Self

from xdsmesh.model.checks import Health

_FIRST_RETRY: Final = 0.1
"""Seconds. What has just been registered will listen in a moment."""

_AGAIN: Final = 1.0
"""Seconds. Who is cut off is soon to know that it is no more."""

_CROWD: Final = 1000
"""So many checks a second may look whether there is a way again."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds from the start of one probe to the start of the next one.

    ``retry`` is what it takes instead of ``interval`` after a failure, doubled each time; None once the
    check has passed.
    """

    interval: float
    retry: float | None = None

    @classmethod
    def begin(cls, interval: float, status: Health) -> Self:
        """The pace of a check that has this status before its first probe."""
        return cls(interval, None if status is Health.PASSING else _FIRST_RETRY)

    def after(self, result: Health) -> tuple[float, Self]:
        """How long to wait after a result, and the pace from then on."""
        if self.retry is None or result is not Health.CRITICAL:
            return self.interval, replace(self, retry=None)
        return min(self.retry, self.interval), replace(self, retry=min(self.retry * 2, self.interval))

    def without_result(self, crowd: int = 1) -> float:
        """How long to wait after a probe that says nothing, when it is so with ``crowd`` checks."""
        return min(max(_AGAIN, crowd / _CROWD), self.interval)
