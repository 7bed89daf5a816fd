"""Waiting until every proxy holds a secret: those that are connected, and those that may soon be back."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple

from xdsmesh.model.resource import EncodedResource
from xdsmesh.rotation.lagging import Lagging
from xdsmesh.status import Laggard, Registry, StreamRecord

RETURN_SECONDS: Final = 40.0
"""A proxy that has lost its stream is back within so long, if ever: Envoy tries at least every 30 s."""


class _Absence(NamedTuple):
    """Until when a proxy without a stream is waited for, by the clock of the event loop; and why."""

    end: float
    why: str


class Acknowledgements:
    """What the proxies of the mesh have acknowledged, for one who waits.

    A proxy that has lost its stream still forwards with what it holds. So it is waited for as well, for
    ``return_seconds`` after it left, or after the start if it was registered before that.
    """

    def __init__(
        self,
        registry: Registry,
        proxies: Callable[[], Iterable[str]],
        loaded: Callable[[], Awaitable[object]],
    ) -> None:
        """Wait for nobody yet.

        Args:
            registry: has the streams of proxies.
            proxies: gives the ids of all registered ones.
            loaded: returns once those that were registered before the start are known.
        """
        self.return_seconds = RETURN_SECONDS
        self._registry = registry
        self._proxies = proxies
        self._loaded = loaded
        self._absences: dict[str, _Absence] = {}  # the first to end is the first
        self._lagging: Lagging | None = None

    async def open(self) -> None:
        """Take note of who must come back, now and from now on."""
        await self._loaded()
        absence = _Absence(
            self._now() + self.return_seconds, "has not come back since the server was started"
        )
        self._absences = dict.fromkeys(self._proxies(), absence)
        self._registry.listen(self._left)

    def look_again(self) -> None:
        """Let `until_all` ask whether it is still wanted."""
        if self._lagging:
            self._lagging.wake()

    async def until_all(
        self, name: str, wanted: Callable[[str], EncodedResource | None], is_wanted: Callable[[], bool]
    ) -> None:
        """Return when all have acknowledged a secret, see `Lagging`; or when that is not wanted any more."""
        with Lagging(self._registry, name, wanted) as self._lagging:
            while is_wanted():
                ends = [each.end for each in self._returning().values()] if self._lagging.is_over else []
                if self._lagging.is_over and not ends:
                    break
                await self._lagging.news(min(ends) - self._now() if ends else None)
        self._lagging = None

    def waiting(self) -> list[Laggard]:
        """Who is waited for, by id, and why."""
        lagging = self._lagging
        why = {each.proxy: lagging.why(each) for each in lagging.streams} if lagging else {}
        why |= {proxy: absence.why for proxy, absence in self._returning().items()}
        return [Laggard(proxy, why[proxy]) for proxy in sorted(why)]

    def unconnected(self) -> list[str]:
        """The registered proxies that are not connected, by id."""
        return sorted(self._absent(frozenset(self._proxies())))

    def _left(self, record: StreamRecord) -> None:
        now = self._now()
        self._absences.pop(record.proxy, None)
        self._absences[record.proxy] = _Absence(now + self.return_seconds, "has just disconnected")
        while self._absences[first := next(iter(self._absences))].end <= now:
            del self._absences[first]

    def _returning(self) -> dict[str, _Absence]:
        now = self._now()
        open_ = {proxy: absence for proxy, absence in self._absences.items() if absence.end > now}
        absent = self._absent(frozenset(open_).intersection(self._proxies())) if open_ else ()
        return {proxy: open_[proxy] for proxy in absent}

    def _absent(self, proxies: frozenset[str]) -> frozenset[str]:
        return proxies - {record.proxy for record in self._registry.streams(proxies)}

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
