"""``/v1/status``: who leads. A server without replicas leads itself."""

from litestar import get

from xdsmesh.api.openapi.declare import doc
from xdsmesh.api.reply import Reply
from xdsmesh.api.request import AnyRequest, own_address


@get("/v1/status/leader", opt=doc(reply=str))
async def leader(request: AnyRequest) -> Reply[str]:
    """The leader's address, ``host:port``."""
    return Reply(own_address(request))


@get("/v1/status/peers", opt=doc(reply=list[str]))
async def peers(request: AnyRequest) -> Reply[list[str]]:
    """The addresses of all servers."""
    return Reply([own_address(request)])
