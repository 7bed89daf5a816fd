"""Services that have been critical for too long are deregistered, where their checks ask for it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from xdsmesh.model.checks import Check, Health
from xdsmesh.model.facts import Batch

Deregister = Callable[[str], Awaitable[None]]
"""Removes a service of the node, by its id, and what belongs to it; it may raise."""

PERIOD_SECONDS: Final = 30.0

_log = structlog.get_logger()


class Reaper:
    """Watches the checks of a node that have ``deregister_after``.

    Used from one event loop. A time that ran before a restart does not count.
    """

    def __init__(
        self,
        node: str,
        deregister: Deregister,
        clock: Callable[[], float],
        period: float = PERIOD_SECONDS,
    ) -> None:
        """Make a reaper that looks every ``period`` seconds, by a clock of seconds that only grow."""
        self._node = node
        self._deregister = deregister
        self._clock = clock
        self._period = period
        self._critical: dict[str, tuple[Check, float]] = {}  # by check id: since when
        self._told: set[str] = set()  # checks of which is said already that they can't be heeded

    def take(self, batch: Batch) -> None:
        """Take in facts; those that count are ``("check", node, id)``."""
        for fact in batch.facts:
            match fact.key:
                case ("check", node, check_id) if node == self._node:
                    self._take_check(check_id, fact.value if isinstance(fact.value, Check) else None)

    async def run(self) -> None:
        """Look again and again until cancelled; what could not be deregistered is tried again."""
        while True:
            await asyncio.sleep(self._period)
            reaped: set[str] = set()
            for check_id in tuple(self._critical):
                check = self._overdue(check_id)
                if check and check.service_id not in reaped:
                    reaped.add(check.service_id)
                    await self._reap(check)

    def _take_check(self, check_id: str, check: Check | None) -> None:
        if check and check.service_id and check.deregister_after and check.status is Health.CRITICAL:
            _, since = self._critical.get(check_id, (check, self._clock()))
            self._critical[check_id] = (check, since)
        else:
            self._critical.pop(check_id, None)
            self._told.discard(check_id)

    def _overdue(self, check_id: str) -> Check | None:
        check, since = self._critical.get(check_id, (None, 0.0))
        return check if check and self._clock() - since > check.deregister_after.seconds else None

    async def _reap(self, check: Check) -> None:
        what = {
            "service": check.service_id,
            "check": check.id,
            "critical_for": str(check.deregister_after),
        }
        try:
            await self._deregister(check.service_id)
        except Exception as error:  # noqa: BLE001 - whatever stands in the way, it may pass
            why = str(error) or type(error).__name__
            if check.id not in self._told:
                _log.warning("a critical service could not be deregistered; trying again", **what, why=why)
            self._told.add(check.id)
        else:
            _log.info("a service was critical for too long and is deregistered", **what)
