"""``?wait-for-proxies`` on a write: its answer is held until the proxies have acknowledged what it changed.

The write has happened by then, and the answer stays what it is; a header tells what came of the wait.
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from math import ceil
from typing import Final, Protocol

import msgspec
from litestar.enums import ScopeType
from litestar.exceptions import ClientException
from litestar.middleware import ASGIMiddleware
from litestar.status_codes import HTTP_300_MULTIPLE_CHOICES
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from xdsmesh.api.proxies import Proxies
from xdsmesh.api.request import AnyRequest
from xdsmesh.catalog.feed import Feed
from xdsmesh.model.duration import Duration
from xdsmesh.status import Laggard, Registry, StreamRecord, Waited
from xdsmesh.status.text import printable
from xdsmesh.status.waiting import Waiting
from xdsmesh.status.words import why_not_acknowledged

PARAMETER: Final = "wait-for-proxies"
HEADER: Final = "X-Xdsmesh-Wait"

_IN_A_QUERY: Final = PARAMETER.encode()
_METHODS: Final = frozenset({"PUT", "POST", "DELETE"})
_DEFAULT: Final = Duration.of(seconds=10)
_LONGEST: Final = Duration.of(seconds=600)
_MAX_WHY: Final = 400
_MAX_NAMED: Final = 6000
"""Characters of the JSON of all who are named: clients take headers of a limited size."""


class Wave(Protocol):
    """An application of facts: the revision up to which it went, and whose configuration it changed."""

    @property
    def revision(self) -> int:
        """The revision of the store."""

    @property
    def proxies(self) -> frozenset[str]:
        """The ids of the connected proxies whose configuration it changed."""


class Waves(Protocol):
    """Where facts are applied."""

    def recorded(self) -> AbstractContextManager[Sequence[Wave]]:
        """The waves from now on, in a list that grows."""

    async def wait_revision(self, revision: int) -> None:
        """Return once everything up to a revision of the store is applied."""


class WaitForProxies(ASGIMiddleware):
    """Stands around every handler, and does nothing unless a write asks for it."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, waves: Waves, registry: Registry, feed: Feed, proxies: Proxies) -> None:
        self._waves = waves
        self._registry = registry
        self._feed = feed
        self._proxies = proxies
        self._waits: set[Waiting] = set()
        self._closed = False

    def close(self) -> None:
        """Let nobody wait any more: the server stops."""
        self._closed = True
        for waiting in self._waits:
            waiting.end()

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Serve a request.

        Raises:
            ClientException: the time to wait is no duration; nothing was written then.
        """
        seconds = _seconds(scope)
        if seconds is None:
            await next_app(scope, receive, send)
            return
        before = await self._feed.latest()
        with ExitStack() as recording:
            waves = recording.enter_context(self._waves.recorded())

            async def hold(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] < HTTP_300_MULTIPLE_CHOICES:
                    since = asyncio.get_running_loop().time()
                    revision = await self._feed.latest()
                    await self._waves.wait_revision(revision)
                    recording.close()  # what comes later is other writes', and may be much in a long wait
                    affected = _affected(waves, before, revision)
                    waiting = Waiting(self._registry.streams(affected), revision, since)
                    told = await self._wait(waiting, revision, since + seconds, receive)
                    message["headers"] = [*message["headers"], (HEADER.lower().encode(), told)]
                await send(message)

            await next_app(scope, receive, hold)

    async def _wait(self, waiting: Waiting, revision: int, deadline: float, receive: Receive) -> bytes:
        self._waits.add(waiting)
        leaving = asyncio.create_task(_gone(receive))
        leaving.add_done_callback(lambda _: waiting.end())
        try:
            if self._closed:
                waiting.end()
            await waiting.until(deadline)
            return _encoded(await self._outcome(waiting, revision))
        finally:
            self._waits.discard(waiting)
            waiting.close()
            leaving.cancel()
            await asyncio.wait((leaving,))

    async def _outcome(self, waiting: Waiting, revision: int) -> Waited:
        lagging, spent = waiting.lagging, sorted(waiting.seconds.values())
        back = {stream.proxy for stream in self._registry.streams(waiting.gone)}
        gone = sorted(waiting.gone - back)
        names = {stream.proxy for stream in lagging}
        named = await self._named((*lagging, *gone))
        return Waited(
            revision=revision,
            proxies=len(spent) + len(names),
            p50_ms=_percentile(spent, 0.5),
            p99_ms=_percentile(spent, 0.99),
            waiting=named,
            more=len(lagging) + len(gone) - len(named),
        )

    async def _named(self, laggards: Iterable[StreamRecord | str]) -> tuple[Laggard, ...]:
        """As many as there is room for: streams, and the ids of proxies that have none any more."""
        named, room = [], _MAX_NAMED
        for each in laggards:
            laggard = Laggard(each, "disconnected") if isinstance(each, str) else await self._laggard(each)
            room -= len(_json(laggard))
            if room < 0:
                break
            named.append(laggard)
        return tuple(named)

    async def _laggard(self, stream: StreamRecord) -> Laggard:
        why = why_not_acknowledged(await self._proxies.traced(stream.status()))
        return Laggard(stream.proxy, printable(why, _MAX_WHY))


def _seconds(scope: Scope) -> float | None:
    """How long to wait; None when the request does not ask for it, or writes nothing."""
    if _IN_A_QUERY not in scope["query_string"]:
        return None
    request = AnyRequest(scope)
    text = request.query_params.get(PARAMETER)
    if text is None or request.method not in _METHODS:
        return None
    try:
        wait = Duration.parse(text) if text else _DEFAULT
    except ValueError as error:
        raise ClientException(f"Invalid {PARAMETER}: {error}") from error
    if wait < Duration():
        raise ClientException(f"Invalid {PARAMETER}: {text!r} is less than nothing")
    return min(wait, _LONGEST).seconds


def _affected(waves: Iterable[Wave], before: int, revision: int) -> set[str]:
    """Whom the waves between two revisions of the store have changed."""
    affected: set[str] = set()
    for wave in waves:
        if wave.revision > before:
            affected |= wave.proxies
        if wave.revision >= revision:
            break
    return affected


async def _gone(receive: Receive) -> None:
    """Return when the caller has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """In milliseconds, by nearest rank."""
    if not ordered:
        return None
    return round(ordered[ceil(share * len(ordered)) - 1] * 1000, 1)


def _encoded(waited: Waited) -> bytes:
    shown = msgspec.to_builtins(waited)
    if not waited.more:
        del shown["more"]
    return _json(shown)


def _json(value: object) -> bytes:
    """Compact, and in ASCII, as a header must be."""
    return json.dumps(msgspec.to_builtins(value), separators=(",", ":")).encode("ascii")
