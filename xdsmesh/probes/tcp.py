"""The TCP check: a connection can be made."""

import asyncio

from xdsmesh.model.checks import CheckStatus, Health, Probe
from xdsmesh.probes.target import host_port
from xdsmesh.probes.tls import tls_context


async def probe_tcp(probe: Probe) -> CheckStatus:
    """Passing once connected, with TLS if the probe says so.

    Raises:
        OSError: there is no connection.
        ValueError: the target is no address.
    """
    host, port = host_port(probe.target)
    transport, _ = await asyncio.get_running_loop().create_connection(
        asyncio.Protocol,
        host,
        port,
        ssl=tls_context(skip_verify=probe.tls_skip_verify) if probe.use_tls else None,
        server_hostname=(probe.tls_server_name or host) if probe.use_tls else None,
    )
    transport.abort()  # nobody waits for the other side's goodbye
    return CheckStatus(Health.PASSING, "Success")
