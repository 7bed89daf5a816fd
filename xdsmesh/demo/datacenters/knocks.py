"""Who comes to a mesh gateway and asks for a name, or for none: does anybody answer?"""

import asyncio
import ssl
from contextlib import closing, suppress
from typing import Final

from xdsmesh.demo.calls import ALLOWED, DENIED, FAILED, Answer
from xdsmesh.demo.datacenters.layout import DB
from xdsmesh.demo.datacenters.side import Side
from xdsmesh.demo.network import Network
from xdsmesh.demo.verdicts import Verdict

_SECONDS: Final = 5


async def knocks(network: Network, side: Side, trust_domain: str) -> tuple[Verdict, ...]:
    """What becomes of strangers at the gateway; who names a service gets to its Envoy, to compare."""
    domain = f"default.{side.name}.internal.{trust_domain}"
    host, port = network.host(side.gateway.host), network.gateway_port
    return tuple(
        [
            Verdict(who, side.gateway.proxy, "tls", expected, await _knock(host, port, name))
            for who, name, expected in (
                ("a stranger who asks for db", f"{DB.service}.{domain}", ALLOWED),
                ("a stranger who asks for payroll", f"payroll.{domain}", DENIED),
                ("a stranger who asks for nobody", None, DENIED),
            )
        ]
    )


async def _knock(host: str, port: int, server_name: str | None) -> Answer:
    """Begin TLS: an answer, whatever it is, came from behind the gateway, which has no certificate."""
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            with closing(writer):
                writer.write(client_hello(server_name))
                answer = await reader.read(64 * 1024)
    except ConnectionResetError:
        answer = b""
    except (TimeoutError, OSError) as error:
        return Answer(FAILED, f"{type(error).__name__}: {error}")
    if not answer:
        return Answer(DENIED, "closed, not a byte came")
    return Answer(ALLOWED, f"forwarded: an Envoy behind it answered with {len(answer):,} bytes of TLS")


def client_hello(server_name: str | None) -> bytes:
    """What a TLS client sends first."""
    sent = ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname = False
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=server_name).do_handshake()
    return sent.read()
