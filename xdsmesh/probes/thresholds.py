"""How many results in a row it takes until a check's status changes."""

from dataclasses import dataclass
from typing import Self

from xdsmesh.model.checks import Health, Probe


@dataclass(frozen=True, slots=True)
class Streak:
    """The results that came last without one of the other sort; a warning is a success here."""

    successes: int = 0
    failures: int = 0

    def after(self, result: Health) -> Self:
        """The streak with one more result."""
        if result is Health.CRITICAL:
            return type(self)(failures=self.failures + 1)
        return type(self)(successes=self.successes + 1)


def verdict(result: Health, streak: Streak, probe: Probe) -> Health | None:
    """What the check's status is after a result that ended this streak; None: what it was before."""
    if result is not Health.CRITICAL:
        return result if streak.successes >= probe.success_before_passing else None
    if streak.failures >= probe.failures_before_critical:
        return Health.CRITICAL
    before_warning = probe.failures_before_warning or probe.failures_before_critical
    return Health.WARNING if streak.failures >= before_warning else None
