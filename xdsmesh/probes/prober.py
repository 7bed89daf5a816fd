"""The owner of a node's checks: probes them, times them, judges aliases, and has their statuses stored."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog

from xdsmesh.model.checks import Check, CheckStatus, CheckType, Health, Probe
from xdsmesh.model.facts import Batch
from xdsmesh.probes.alias import Aliases
from xdsmesh.probes.cut import Cut, not_probed
from xdsmesh.probes.lane import Lane
from xdsmesh.probes.pace import Pace
from xdsmesh.probes.probe import PROBED, CannotAskError, ask
from xdsmesh.probes.routes import Address, obstacle
from xdsmesh.probes.schedule import Schedule
from xdsmesh.probes.standing import Standing, Urgency
from xdsmesh.probes.thresholds import Streak, verdict
from xdsmesh.probes.way import NotProbedError, NoWayError, Way

Report = Callable[[str, CheckStatus], Awaitable[None]]
"""Makes the status of a check, by its id, durable; it may raise, and is then called again later."""

_EXPIRED: Final = "TTL expired"
_STOOD_STILL_SECONDS: Final = 0.5
"""Who wakes up so much too late did not run: stopped, paused, or starved."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """What the prober allows itself.

    ``probes`` and ``reports`` are under way at a time. A check whose probe took longer than ``slow_seconds``
    waits for its turn among others like it, who have as many probes again: it holds up no quick one. One that
    takes longer than ``stuck_seconds`` holds up no slow one either. Output that comes without a change of
    status is written after ``output_seconds``, give or take a half of it. A report that failed is tried again
    after ``retry_seconds``, or at the check's next result.
    """

    probes: int = 64
    slow_seconds: float = 1.0
    stuck_seconds: float = 5.0
    reports: int = 64
    output_seconds: float = 300.0
    retry_seconds: float = 10.0


@dataclass(slots=True, eq=False)
class _Watched:
    """A check that the prober answers for."""

    check: Check
    standing: Standing
    pace: Pace
    way: Way
    streak: Streak = field(default_factory=Streak)
    slow: bool = False


class Prober:
    """Finds out the statuses of a node's checks that have a probe.

    Used from one event loop. ``take`` and ``beat`` only take note; ``run`` does the work.
    """

    def __init__(  # noqa: PLR0913 - the world around it
        self,
        node: str,
        report: Report,
        clock: Callable[[], float],
        pick: Callable[[float, float], float],
        limits: Limits = Limits(),
        *,
        obstacle: Callable[[Address], str] = obstacle,
    ) -> None:
        """Make a prober that knows of no check yet.

        Args:
            node: the name of the node whose checks it is to probe.
            report: makes a status durable.
            clock: seconds that only grow, such as ``time.monotonic``.
            pick: draws a number between two, such as ``random.uniform``.
            limits: what it allows itself.
            obstacle: says why this machine has no way to an address, or nothing if it has one.
        """
        self._node = node
        self._store = report
        self._clock = clock
        self._pick = pick
        self._limits = limits
        self._obstacle = obstacle
        self._started = False  # the first batch, with what was there before, is in
        self._watched: dict[str, _Watched] = {}
        self._aliases = Aliases(node)
        self._due = Schedule()  # probes, and the ends of TTLs
        self._unwritten = Schedule()  # reports that can wait
        self._planned = asyncio.Event()
        self._can_ask = True
        self._cut = Cut()
        self._quick = Lane(limits.probes, self._probe, limits.slow_seconds)
        self._slow = Lane(limits.probes, self._probe, limits.stuck_seconds)
        self._reports = Lane(limits.reports, self._report)

    def take(self, batch: Batch) -> None:
        """Take in facts; the first batch is everything that exists.

        Those that count are ``("check", node, id)`` and ``("instance", node, id)``.
        """
        for fact in batch.facts:
            match fact.key:
                case ("check", node, check_id):
                    check = fact.value if isinstance(fact.value, Check) else None
                    self._aliases.put_check(node, check_id, check)
                    if node == self._node:
                        self._take_check(check_id, check)
                case ("instance", node, service_id):
                    self._aliases.put_service(node, service_id, exists=fact.value is not None)
        for check_id, status in self._aliases.judge():
            if watched := self._watched.get(check_id):
                self._hear(watched, status)
        self._started = True

    def beat(self, check_id: str) -> None:
        """Somebody has spoken for a TTL check: its time starts anew. Other checks have none."""
        watched = self._watched.get(check_id)
        if watched and watched.check.type is CheckType.TTL:
            watched.standing.heard = None  # an expiry that is not written yet is over
            self._plan_expiry(watched.check)

    def outputs(self) -> Mapping[str, str]:
        """The latest output by check id, where it is newer than what is stored."""
        return {
            check_id: heard.output
            for check_id, watched in self._watched.items()
            if (heard := watched.standing.heard)
        }

    async def run(self) -> None:
        """Probe until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for name, work in (
                ("clock", self._keep_time()),
                ("quick probes", self._quick.run()),
                ("slow probes", self._slow.run()),
                ("reports", self._reports.run()),
            ):
                tasks.create_task(work, name=f"prober: {name}")

    def _take_check(self, check_id: str, check: Check | None) -> None:
        known = self._watched.get(check_id)
        if known and check and (check.type, check.probe) == (known.check.type, known.check.probe):
            known.check = check
            known.standing.store(CheckStatus(check.status, check.output))
            return
        if known:
            self._forget(check_id)
        if check and check.probe:
            self._watch(check, check.probe)

    def _watch(self, check: Check, probe: Probe) -> None:
        interval = probe.interval.seconds
        standing = Standing(CheckStatus(check.status, check.output))
        way = Way(check.type, probe, self._clock, self._obstacle)
        self._watched[check.id] = _Watched(check, standing, Pace.begin(interval, check.status), way)
        if check.type is CheckType.TTL:
            self._plan_expiry(check)
        elif check.type in PROBED:
            restored = not self._started and check.status in (Health.PASSING, Health.WARNING)
            self._plan(check.id, self._clock() + (self._pick(0, interval) if restored else 0))

    def _forget(self, check_id: str) -> None:
        del self._watched[check_id]
        self._cut.regain(check_id)
        self._due.remove(check_id)
        self._unwritten.remove(check_id)
        for lane in (self._quick, self._slow, self._reports):
            lane.drop(check_id)

    def _plan(self, check_id: str, when: float) -> None:
        self._due.set(check_id, when)
        self._planned.set()

    def _plan_expiry(self, check: Check) -> None:
        if check.probe:
            self._plan(check.id, self._clock() + check.probe.ttl.seconds)

    async def _keep_time(self) -> None:
        while True:
            self._planned.clear()
            now = self._clock()
            for check_id in self._due.pop(now):
                self._come_due(self._watched[check_id])
            for check_id in self._unwritten.pop(now):
                self._reports.want(check_id)
            moments = [when for when in (self._due.next, self._unwritten.next) if when is not None]
            try:
                async with asyncio.timeout(min(moments) - self._clock() if moments else None):
                    await self._planned.wait()
            except TimeoutError:
                if (late := self._clock() - min(moments)) > _STOOD_STILL_SECONDS:
                    self._give_time(late)

    def _give_time(self, late: float) -> None:
        """This process stood still; who spoke meanwhile is not heard yet: no TTL ends for as long again."""
        until = self._clock() + late
        for check_id in tuple(self._due.pop(until)):
            watched = self._watched[check_id]
            if watched.check.type is CheckType.TTL:
                self._plan(check_id, until)
            else:
                self._come_due(watched)

    def _come_due(self, watched: _Watched) -> None:
        if watched.check.type is CheckType.TTL:
            self._hear(watched, CheckStatus(Health.CRITICAL, _expired(watched.standing.stored.output)))
        else:
            (self._slow if watched.slow else self._quick).want(watched.check.id)

    async def _probe(self, check_id: str) -> None:
        watched = self._watched[check_id]
        probe = watched.check.probe
        if probe is None:
            return
        start = self._clock()
        try:
            result = await watched.way.result(partial(ask, watched.check.type, probe))
        except (CannotAskError, NotProbedError) as error:
            if self._watched.get(check_id) is watched:
                self._plan(check_id, start + self._learn_nothing(watched, error))
            return
        self._can_ask = True
        if self._watched.get(check_id) is not watched:
            return
        self._cut.regain(check_id)
        watched.slow = self._clock() - start > self._limits.slow_seconds
        wait, watched.pace = watched.pace.after(result.status)
        self._plan(check_id, start + wait)
        watched.streak = watched.streak.after(result.status)
        if status := verdict(result.status, watched.streak, probe):
            self._hear(watched, CheckStatus(status, result.output))

    def _learn_nothing(self, watched: _Watched, error: Exception) -> float:
        """A check keeps its status; how long to wait until it is probed again. The log has it once."""
        if isinstance(error, CannotAskError):
            if self._can_ask:
                _log.warning("health checks can't be made now, and keep their statuses", why=str(error))
            self._can_ask = False
            return watched.pace.interval
        if isinstance(error, NoWayError):
            self._cut.lose(watched.check.id, str(error), known=watched.way.known)
            self._hear(watched, not_probed(watched.standing.latest, str(error)))
        return watched.pace.without_result(len(self._cut))

    def _hear(self, watched: _Watched, status: CheckStatus) -> None:
        check_id = watched.check.id
        match watched.standing.hear(status):
            case Urgency.NOW:
                self._reports.want(check_id)
            case Urgency.LATER if check_id not in self._unwritten:
                self._write_after(check_id, self._limits.output_seconds * self._pick(0.5, 1.5))

    def _write_after(self, check_id: str, seconds: float) -> None:
        self._unwritten.set(check_id, self._clock() + seconds)
        self._planned.set()

    async def _report(self, check_id: str) -> None:
        standing = self._watched[check_id].standing
        status = standing.send()
        if status is None:
            return
        try:
            await self._store(check_id, status)
        except Exception as error:  # noqa: BLE001 - whatever stands in the way of writing, it may pass
            standing.fail()
            self._write_after(check_id, self._limits.retry_seconds)
            _log.warning(
                "the status of a check could not be stored; trying again",
                check=check_id,
                status=status.status.value,
                why=str(error) or type(error).__name__,
            )


def _expired(last_output: str) -> str:
    """What an expired check says; what it said before stays readable."""
    if not last_output or last_output.startswith(_EXPIRED):
        return last_output or _EXPIRED
    return f"{_EXPIRED} (last output before timeout follows): {last_output}"
