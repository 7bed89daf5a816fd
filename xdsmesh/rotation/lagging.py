"""Who has not acknowledged a secret as it is to be. Acknowledgements wake whoever waits: nothing polls."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from xdsmesh.model.resource import SECRET, SHORT_NAMES, EncodedResource
from xdsmesh.status import Registry, State, StreamRecord
from xdsmesh.status.words import rejection, why_not_acknowledged

_SDS: Final = SHORT_NAMES[SECRET]


class Lagging:
    """The connected streams that do not hold a secret yet, kept up to date inside of ``with``.

    Whoever does not ask for it counts while there is something that it has not answered: it may ask then.
    """

    def __init__(
        self, registry: Registry, name: str, wanted: Callable[[str], EncodedResource | None]
    ) -> None:
        """Watch nobody yet.

        Args:
            registry: has the streams.
            name: that of the secret.
            wanted: gives the secret that a proxy must hold, by its id; None while there is none yet.
        """
        self._registry = registry
        self._name = name
        self._wanted = wanted
        self._open: dict[StreamRecord, None] = {}
        self._news = asyncio.Event()

    def __enter__(self) -> Self:
        self._registry.watch(self._look)
        for record in self._registry.all():
            self._look(record)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._registry.unwatch(self._look)

    @property
    def is_over(self) -> bool:
        """Whether all hold it."""
        return not self._open

    @property
    def streams(self) -> list[StreamRecord]:
        """Those that do not hold it."""
        return list(self._open)

    def wake(self) -> None:
        """End `news`."""
        self._news.set()

    async def news(self, seconds: float | None) -> None:
        """Return when any stream has moved or left, at `wake`, or after so many seconds."""
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    def why(self, record: StreamRecord) -> str:
        """Why a stream does not hold it, in words."""
        status = record.status()
        if not record.progress.wants(SECRET, self._name):
            return why_not_acknowledged(status)
        wanted = self._wanted(record.proxy)
        if wanted is None:
            return f"its new {self._name} is being made"
        sds = next(each for each in status.types if each.type == _SDS)
        state = record.progress.states(SECRET, {self._name: wanted})[self._name]
        if state is State.ERROR and sds.error:
            return f"rejected {rejection(_SDS, sds.error, sds.rejected, sds.causes)}"
        if sds.nonce and sds.state in (State.STALE, State.ERROR):
            return f"has not answered {_SDS}, sent at {sds.sent_at:%H:%M:%S} UTC"
        return f"has not been sent its {self._name} yet"

    def _look(self, record: StreamRecord) -> None:
        if record.connected and not self._holds(record):
            self._open[record] = None
        else:
            self._open.pop(record, None)
        self._news.set()

    def _holds(self, record: StreamRecord) -> bool:
        progress = record.progress
        if not progress.wants(SECRET, self._name):
            return progress.settled()
        wanted = self._wanted(record.proxy)
        if wanted is None:
            return False
        return progress.states(SECRET, {self._name: wanted})[self._name] is State.SYNCED
