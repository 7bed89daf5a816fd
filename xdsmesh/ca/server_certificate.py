"""The certificate by which this server proves itself over TLS: there from the start, and renewed in time."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

import structlog

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.keeper import RENEWAL_WINDOW
from xdsmesh.model.trust import Leaf

_LONGEST_SLEEP: Final = timedelta(minutes=1)
"""The clock is looked at so often, since it may be set, and stands still while a machine is suspended."""
_RETRY: Final = timedelta(minutes=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServerNames:
    """What a server is called besides ``server.<datacenter>.consul``: by those who reach its addresses."""

    datacenter: str
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()


class ServerCertificate:
    """A leaf that is always valid; ``run`` must run. Another intermediate or root makes another one at once.

    Used from one event loop, but ``leaf`` may be read from any thread.
    """

    def __init__(
        self,
        issuer: Issuer,
        names: ServerNames,
        leaf: Leaf,
        clock: Callable[[], datetime],
        pick: Callable[[float, float], float],
    ) -> None:
        self.leaf = leaf
        self._issuer: Final = issuer
        self._names: Final = names
        self._clock: Final = clock
        self._pick: Final = pick
        self._due = self._next_due()
        self._changed: Final = asyncio.Event()
        self._listeners: Final[list[Callable[[Leaf], object]]] = []
        issuer.listen(self._changed.set)

    @classmethod
    async def make(
        cls,
        issuer: Issuer,
        names: ServerNames,
        clock: Callable[[], datetime],
        pick: Callable[[float, float], float],
    ) -> Self:
        """Have one issued; ``pick`` draws a number between two, such as ``random.uniform``.

        Raises:
            ValueError: the intermediate has expired.
        """
        return cls(issuer, names, await _issue(issuer, names), clock, pick)

    def listen(self, listener: Callable[[Leaf], object]) -> None:
        """Call this with every next leaf."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Renew until cancelled."""
        while True:
            span = max(min(self._due - self._clock(), _LONGEST_SLEEP), timedelta())
            with suppress(TimeoutError):
                async with asyncio.timeout(span.total_seconds()):
                    await self._changed.wait()
            if self._changed.is_set() or self._clock() >= self._due:
                self._changed.clear()
                await self._renew()

    async def _renew(self) -> None:
        try:
            self.leaf = await _issue(self._issuer, self._names)
        except ValueError as error:
            self._due = self._clock() + _RETRY
            log.warning("the server's certificate can't be renewed; trying again", error=str(error))
            return
        self._due = self._next_due()
        for listener in self._listeners:
            listener(self.leaf)
        log.info("the server's certificate was renewed", not_after=self.leaf.not_after)

    def _next_due(self) -> datetime:
        now = self._clock()
        return now + (self.leaf.not_after - now) * self._pick(*RENEWAL_WINDOW)


async def _issue(issuer: Issuer, names: ServerNames) -> Leaf:
    return await issuer.issue_server(names.datacenter, names.dns_names, names.ip_addresses)
