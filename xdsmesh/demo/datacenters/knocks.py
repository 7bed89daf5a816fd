"""Who comes to a mesh gateway and asks for a name, or for none: does anybody answer?"""

import asyncio
import ssl
from contextlib import closing, suppress
from typing import Final

from xdsmesh.demo.calls import ALLOWED, DENIED, FAILED, Answer, listen
from xdsmesh.demo.datacenters.layout import DB
from xdsmesh.demo.datacenters.side import Side
from xdsmesh.demo.handshakes import judged
from xdsmesh.demo.network import Network
from xdsmesh.demo.verdicts import Verdict

_SECONDS: Final = 5


async def knocks(network: Network, side: Side, trust_domain: str) -> tuple[Verdict, ...]:
    """What becomes of strangers at the gateway.

    Who asks for a service gets to its Envoy, which wants a certificate. All others get to nobody.
    """
    domain = f"default.{side.name}.internal.{trust_domain}"
    address = network.host(side.gateway.host), network.gateway_port
    asked = listen(*address, _without_certificate(), f"{DB.service}.{domain}")
    forwarded = await judged(network, DB, asked)
    unknown, nameless = [await _knock(*address, name) for name in (f"payroll.{domain}", None)]
    return (
        Verdict("a stranger who asks for db", DB.service, "tls", DENIED, forwarded),
        Verdict("a stranger who asks for payroll", side.gateway.proxy, "tls", DENIED, unknown),
        Verdict("a stranger who asks for nobody", side.gateway.proxy, "tls", DENIED, nameless),
    )


async def _knock(host: str, port: int, server_name: str | None) -> Answer:
    """Begin TLS: any answer came from behind the gateway, which has no certificate to answer with."""
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            with closing(writer):
                writer.write(client_hello(server_name))
                answer = await reader.read(1024)
    except ConnectionResetError:
        answer = b""
    except (TimeoutError, OSError) as error:
        return Answer(FAILED, f"{type(error).__name__}: {error}")
    if not answer:
        return Answer(DENIED, "closed, not a byte came")
    return Answer(ALLOWED, "somebody behind the gateway answered")


def client_hello(server_name: str | None) -> bytes:
    """What a TLS client sends first."""
    sent = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        _without_certificate().wrap_bio(ssl.MemoryBIO(), sent, server_hostname=server_name).do_handshake()
    return sent.read()


def _without_certificate() -> ssl.SSLContext:
    """TLS as a client that shows nothing, and believes anybody."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
