"""Waiting until every proxy holds a secret: those that are connected, and those that must still come back."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from xdsmesh.model.resource import EncodedResource
from xdsmesh.rotation.lagging import Lagging
from xdsmesh.status import Laggard, Registry

RETURN_SECONDS: Final = 40.0
"""After a start of the server its proxies come back within so long: Envoy tries at least every 30 s."""


class Acknowledgements:
    """What the proxies of the mesh have acknowledged, for one who waits.

    ``return_seconds`` is how long after a start proxies are waited for that were registered before it, and
    are not connected: until the restart they were waited for, and nobody knows what they hold.
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
        self._before: frozenset[str] = frozenset()
        self._returned_by = 0.0
        self._lagging: Lagging | None = None

    async def open(self) -> None:
        """Take note of who must come back."""
        await self._loaded()
        self._before = frozenset(self._proxies())
        self._returned_by = asyncio.get_running_loop().time() + self.return_seconds

    def look_again(self) -> None:
        """Let `until_all` ask whether it is still wanted."""
        if self._lagging:
            self._lagging.wake()

    async def until_all(
        self, name: str, wanted: Callable[[str], EncodedResource | None], is_wanted: Callable[[], bool]
    ) -> None:
        """Return when all have acknowledged a secret, see `Lagging`; or when that is not wanted any more."""
        clock = asyncio.get_running_loop().time
        with Lagging(self._registry, name, wanted) as self._lagging:
            while is_wanted() and (not self._lagging.is_over or self._returning()):
                left = self._returned_by - clock()
                await self._lagging.news(left if left > 0 else None)
        self._lagging = None

    def waiting(self) -> list[Laggard]:
        """Who is waited for, by id, and why."""
        lagging = self._lagging
        why = {each.proxy: lagging.why(each) for each in lagging.streams} if lagging else {}
        why |= dict.fromkeys(self._returning(), "has not come back since the server was started")
        return [Laggard(proxy, why[proxy]) for proxy in sorted(why)]

    def unconnected(self) -> list[str]:
        """The registered proxies that are not connected, by id."""
        return sorted(self._absent(frozenset(self._proxies())))

    def _returning(self) -> frozenset[str]:
        if asyncio.get_running_loop().time() >= self._returned_by:
            return frozenset()
        return self._absent(self._before.intersection(self._proxies()))

    def _absent(self, proxies: frozenset[str]) -> frozenset[str]:
        return proxies - {record.proxy for record in self._registry.streams(proxies)}
