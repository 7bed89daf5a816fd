"""Waiting until streams have acknowledged a revision. Acknowledgements wake it: nothing polls."""

import asyncio
import contextlib
from collections.abc import Iterable

from xdsmesh.status.registry import StreamRecord


class Waiting:
    """One wait, on streams that are connected when it is made. ``close`` it, since it watches them.

    ``since`` is the moment to measure from, in seconds of the event loop's clock.
    """

    def __init__(self, streams: Iterable[StreamRecord], revision: int, since: float) -> None:
        self._clock = asyncio.get_running_loop().time
        self._revision = revision
        self._since = since
        self._open: set[StreamRecord] = set(streams)
        self._settled: set[StreamRecord] = set()
        self._seconds: dict[str, float] = {}
        self._gone: set[str] = set()
        self._over = asyncio.Event()
        for stream in tuple(self._open):
            stream.watch(self._look)
            self._look(stream)
        self._look_whether_over()

    @property
    def lagging(self) -> list[StreamRecord]:
        """The connected streams that have not acknowledged it."""
        return sorted(self._open, key=lambda stream: stream.proxy)

    @property
    def gone(self) -> set[str]:
        """The proxies of which a stream has left before it had acknowledged it."""
        return set(self._gone)

    @property
    def seconds(self) -> dict[str, float]:
        """By proxy, the time until the last of its streams had acknowledged it."""
        lagging = {stream.proxy for stream in self._open}
        return {proxy: spent for proxy, spent in self._seconds.items() if proxy not in lagging}

    async def until(self, deadline: float) -> None:
        """Return when all have acknowledged it, when the rest have rejected it, or when it is time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._over.wait()

    def end(self) -> None:
        """Wait no more."""
        self._over.set()

    def close(self) -> None:
        """Watch nothing any more."""
        for stream in self._open:
            stream.unwatch(self._look)

    def _look(self, stream: StreamRecord) -> None:
        self._settled.discard(stream)
        if not stream.connected:
            self._gone.add(stream.proxy)
            self._leave(stream)
        elif stream.progress.revision() >= self._revision:
            self._seconds[stream.proxy] = max(0.0, self._clock() - self._since)
            self._leave(stream)
        elif stream.progress.settled():
            self._settled.add(stream)
        self._look_whether_over()

    def _leave(self, stream: StreamRecord) -> None:
        stream.unwatch(self._look)
        self._open.discard(stream)

    def _look_whether_over(self) -> None:
        if len(self._settled) == len(self._open):
            self._over.set()
