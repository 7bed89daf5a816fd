"""Which of some addresses leads to the control plane of a datacenter; and if none does, why."""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from typing import Final

from xdsmesh.federation.diagnosis import Probed, Step
from xdsmesh.federation.probing import SILENT, probe
from xdsmesh.federation.wire import server_name

_PAUSE_SECONDS: Final = 0.2

_CLOCKS: Final = "its certificate is not valid now: see that the clocks of both machines are right"
_OUT_OF_TIME: Final = ("certificate has expired", "certificate is not yet valid")
"""What OpenSSL says of a certificate whose time it is not."""


class Unreached(Exception):  # noqa: N818 - what it tells is for people
    """None of the addresses leads there; why, by the address. Without any address nothing was tried."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__("; ".join(f"{address}: {reason}" for address, reason in reasons.items()))


async def reach(
    addresses: Callable[[], Iterable[str]], datacenter: str, context: ssl.SSLContext, seconds: float
) -> str:
    """The first address at which the datacenter's control plane proves itself, and believes what we show.

    All are tried again for so many seconds, since a gateway needs a moment until it has learned the way.

    Raises:
        Unreached: there is none.
    """
    reasons: dict[str, str] = {}
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        for address in addresses():
            probed = await probe(address, server_name(datacenter), context)
            if probed.step is Step.THROUGH:
                return address
            reasons[address] = _why(probed, datacenter)
        if loop.time() >= end:
            raise Unreached(reasons)
        await asyncio.sleep(_PAUSE_SECONDS)


def _why(probed: Probed, datacenter: str) -> str:
    match probed.step:
        case Step.CONNECT if probed.reason == SILENT:
            return f"{SILENT}: see that this machine may connect to it"
        case Step.HANDSHAKE:
            return f"{probed.reason}: the gateway there knows no way to the server of {datacenter}"
        case Step.CERTIFICATE if probed.reason in _OUT_OF_TIME:
            return _CLOCKS
        case Step.CERTIFICATE:
            return f"who answers is not {datacenter} of this token's mesh"
        case Step.ADMISSION:
            return f"the server of {datacenter} does not believe the token's certificate: {probed.reason}"
    return probed.reason
