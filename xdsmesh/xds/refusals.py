"""Why a stream is not served, or no longer: the status that it ends with, and a sentence for a person.

Who is not known is told the same whatever proxy it claims to be, whether there is such a one or not.
"""

from typing import Final

from xdsmesh.model.identity import Identity, IdentityKind
from xdsmesh.status.text import printable
from xdsmesh.xds.messages import Close, Code

MAX_PROXY_ID: Final = 256
_MAKE_ONE: Final = (
    "make one with `xdsmesh token create --service NAME`, and give it to Envoy in a file with `xdsmesh envoy"
    " --token-file FILE`, or in its environment as XDSMESH_TOKEN"
)

NOT_READY: Final = Close(Code.UNAVAILABLE, "the control plane is starting: it has not read all of its state")
STOPPING: Final = Close(Code.UNAVAILABLE, "the control plane is stopping")
FAILED: Final = Close(Code.INTERNAL, "the control plane failed; its log says why")
NO_TOKEN: Final = Close(Code.UNAUTHENTICATED, f"this stream shows no token, and needs one: {_MAKE_ONE}")
UNKNOWN_TOKEN: Final = Close(
    Code.UNAUTHENTICATED,
    f"the token that this stream shows is not known here, or has been deleted: {_MAKE_ONE}",
)
OPERATORS_TOKEN: Final = Close(
    Code.PERMISSION_DENIED,
    f"an operator's token is no identity of a proxy, and opens no stream: {_MAKE_ONE}",
)
NO_ID: Final = Close(
    Code.INVALID_ARGUMENT,
    f"node.id must be the id of a registered proxy, with {MAX_PROXY_ID} characters at most; "
    "Envoy takes it from --service-node",
)


def not_registered(proxy_id: str) -> Close:
    """There is no such proxy."""
    return Close(
        Code.NOT_FOUND,
        f"no proxy {printable(proxy_id)!r} is registered here: register the service with its "
        "sidecar, or start Envoy with the --service-node of a proxy that is registered",
    )


def not_served(proxy_id: str, registered: Identity | None) -> Close:
    """There is nothing for a proxy: it is of a kind that nothing is made for, or has just gone."""
    if registered is None or registered.kind is IdentityKind.SERVICE:
        return not_registered(proxy_id)
    return Close(
        Code.UNIMPLEMENTED,
        f"proxy {printable(proxy_id)!r} is registered for {registered}, and such are not served yet: "
        "sidecars and mesh gateways are",
    )


def forbidden(proxy_id: str, proven: Identity | None, registered: Identity | None) -> Close | None:
    """Why somebody must not have the configuration of a proxy; None: it may.

    ``proven`` is None when nobody has to prove anything, and ``registered`` when there is no such proxy.
    """
    if proven and proven.is_operator:
        return OPERATORS_TOKEN
    if registered is None:
        return not_registered(proxy_id)
    if proven is None or proven == registered:
        return None
    return Close(
        Code.PERMISSION_DENIED,
        f"the token is for {proven}, and proxy {printable(proxy_id)!r} is registered for {registered}: give "
        "this Envoy a token of that one, or start it with the --service-node of a proxy that is the token's",
    )
