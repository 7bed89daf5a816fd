"""The ADS server: lets clients in, and ends their streams in good order.

Service: https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/ads.proto
"""

import asyncio
from contextlib import suppress
from typing import Any, Final
from urllib.parse import unquote

import grpc
import structlog

from xdsmesh.model.errors import AddressInUseError
from xdsmesh.model.token import HEADER, shown_secret
from xdsmesh.status.registry import Registry, StreamRecord
from xdsmesh.status.text import printable
from xdsmesh.xds import refusals
from xdsmesh.xds.authenticator import Admission, Authenticator
from xdsmesh.xds.clock import Clock
from xdsmesh.xds.messages import Close, Code
from xdsmesh.xds.refusals import MAX_PROXY_ID
from xdsmesh.xds.source import Attachment, ViewSource
from xdsmesh.xds.stream import Stream
from xdsmesh.xds.subscription import RequestT
from xdsmesh.xds.wire import DELTA, SOTW, BadRequestError, Node, Variant

SERVICE: Final = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_PATIENCE: Final = 5.0
"""Seconds in which somebody who is not known may say which proxy it is, for the status to show."""
_MAX_REQUEST_BYTES: Final = 32 * 1024 * 1024
_OPTIONS: Final = (
    # Two servers on one port would share its connections, and nobody would notice.
    ("grpc.so_reuseport", 0),
    # A reconnecting proxy names everything that it holds: the default of 4 MiB is too little.
    ("grpc.max_receive_message_length", _MAX_REQUEST_BYTES),
    # Pings that measure bandwidth cost a third of the time of a push.
    ("grpc.http2.bdp_probe", 0),
    # Find peers that vanished without a word.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Envoys with keepalives of their own are not told to go away for it.
    ("grpc.http2.min_ping_interval_without_data_ms", 15_000),
    ("grpc.http2.max_ping_strikes", 0),
)
_log: Final = structlog.get_logger()


class AdsServer:
    """Serves every registered proxy the resources of its view, in both variants, on one port."""

    def __init__(
        self, source: ViewSource, authenticator: Authenticator, registry: Registry, clock: Clock
    ) -> None:
        self._source: Final = source
        self._authenticator: Final = authenticator
        self._registry: Final = registry
        self._clock: Final = clock
        self._streams: set[Stream[Any]] = set()
        self._silent: set[asyncio.Future[Any]] = set()
        self._stopping = False
        self._server: Any = None

    async def start(self, address: str, credentials: Any = None) -> int:
        """Listen on ``host:port``; the port that is bound, which port 0 leaves to the system.

        With ``credentials``, see `xdsmesh.xds.tls`, over TLS.

        Raises:
            AddressInUseError: the address is taken, or not this machine's.
        """
        server = grpc.aio.server(options=_OPTIONS)
        handlers = {
            DELTA.method: grpc.stream_stream_rpc_method_handler(self._handler(DELTA)),
            SOTW.method: grpc.stream_stream_rpc_method_handler(self._handler(SOTW)),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        try:
            port = (
                server.add_secure_port(address, credentials)
                if credentials
                else server.add_insecure_port(address)
            )
        except RuntimeError as error:
            flag = "--xds-tls-addr" if credentials else "--xds-addr"
            raise AddressInUseError(
                f"xDS can't listen on {address}: another process holds the port, or the address is not one "
                f"of this machine's; choose another with {flag}"
            ) from error
        await server.start()
        self._server = server
        return int(port)

    async def stop(self, grace: float) -> None:
        """End all streams with UNAVAILABLE, on which proxies come back quietly, within ``grace`` seconds."""
        self._stopping = True
        for stream in self._streams:
            stream.end(refusals.STOPPING)
        for reading in self._silent:
            reading.cancel()
        if self._server is not None:
            await self._server.stop(grace)

    def _handler(self, variant: Variant[RequestT]) -> Any:
        async def handle(_requests: Any, context: Any) -> None:
            close = await self._serve_safely(variant, context)
            if close is not None:
                await context.abort(grpc.StatusCode[close.code.name], close.reason)

        return handle

    async def _serve_safely(self, variant: Variant[RequestT], context: Any) -> Close | None:
        try:
            return await self._serve(variant, context)
        except BadRequestError as error:
            return Close(Code.INVALID_ARGUMENT, str(error))
        except Exception:  # noqa: BLE001 - the last resort: gRPC would tell the text to the client
            if context.done():  # the client left while it was being written to
                return None
            _log.exception("a stream failed", peer=context.peer())
            return refusals.FAILED

    async def _serve(self, variant: Variant[RequestT], context: Any) -> Close | None:
        stream = Stream(variant, context, self._clock)
        secret = _secret(context)
        admission = self._authenticator.admit(secret, lambda: stream.end(refusals.UNKNOWN_TOKEN))
        if admission is None:
            return await self._turn_away(variant, context, secret)
        try:
            first = await self._first_request(context)
            if isinstance(first, Close):
                return first
            if first is grpc.aio.EOF:
                return None
            return await self._serve_admitted(stream, variant.parse_node(first), first, admission, context)
        finally:
            admission.close()

    async def _turn_away(self, variant: Variant[RequestT], context: Any, secret: str) -> Close:
        """Refuse somebody who is not known, under the id that it claims."""
        proxy_id = ""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                first = await self._first_request(context)
                if isinstance(first, Close):
                    return first
                proxy_id = "" if first is grpc.aio.EOF else variant.parse_node(first).id
        if not self._source.ready:
            return refusals.NOT_READY
        close = refusals.UNKNOWN_TOKEN if secret else refusals.NO_TOKEN
        return self._refuse(proxy_id, unquote(context.peer()), close)

    async def _serve_admitted(
        self, stream: Stream[Any], node: Node, first: bytes, admission: Admission, context: Any
    ) -> Close | None:
        peer = unquote(context.peer())
        attachment = await self._attach(node, stream, admission, peer)
        if isinstance(attachment, Close):
            return attachment
        if self._stopping:
            attachment.close()
            return refusals.STOPPING
        record = StreamRecord(
            proxy=node.id,
            service=attachment.service,
            envoy_version=printable(node.envoy_version, MAX_PROXY_ID),
            address=_without_scheme(peer),
            variant=stream.variant,
            connected_at=self._clock(),
            progress=stream,
        )
        self._registry.connect(record)
        self._streams.add(stream)
        try:
            return await stream.run(first, attachment, record)
        finally:
            self._streams.discard(stream)
            self._registry.disconnect(record)
            attachment.close()

    async def _first_request(self, context: Any) -> Any:
        """The first message, for which a client may let us wait; but it keeps nobody from stopping."""
        reading = asyncio.ensure_future(context.read())
        self._silent.add(reading)
        try:
            return await reading
        except asyncio.CancelledError:
            if self._stopping and reading.cancelled():
                return refusals.STOPPING
            raise
        finally:
            self._silent.discard(reading)

    async def _attach(
        self, node: Node, stream: Stream[Any], admission: Admission, peer: str
    ) -> Attachment | Close:
        if self._stopping:
            return refusals.STOPPING
        if not self._source.ready:
            return refusals.NOT_READY
        if not node.id or len(node.id) > MAX_PROXY_ID:
            return self._refuse(node.id, peer, refusals.NO_ID)
        if self._source.identity(node.id) is None:
            await self._source.applied()  # it may have been registered just now
        if close := refusals.forbidden(node.id, admission.identity, self._source.identity(node.id)):
            return self._refuse(node.id, peer, close)
        attachment = self._source.attach(node.id, stream.wake)
        if attachment is None:
            return self._refuse(node.id, peer, refusals.not_served(node.id, self._source.identity(node.id)))
        return attachment

    def _refuse(self, proxy: str, peer: str, close: Close) -> Close:
        host = _without_scheme(peer).rpartition(":")[0] or peer
        self._registry.refuse(proxy, host, close.reason, self._clock())
        _log.warning("a proxy was refused", proxy=printable(proxy, MAX_PROXY_ID), peer=peer, why=close.reason)
        return close


def _secret(context: Any) -> str:
    """The token that a stream shows; of several the last one."""
    return shown_secret(dict(context.invocation_metadata() or ()).get(HEADER))


def _without_scheme(peer: str) -> str:
    """``127.0.0.1:1234`` of gRPC's ``ipv4:127.0.0.1:1234``."""
    return peer.partition(":")[2]
