"""Which of some addresses leads to the control plane of a datacenter; and if none does, why."""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from typing import Final

from xdsmesh.federation.wire import server_name

_EACH_SECONDS: Final = 3.0
_PAUSE_SECONDS: Final = 0.2

_CLOCKS: Final = "its certificate is not valid now: see that the clocks of both machines are right"
_EXPIRED: Final = frozenset({9, 10})
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


class Unreached(Exception):  # noqa: N818 - what it tells is for people
    """None of the addresses leads there; why, by the address. Without any address nothing was tried."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__("; ".join(f"{address}: {reason}" for address, reason in reasons.items()))


async def reach(
    addresses: Callable[[], Iterable[str]], datacenter: str, roots_pem: str, seconds: float
) -> str:
    """The first address at which the datacenter's control plane proves itself.

    All are tried again for so many seconds, since a gateway needs a moment until it has learned the way. Of
    who answers there nothing is asked.

    Raises:
        Unreached: there is none.
    """
    reasons: dict[str, str] = {}
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        for address in addresses():
            reason = await _try(address, datacenter, roots_pem)
            if not reason:
                return address
            reasons[address] = reason
        if loop.time() >= end:
            raise Unreached(reasons)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _try(address: str, datacenter: str, roots_pem: str) -> str:
    """Why an address does not lead there; empty: it does."""
    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=roots_pem)
    context.set_alpn_protocols(["h2"])
    try:
        async with asyncio.timeout(_EACH_SECONDS):
            _, writer = await asyncio.open_connection(
                host.strip("[]"), int(port), ssl=context, server_hostname=server_name(datacenter)
            )
    except TimeoutError:
        return f"no answer within {_EACH_SECONDS:.0f} s: see that this machine may connect to it"
    except ssl.SSLCertVerificationError as error:
        return (
            _CLOCKS
            if error.verify_code in _EXPIRED
            else f"who answers is not {datacenter} of this token's mesh"
        )
    except (ssl.SSLError, ConnectionResetError):
        return f"the connection was closed: the gateway there knows no way to the server of {datacenter}"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    writer.transport.abort()
    return ""
