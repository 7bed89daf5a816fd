"""Work that is done for keys, so much of it at a time."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog

_LINGERING: Final = 4
"""So many times the limit may linger: each holds a socket."""

_log = structlog.get_logger()


class Lane:
    """Does the work for each key that is wanted, in order, once at a time for a key, and owns its tasks.

    ``work`` should not raise; if it does, that is logged and over.
    """

    def __init__(
        self, limit: int, work: Callable[[str], Awaitable[None]], patience: float | None = None
    ) -> None:
        """Make a lane in which work for ``limit`` keys is done at a time, once it runs.

        Work that takes longer than ``patience`` seconds lingers: it goes on beside the others, and holds
        none of them up. Only so much may linger.
        """
        self._limit = limit
        self._work = work
        self._patience = patience
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._again: set[str] = set()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._busy: set[asyncio.Task[None]] = set()  # also with what was dropped, until it has ended
        self._lingering: set[asyncio.Task[None]] = set()
        self._tasks: asyncio.TaskGroup | None = None

    def want(self, key: str) -> None:
        """Do the work for a key soon; if it is being done now, then once more."""
        if key in self._running:
            self._again.add(key)
        else:
            self._waiting[key] = None
            self._fill()

    def drop(self, key: str) -> None:
        """Stop the work for a key, or don't begin it."""
        self._waiting.pop(key, None)
        self._again.discard(key)
        if task := self._running.pop(key, None):
            task.cancel()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                self._fill()
                await asyncio.get_running_loop().create_future()
            finally:
                self._tasks = None

    def _fill(self) -> None:
        while self._tasks and self._waiting and len(self._busy) < self._limit:
            key, _ = self._waiting.popitem(last=False)
            task = self._tasks.create_task(self._guarded(key), name=f"probes: {key}")
            self._running[key] = task
            self._busy.add(task)
            task.add_done_callback(partial(self._done, key))
            if self._patience is not None:
                timer = asyncio.get_running_loop().call_later(self._patience, self._let_linger, task)
                task.add_done_callback(partial(_cancel, timer))

    def _let_linger(self, task: asyncio.Task[None]) -> None:
        if task in self._busy and len(self._lingering) < _LINGERING * self._limit:
            self._busy.remove(task)
            self._lingering.add(task)
            self._fill()

    def _done(self, key: str, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        self._lingering.discard(task)
        if self._running.get(key) is task:
            del self._running[key]
            if key in self._again:
                self._again.remove(key)
                self._waiting[key] = None
        self._fill()

    async def _guarded(self, key: str) -> None:
        try:
            await self._work(key)
        except Exception:  # noqa: BLE001 - the other keys' work goes on
            _log.exception("the work for a check failed", check=key)


def _cancel(timer: asyncio.TimerHandle, _: object) -> None:
    timer.cancel()
