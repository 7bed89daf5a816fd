"""Follows one other datacenter: dials it, takes in what it tells, and tries again when it is not heard."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import grpc
import structlog

from xdsmesh.catalog.feed import Feed
from xdsmesh.federation.applying import UnreadableError
from xdsmesh.federation.client import FederationClient
from xdsmesh.federation.errors import DeclinedError, LinkError, NoRouteError, UnreachableError, link_error
from xdsmesh.federation.progress import Progress
from xdsmesh.federation.routes import routes
from xdsmesh.federation.status import LinkState, LinkStatus
from xdsmesh.federation.v1.federation_pb2 import FollowRequest, FollowResponse, Hello, Report
from xdsmesh.federation.wire import FORMAT, SILENCE_SECONDS
from xdsmesh.store.base import CommitFailedError, Store

_SHORTEST_PAUSE: Final = 0.1
_FIRST_PAUSE: Final = 0.3
_LONGEST_PAUSE: Final = 5.0
"""Seconds between attempts: a random part of what doubles each time, so that not all come at once."""

_MAX_SAID: Final = 20
"""So many reasons are logged until a link is up again: some are in the other side's words."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Around:
    """What followers have in common.

    ``dial`` makes a channel to an address and a datacenter; ``came_up`` hears of each link that is up.
    """

    own: str
    store: Store
    feed: Feed
    clock: Callable[[], datetime]
    pick: Callable[[float, float], float]
    dial: Callable[[str, str], Any]
    report: Callable[[str], Report]
    came_up: Callable[[str], object]


class Follower:
    """Follows until cancelled. ``status`` is how the link stands, ``client`` the way over it, if any."""

    def __init__(self, datacenter: str, around: Around) -> None:
        self.datacenter: Final = datacenter
        self.client: FederationClient | None = None
        self._around: Final = around
        self._progress: Final = Progress(datacenter, around.own, around.store, around.feed, around.clock)
        self._state = LinkStatus(datacenter, LinkState.CONNECTING, around.clock())
        self._routes: tuple[str, ...] = ()
        self._is_stuck = False
        """Something that it told could not be taken in: it is no use until that has come through."""
        self._said: Final[set[str]] = set()
        """What was logged since the link was last up; attempts go on and on."""
        self._elsewhere: Final = asyncio.Event()
        """There are other routes than those that were tried, or reason to believe that these lead again."""
        self._anew: Final = asyncio.Event()
        """The channel must be another one, since certificates are."""
        self._reporting: Final = asyncio.Event()

    @property
    def status(self) -> LinkStatus:
        """How the link stands now."""
        return self._progress.shown(self._state)

    def look_at_routes(self) -> None:
        """Try again at once if there are other routes now."""
        if routes(self._around.feed.view, self.datacenter) != self._routes:
            self._elsewhere.set()

    def connect_anew(self) -> None:
        """Go on over a new channel."""
        self._anew.set()
        self._elsewhere.set()

    def try_again(self) -> None:
        """Don't wait any longer if there is no link now."""
        if self._state.state is not LinkState.UP:
            self._elsewhere.set()

    def report(self) -> None:
        """Say anew what we say of ourselves."""
        self._reporting.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            lasted = await self._try_routes()
            if self._anew.is_set():
                continue
            pause = _FIRST_PAUSE if lasted else min(2 * pause, _LONGEST_PAUSE)
            try:
                async with asyncio.timeout(self._around.pick(_SHORTEST_PAUSE, pause)):
                    await self._elsewhere.wait()
            except TimeoutError:
                continue

    async def _try_routes(self) -> bool:
        """Follow over the first route that leads there; whether that was of any duration."""
        self._anew.clear()
        self._elsewhere.clear()
        self._routes = routes(self._around.feed.view, self.datacenter)
        if not self._routes:
            self._fail(
                NoRouteError(self.datacenter, "no mesh gateway is known, neither here nor there: run one")
            )
        for address in self._routes:
            began = asyncio.get_running_loop().time()
            if await self._follow_through(address) or self._anew.is_set():
                return asyncio.get_running_loop().time() - began > SILENCE_SECONDS
        return False

    async def _follow_through(self, address: str) -> bool:
        """Follow over a route until that fails; whether the other datacenter was heard."""
        attempts = self._state.attempts + 1
        self._state = replace(self._state, via=address, attempts=attempts)
        channel = self._around.dial(address, self.datacenter)
        self.client = FederationClient(self.datacenter, channel)
        try:
            await self._follow(self.client.follow())
        except Exception as error:  # noqa: BLE001 - whatever the other side makes happen, we go on
            self._fail(self._reason(error))
        finally:
            self.client = None
            await channel.close()
            await self._progress.keep()
        return self._state.attempts == 0

    async def _follow(self, call: Any) -> None:
        """Follow until the channel must be another one; raises what went wrong."""
        hello = await self._greet(call)
        if not self._is_stuck:
            self._come_up(hello)
        listening = asyncio.ensure_future(self._listen(call, hello))
        reporting = asyncio.ensure_future(self._report(call))
        renewing = asyncio.ensure_future(self._anew.wait())
        try:
            await asyncio.wait({listening, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
            self._move(LinkState.CONNECTING)
        finally:
            tasks = (listening, reporting, renewing)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _come_up(self, hello: Hello) -> None:
        self._is_stuck = False
        self._move(LinkState.UP)
        self._state = replace(self._state, error="", attempts=0)
        self._said.clear()
        log.info("link up", datacenter=self.datacenter, via=self._state.via, version=hello.version)
        self._around.came_up(self.datacenter)

    async def _greet(self, call: Any) -> Hello:
        async with asyncio.timeout(SILENCE_SECONDS):
            await call.write(FollowRequest(start=self._progress.start()))
        response = await self._read(call)
        hello = response.hello
        if not response.HasField("hello") or hello.datacenter != self.datacenter:
            raise DeclinedError(self.datacenter, f"who answers calls itself {hello.datacenter!r}")
        if hello.format != FORMAT:
            older = self.datacenter if hello.format < FORMAT else "this one"
            what = f"it speaks format {hello.format} of the records, and this one {FORMAT}"
            raise DeclinedError(self.datacenter, f"{what}: upgrade {older} first")
        return hello

    async def _listen(self, call: Any, hello: Hello) -> None:
        while True:
            response = await self._read(call)
            try:
                await self._progress.take(response, hello.store)
            except (UnreadableError, CommitFailedError):
                self._is_stuck = True
                raise
            if self._is_stuck and not self._progress.is_behind:
                self._come_up(hello)

    async def _report(self, call: Any) -> None:
        while True:
            self._reporting.clear()
            await call.write(FollowRequest(report=self._around.report(self.datacenter)))
            await self._reporting.wait()

    async def _read(self, call: Any) -> FollowResponse:
        async with asyncio.timeout(SILENCE_SECONDS):
            response: FollowResponse = await call.read()
        if response is grpc.aio.EOF:
            raise UnreachableError(self.datacenter, "it has ended the stream")
        return response

    def _reason(self, error: Exception) -> LinkError:
        match error:
            case LinkError():
                return error
            case grpc.aio.AioRpcError():
                return link_error(self.datacenter, error)
            case TimeoutError():
                what = f"nothing was heard for {SILENCE_SECONDS:.0f} s through {self._state.via}"
                return UnreachableError(self.datacenter, what)
            case UnreadableError() | CommitFailedError():
                return DeclinedError(self.datacenter, str(error))
        log.error("following failed", datacenter=self.datacenter, exc_info=error)
        return DeclinedError(self.datacenter, "following it failed here; the log says how")

    def _fail(self, error: LinkError) -> None:
        is_new = error.reason not in self._said and len(self._said) < _MAX_SAID
        if self._state.state is LinkState.UP or is_new:
            self._said.add(error.reason)
            log.warning("link down", datacenter=self.datacenter, via=self._state.via, why=error.reason)
        self._move(LinkState.DOWN)
        self._state = replace(self._state, error=error.reason, declined=isinstance(error, DeclinedError))

    def _move(self, state: LinkState) -> None:
        if state is not self._state.state:
            self._state = replace(self._state, state=state, since=self._around.clock())
