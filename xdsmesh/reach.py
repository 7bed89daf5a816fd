"""Who can reach the server: other machines only where tokens are asked for; and what the log says of it."""

import structlog

from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.settings import Settings
from xdsmesh.store.base import Store
from xdsmesh.tokens.known import Tokens
from xdsmesh.tokens.write import any_token

log = structlog.get_logger(__name__)


async def check_reach(settings: Settings, store: Store) -> None:
    """Allow addresses that other machines reach only with a token in the store.

    Raises:
        RefusedError: there is none; with a problem for each such address.
    """
    if not settings.reached or await any_token(store):
        return
    remedy = (
        "make a token first, such as one for yourself with `xdsmesh token create --operator --data-dir"
        f" {settings.data_dir}`, or use an address in 127.0.0.0/8"
    )
    whats = {
        flag: f"{address.host} can be reached from other machines, and there is no token to ask them for"
        for flag, address in settings.reached.items()
    }
    raise RefusedError(
        *(Problem(Place(source=flag), what, remedy, code=Code.SETTING) for flag, what in whats.items())
    )


def say_reach(settings: Settings, tokens: Tokens) -> None:
    """Tell the log who is asked for a token, and what is in the clear."""
    if tokens.needed:
        log.info(
            "tokens are needed: by every new stream, for private keys, and by requests from other machines",
            tokens=len(tokens.all()),
        )
    else:
        log.warning("no authentication is configured: HTTP and xDS are bound to loopback only")
    for flag in ("--http-addr", "--xds-addr"):
        if address := settings.reached.get(flag):
            log.warning(
                "tokens and private keys cross the network in the clear: use TLS (--xds-tls-addr,"
                " --https-addr) outside of a network that you trust",
                flag=flag,
                address=str(address),
            )
