"""The client of another datacenter's control plane."""

import asyncio
from typing import Any, Final

import grpc

from xdsmesh.federation.errors import UnreachableError, link_error
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
from xdsmesh.federation.wire import CHANNEL_OPTIONS, SERVICE, server_name

_PATIENCE_SECONDS: Final = 30.0


def make_channel(address: str, datacenter: str, credentials: Any) -> Any:
    """A channel of gRPC to the control plane of a datacenter; it dials with the first call.

    ``address``, as host:port, is usually that of a gateway: it finds the control plane by the name that it
    hears in the TLS handshake. The certificate must have that name too. See `xdsmesh.federation.credentials`.
    """
    name = ("grpc.ssl_target_name_override", server_name(datacenter))
    return grpc.aio.secure_channel(address, credentials, (*CHANNEL_OPTIONS, name))


class FederationClient:
    """Typed calls over a channel. They raise ``UnreachableError``, or ``DeclinedError``."""

    def __init__(self, datacenter: str, channel: Any) -> None:
        self._datacenter: Final = datacenter
        self._channel: Final = channel

    async def join(self, request: JoinRequest, seconds: float = _PATIENCE_SECONDS) -> JoinResponse:
        """See the service's ``Join``. Waits at most so many seconds."""
        response: JoinResponse = await self._call("Join", request, JoinResponse, seconds)
        return response

    async def sign_intermediate(
        self, request: SignIntermediateRequest, seconds: float = _PATIENCE_SECONDS
    ) -> SignIntermediateResponse:
        """See the service's ``SignIntermediate``. Waits at most so many seconds."""
        response: SignIntermediateResponse = await self._call(
            "SignIntermediate", request, SignIntermediateResponse, seconds
        )
        return response

    async def ask(self, request: AskRequest, seconds: float = _PATIENCE_SECONDS) -> AskResponse:
        """See the service's ``Ask``. Waits at most so many seconds."""
        response: AskResponse = await self._call("Ask", request, AskResponse, seconds)
        return response

    def follow(self) -> Any:
        """A stream of gRPC, to ``write`` `FollowRequest` to and ``read`` `FollowResponse` from."""
        return self._channel.stream_stream(
            f"/{SERVICE}/Follow", FollowRequest.SerializeToString, FollowResponse.FromString
        )()

    async def _call(self, method: str, request: Any, response: Any, seconds: float) -> Any:
        try:
            stub = self._channel.unary_unary(
                f"/{SERVICE}/{method}", type(request).SerializeToString, response.FromString
            )
            return await stub(request, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            raise link_error(self._datacenter, error) from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task and task.cancelling():
                raise
            # The channel was closed, which gRPC tells so.
            raise UnreachableError(self._datacenter, "the link was lost meanwhile") from error
        except grpc.aio.UsageError as error:
            raise UnreachableError(self._datacenter, "the link was lost") from error
