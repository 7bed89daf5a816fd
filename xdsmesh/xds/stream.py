"""The transport of one stream: a task that reads requests as they come, and a coroutine that alone writes.

While a slow client does not take what was written, nothing more is made for it: it delays nobody, and costs
no more memory than its own latest view.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Generic

import grpc
import structlog

from xdsmesh.model.resource import Resources
from xdsmesh.status.registry import StreamRecord
from xdsmesh.status.text import printable
from xdsmesh.status.types import State
from xdsmesh.xds.clock import Clock
from xdsmesh.xds.messages import Acked, Close, Code, Rejected, Response
from xdsmesh.xds.session import Session
from xdsmesh.xds.source import Attachment
from xdsmesh.xds.subscription import RequestT
from xdsmesh.xds.wire import Variant

_log: Final = structlog.get_logger()
_DEREGISTERED: Final = Close(Code.NOT_FOUND, "this proxy is no longer registered as it was")


class Stream(Generic[RequestT]):
    """One client on one stream, in one variant."""

    __slots__ = (
        "_acknowledged",
        "_attachment",
        "_clock",
        "_close",
        "_context",
        "_loop",
        "_news",
        "_record",
        "_session",
        "_variant",
    )

    def __init__(self, variant: Variant[RequestT], context: Any, clock: Clock) -> None:
        self._variant: Final = variant
        self._context: Final = context
        self._clock: Final = clock
        self._loop: Final = asyncio.get_running_loop()
        self._session: Final = Session(variant.subscription, self._loop.time())
        self._news: Final = asyncio.Event()
        self._close: Close | None = None
        self._acknowledged = -1
        self._attachment: Attachment
        self._record: StreamRecord

    @property
    def variant(self) -> str:
        """The name of its variant."""
        return self._variant.name

    def wake(self) -> None:
        """The view has changed."""
        self._news.set()

    def end(self, close: Close) -> None:
        """End the stream as soon as its client has taken what is being written."""
        self._close = close
        self._news.set()

    def revision(self) -> int:
        """The highest revision of the facts of which the client has acknowledged all; -1 if none."""
        if self._session.acknowledged(self._attachment.view):
            self._acknowledged = self._attachment.revision
        return self._acknowledged

    def settled(self) -> bool:
        """Nothing is left to send, and no answer to come."""
        return self._session.settled(self._attachment.view)

    def states(self, type_url: str, resources: Resources) -> Mapping[str, State]:
        """How the client stands with each of these resources, by name."""
        return self._session.states(type_url, resources)

    def wants(self, type_url: str, name: str) -> bool:
        """Whether the client has asked for a resource."""
        return self._session.wants(type_url, name)

    async def run(self, first: bytes, attachment: Attachment, record: StreamRecord) -> Close | None:
        """Serve until the client has left, which is None, or the stream must end.

        Raises:
            BadRequestError: a request can't be understood.
        """
        self._attachment = attachment
        self._record = record
        if close := self._take(first):
            return close
        reader = asyncio.create_task(self._read())
        reader.add_done_callback(self._reading_ended)
        try:
            return await self._write(reader)
        finally:
            reader.cancel()
            await asyncio.wait((reader,))

    async def _read(self) -> Close | None:
        while True:
            data = await self._context.read()
            if data is grpc.aio.EOF:
                return None
            if close := self._take(data):
                return close

    def _reading_ended(self, reader: asyncio.Task[Close | None]) -> None:
        if not reader.cancelled():
            reader.exception()  # seen; the writer raises it, unless it ends for another reason
        self._news.set()

    def _take(self, data: bytes) -> Close | None:
        request = self._variant.parse(data)
        answer = self._session.receive(request)
        if isinstance(answer, Close):
            return answer
        self._record.requested(request.type_url)
        if isinstance(answer, Acked):
            self._record.acked(answer.type_url, answer.nonce, self._clock(), in_doubt=answer.in_doubt)
            self.revision()
        elif isinstance(answer, Rejected):
            self._note_rejection(answer)
        if self._session.pending:
            self._news.set()
        self._record.moved()
        return None

    def _note_rejection(self, answer: Rejected) -> None:
        self._record.rejected(answer.type_url, answer.nonce, answer.error, answer.names, self._clock())
        _log.warning(
            "a proxy rejected resources",
            proxy=self._record.proxy,
            type=answer.type_url,
            resources=answer.names[:10],
            error=printable(answer.error),
        )

    async def _write(self, reader: asyncio.Task[Close | None]) -> Close | None:
        while not reader.done():
            self._news.clear()
            if self._close:
                return self._close
            view = self._attachment.view
            if view is None:
                return _DEREGISTERED
            for action in self._session.respond(view, self._loop.time()):
                if self._close:  # while the one before was written
                    return self._close
                if isinstance(action, Response):
                    await self._context.write(self._encoded(action))
                else:
                    self._record.unchanged(action.type_url)
            self._record.moved()  # with nothing to send, it has acknowledged the new view without a word
            if self._session.deadline is None:
                await self._news.wait()
            else:
                await self._wait_until(self._session.deadline)
        return reader.result()

    def _encoded(self, response: Response) -> bytes:
        self._record.sent(
            response.type_url, response.version, response.nonce, len(response.resources), self._clock()
        )
        return self._variant.encode(response)

    async def _wait_until(self, deadline: float) -> None:
        timer = self._loop.call_at(deadline, self._news.set)
        try:
            await self._news.wait()
        finally:
            timer.cancel()
