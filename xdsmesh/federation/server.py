"""The server for the control planes of other datacenters: who they are, and what they may."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import grpc
import structlog

from xdsmesh.catalog.feed import Feed
from xdsmesh.federation.followed import Followed
from xdsmesh.federation.members import others
from xdsmesh.federation.peer import Peer, peer_of
from xdsmesh.federation.v1.federation_pb2 import (
    AskRequest,
    AskResponse,
    FollowRequest,
    FollowResponse,
    JoinRequest,
    JoinResponse,
    SignIntermediateRequest,
    SignIntermediateResponse,
)
from xdsmesh.federation.wire import SERVER_OPTIONS, SERVICE
from xdsmesh.model.errors import AddressInUseError, RefusedError
from xdsmesh.store.base import Store

log = structlog.get_logger(__name__)

Answering = Callable[[Peer, AskRequest], Awaitable[AskResponse]]


class Joining(Protocol):
    """What the primary does for those that join, and have joined. A ``RefusedError`` is told to them."""

    async def join(self, peer: Peer, request: JoinRequest) -> JoinResponse:
        """Take a datacenter in."""

    async def sign(self, peer: Peer, request: SignIntermediateRequest) -> SignIntermediateResponse:
        """Certify the intermediate of a secondary."""


class FederationServer:
    """Serves the members of the mesh, and who holds a join token.

    What ``joining`` and ``answering`` is None is not offered. ``followed`` serves those that follow.
    """

    def __init__(self, store: Store, feed: Feed, datacenter: str, trust_domain: Callable[[], str]) -> None:
        self.joining: Joining | None = None
        self.answering: Answering | None = None
        self.is_wanted = False
        """Whether it is to listen, even if there is no certificate for that yet."""
        self._datacenter: Final = datacenter
        self._trust_domain: Final = trust_domain
        self._feed: Final = feed
        self.followed: Final = Followed(store, feed, datacenter)
        self._streams: Final[set[asyncio.Task[Any]]] = set()
        self._server: Any = None

    @property
    def is_served(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    async def start(self, address: str, credentials: Any) -> int:
        """Listen on ``host:port``; the port that is bound, which port 0 leaves to the system.

        Raises:
            AddressInUseError: the address is taken, or not this machine's.
        """
        server = grpc.aio.server(options=SERVER_OPTIONS)
        unary = grpc.unary_unary_rpc_method_handler
        handlers = {
            "Join": unary(self._join, JoinRequest.FromString, JoinResponse.SerializeToString),
            "SignIntermediate": unary(
                self._sign, SignIntermediateRequest.FromString, SignIntermediateResponse.SerializeToString
            ),
            "Ask": unary(self._ask, AskRequest.FromString, AskResponse.SerializeToString),
            "Follow": grpc.stream_stream_rpc_method_handler(
                self._follow, FollowRequest.FromString, FollowResponse.SerializeToString
            ),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        try:
            port = server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise AddressInUseError(
                f"federation can't listen on {address}: another process holds the port, or the address is "
                "not one of this machine's; choose another with --federation-addr"
            ) from error
        await server.start()
        self._server = server
        return int(port)

    async def stop(self, grace: float) -> None:
        """End all streams, on which followers come back quietly, and calls within ``grace`` seconds."""
        for stream in self._streams:
            stream.cancel()
        if self._server is not None:
            await self._server.stop(grace)

    async def _join(self, request: JoinRequest, context: Any) -> Any:
        peer = await self._peer(context)
        if not peer.join_token:
            await _deny(context, "only who holds a join token may join: make one with `xdsmesh dc token`")
        return await self._call(self.joining.join if self.joining else None, peer, request, context)

    async def _sign(self, request: SignIntermediateRequest, context: Any) -> Any:
        peer = await self._member(context)
        return await self._call(self.joining.sign if self.joining else None, peer, request, context)

    async def _ask(self, request: AskRequest, context: Any) -> Any:
        return await self._call(self.answering, await self._member(context), request, context)

    async def _call(
        self,
        handler: Callable[[Peer, Any], Awaitable[Any]] | None,
        peer: Peer,
        request: Any,
        context: Any,
    ) -> Any:
        if handler is None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{self._datacenter} does not offer this")
            return None
        try:
            return await handler(peer, request)
        except RefusedError as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except Exception:  # the last resort: gRPC would tell the text to the other side
            log.exception("a call of another datacenter failed", peer=peer.spiffe_id)
            await context.abort(grpc.StatusCode.INTERNAL, f"{self._datacenter} failed; its log says how")

    async def _follow(self, _requests: Any, context: Any) -> None:
        peer = await self._member(context)
        stream = asyncio.ensure_future(
            self.followed.serve(peer.datacenter, context, lambda: self._is_member(peer))
        )
        self._streams.add(stream)
        try:
            code, reason = await stream
        except asyncio.CancelledError:
            if not stream.cancelled():  # it is we who were cancelled: the follower has left
                stream.cancel()
                raise
            code, reason = grpc.StatusCode.UNAVAILABLE, f"{self._datacenter} is stopping"
        except Exception:  # the last resort: gRPC would tell the text to the other side
            if context.done():  # the follower left while it was written to
                return
            log.exception("a follower's stream failed", datacenter=peer.datacenter)
            code, reason = grpc.StatusCode.INTERNAL, f"{self._datacenter} failed; its log says how"
        finally:
            self._streams.discard(stream)
        if code is not grpc.StatusCode.OK:
            await context.abort(code, reason)

    async def _member(self, context: Any) -> Peer:
        peer = await self._peer(context)
        if not self._is_member(peer):
            who = f"datacenter {peer.datacenter}" if peer.datacenter else peer.spiffe_id
            await _deny(context, f"{self._datacenter} does not know {who} as a member of the mesh")
        return peer

    async def _peer(self, context: Any) -> Peer:
        peer = peer_of(context.auth_context() or {}, self._trust_domain())
        if peer is None:
            await _deny(context, "the certificate is not one of a control plane of this mesh")
            raise AssertionError  # for the type checker: to abort is to raise
        return peer

    def _is_member(self, peer: Peer) -> bool:
        return peer.datacenter in others(self._feed.view.remote, self._datacenter)


async def _deny(context: Any, reason: str) -> None:
    await context.abort(grpc.StatusCode.PERMISSION_DENIED, reason)
