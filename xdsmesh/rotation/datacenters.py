"""Waiting until every other datacenter follows the trust of this one, the primary, by what it reports."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

import msgspec
import structlog

from xdsmesh.catalog.codec import decode_trust_report
from xdsmesh.model.facts import Batch
from xdsmesh.model.federation import Member, TrustReport
from xdsmesh.rotation.report import DatacenterLag

_MAX_NAMED: Final = 3
"""So many of a datacenter's proxies are named."""

log = structlog.get_logger(__name__)

IsFar = Callable[[TrustReport], bool]


class Datacenters:
    """The secondaries, for one who waits for them: also those that are not heard, until they are removed."""

    def __init__(self, members: Callable[[], Iterable[Member]], clock: Callable[[], datetime]) -> None:
        """Wait for nobody yet; ``members`` are all datacenters of the mesh."""
        self.clock: Final = clock
        self.unheard_since: Callable[[str], datetime | None] = lambda _datacenter: None
        """Since when nothing is heard of a datacenter; None: it is heard."""
        self._members: Final = members
        self._reports: Final[dict[str, TrustReport]] = {}
        self._news = asyncio.Event()

    def take_report(self, datacenter: str, value: bytes) -> None:
        """Take note of how far a datacenter says that it is."""
        try:
            self._reports[datacenter] = decode_trust_report(value)
        except msgspec.MsgspecError as error:
            log.warning("a report about trust can't be read", datacenter=datacenter, error=str(error))
            return
        self._news.set()

    def take(self, batch: Batch) -> None:
        """Look again when a datacenter has come or gone; what one has reported is forgotten with it."""
        for fact in batch.facts:
            if fact.key[0] == "member":
                self._news.set()
                if fact.value is None:
                    self._reports.pop(fact.key[1], None)

    def look_again(self) -> None:
        """Let `until_all` ask whether it is still wanted."""
        self._news.set()

    async def until_all(self, is_far: IsFar, is_wanted: Callable[[], bool]) -> None:
        """Return when all are so far; or when that is not wanted any more."""
        while is_wanted() and self._behind(is_far):
            await self._news.wait()
            self._news.clear()

    def waiting(self, is_far: IsFar) -> tuple[DatacenterLag, ...]:
        """Who is not so far, by name, and why."""
        return tuple(DatacenterLag(name, self._why(name)) for name in self._behind(is_far))

    def _behind(self, is_far: IsFar) -> list[str]:
        names = sorted(each.datacenter for each in self._members() if not each.primary)
        return [name for name in names if not is_far(self._reports.get(name, TrustReport()))]

    def _why(self, name: str) -> str:
        if since := self.unheard_since(name):
            return f"not heard since {since:%Y-%m-%d %H:%M:%S} UTC; `xdsmesh dc remove {name}` gives it up"
        waiting = self._reports.get(name, TrustReport()).waiting
        if not waiting:
            return "has not said yet that it is as far"
        more = len(waiting) - _MAX_NAMED
        return "; ".join(waiting[:_MAX_NAMED]) + (f"; and {more} more" if more > 0 else "")
