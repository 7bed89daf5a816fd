"""The UDP check: nobody refuses a datagram."""

import asyncio
from typing import Final

from xdsmesh.model.checks import CheckStatus, Health, Probe
from xdsmesh.probes.target import host_port

_DATAGRAM: Final = b"\n"


async def probe_udp(probe: Probe) -> CheckStatus:
    """Passing when an answer comes; that none comes is for the caller to judge.

    Raises:
        OSError: the datagram is refused.
        ValueError: the target is no address.
    """
    transport, answer = await asyncio.get_running_loop().create_datagram_endpoint(
        _Answer, remote_addr=host_port(probe.target)
    )
    try:
        transport.sendto(_DATAGRAM)
        await answer.came
    finally:
        transport.abort()
    return CheckStatus(Health.PASSING, "Success")


class _Answer(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def datagram_received(self, _data: bytes, _addr: object) -> None:
        if not self.came.done():
            self.came.set_result(None)

    def error_received(self, error: Exception) -> None:
        if not self.came.done():
            self.came.set_exception(error)
