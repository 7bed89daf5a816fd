"""The H2PING check: an HTTP/2 server answers a ping."""

from typing import Final

from h2.events import PingAckReceived

from xdsmesh.model.checks import CheckStatus, Health, Probe
from xdsmesh.probes.http2 import http2

_PING: Final = b"xdsmesh\n"


async def probe_h2ping(probe: Probe) -> CheckStatus:
    """Passing once the ping comes back.

    Raises:
        OSError: there is no connection, or it ends before.
        ValueError: the target is no address.
        h2.exceptions.ProtocolError: the server does not speak HTTP/2.
    """
    async with http2(probe, probe.target) as connection:
        connection.state.ping(_PING)
        await connection.flush()
        async for event in connection.events():
            if isinstance(event, PingAckReceived):
                break
    return CheckStatus(Health.PASSING, "Success")
