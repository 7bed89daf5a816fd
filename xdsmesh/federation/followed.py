"""One follower's stream: its reports come in, and what changes here goes out."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import grpc
import msgspec
import structlog

from xdsmesh.catalog import codec, keys
from xdsmesh.catalog.feed import Feed
from xdsmesh.federation.applying import origin_of
from xdsmesh.federation.members import primary_of
from xdsmesh.federation.places import read_gateways
from xdsmesh.federation.publishing import publish
from xdsmesh.federation.v1.federation_pb2 import Report, Start
from xdsmesh.federation.wire import FORMAT
from xdsmesh.store.base import Conflict, Expect, Put, Store, Txn

log = structlog.get_logger(__name__)

Ended = tuple[Any, str]
"""The status of gRPC with which a stream ends, and why."""


class Followed:
    """Serves followers.

    ``trust_reported`` hears, with the datacenter, what one says of its trust, as JSON; ``came`` of each that
    has come: the way to it may lead again.
    """

    def __init__(self, store: Store, feed: Feed, datacenter: str) -> None:
        self.came: Callable[[str], object] = lambda _datacenter: None
        self.trust_reported: Callable[[str, bytes], object] = lambda _datacenter, _trust: None
        self._store: Final = store
        self._feed: Final = feed
        self._datacenter: Final = datacenter

    async def serve(self, follower: str, context: Any, is_member: Callable[[], bool]) -> Ended:
        """Serve a stream until it is over."""
        request = await context.read()
        if request is grpc.aio.EOF or not request.HasField("start"):
            return grpc.StatusCode.INVALID_ARGUMENT, "the first message must say from where to go on"
        if request.start.format != FORMAT:
            return grpc.StatusCode.FAILED_PRECONDITION, _other_format(self._datacenter, request.start.format)
        self.came(follower)
        telling = asyncio.ensure_future(self._tell(request.start, context, is_member))
        hearing = asyncio.ensure_future(self._hear(follower, context, is_member))
        try:
            await asyncio.wait({telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
            return telling.result() if telling.done() else hearing.result()
        finally:
            for task in (telling, hearing):
                task.cancel()
            await asyncio.gather(telling, hearing, return_exceptions=True)

    async def _tell(self, start: Start, context: Any, is_member: Callable[[], bool]) -> Ended:
        primary = primary_of(self._feed.view.remote)
        responses = publish(self._store, self._datacenter, start, primary=not primary)
        try:
            async for response in responses:
                if not is_member():
                    reason = f"{self._datacenter} no longer knows you as a member of the mesh"
                    return grpc.StatusCode.PERMISSION_DENIED, reason
                if primary != primary_of(self._feed.view.remote):
                    return grpc.StatusCode.UNAVAILABLE, f"{self._datacenter} has another part in the mesh now"
                await context.write(response)
        finally:
            await responses.aclose()
        return grpc.StatusCode.UNAVAILABLE, f"{self._datacenter} is stopping"

    async def _hear(self, follower: str, context: Any, is_member: Callable[[], bool]) -> Ended:
        while True:
            request = await context.read()
            if request is grpc.aio.EOF:
                return grpc.StatusCode.OK, ""
            if request.HasField("report") and is_member():
                await self._take(follower, request.report)

    async def _take(self, follower: str, report: Report) -> None:
        if report.gateways:
            try:
                await self._take_gateways(follower, report.gateways)
            except msgspec.DecodeError as error:
                log.warning("a report can't be read", datacenter=follower, error=str(error))
        if report.trust:
            self.trust_reported(follower, report.trust)

    async def _take_gateways(self, follower: str, value: bytes) -> None:
        """Keep them, unless later ones are known."""
        said = read_gateways(value)
        key = keys.remote_key(follower, keys.GATEWAYS)
        while True:
            record = await self._store.get(key)
            if record and codec.decode_remote_gateways(record.value).revision >= said.revision:
                return
            expect = Expect(key, record.modified if record else 0)
            txn = Txn((Put(key, value),), expects=(expect,))
            if not isinstance(await self._store.commit(txn, origin_of(follower)), Conflict):
                return


def _other_format(datacenter: str, theirs: int) -> str:
    first = datacenter if theirs > FORMAT else "the one that follows it"
    return f"{datacenter} speaks format {FORMAT} of the records and you speak {theirs}: upgrade {first} first"
