"""How far one comes on the way to another datacenter's control plane, step by step, at an address to dial."""

import asyncio
import errno
import os
import ssl
from typing import Final

from xdsmesh.ca.tls import load_leaf
from xdsmesh.federation.diagnosis import REFUSED, Probed, Step
from xdsmesh.model.trust import Leaf, TrustBundle

SILENT: Final = "nobody answers"
"""The reason where nothing comes back in time."""
_SECONDS: Final = 3.0
"""For each step."""
_SETTINGS: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""How a client of HTTP/2 begins, RFC 9113 section 3.4; a server begins with settings, too."""
_CONNECTING: Final = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT})


def probe_context(leaf: Leaf, bundle: TrustBundle) -> ssl.SSLContext:
    """TLS as the links speak it: both sides show certificates of the mesh."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=bundle.roots_pem)
    context.set_alpn_protocols(["h2"])
    load_leaf(context, leaf)
    return context


async def probe(address: str, name: str, context: ssl.SSLContext, seconds: float = _SECONDS) -> Probed:
    """Dial an address (``host:port``) for the control plane of a name; each step may take so long."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError) as error:
        return Probed(address, Step.CONNECT, _told(error))
    await _close(writer)
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname=name)
    except ssl.SSLCertVerificationError as error:
        return Probed(address, Step.CERTIFICATE, error.verify_message)
    except (OSError, TimeoutError) as error:
        return Probed(address, Step.HANDSHAKE, _told(error))
    try:
        async with asyncio.timeout(seconds):
            return await _admission(address, reader, writer)
    except TimeoutError as error:
        return Probed(address, Step.ADMISSION, _told(error))
    finally:
        await _close(writer)


async def _admission(address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Probed:
    """In TLS 1.3 a client's certificate is judged when the client is ready; then comes data, or an end."""
    try:
        writer.write(_SETTINGS)
        if await reader.read(1):
            return Probed(address, Step.THROUGH)
    except OSError as error:
        return Probed(address, Step.ADMISSION, _told(error))
    return Probed(address, Step.ADMISSION, "the connection was closed")


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    try:
        await writer.wait_closed()
    except OSError:
        return  # it was closed already, by the other side


def _told(error: BaseException) -> str:
    match error:
        case TimeoutError() if not getattr(error, "errno", None):
            return SILENT
        case ssl.SSLError():
            return (error.reason or "the connection was closed").lower().replace("_", " ")
        case ConnectionResetError() | ConnectionAbortedError():
            return "the connection was closed"
        case ConnectionRefusedError():
            return REFUSED
        case OSError(errno=number) if number in _CONNECTING:
            return os.strerror(number).lower()
    return str(error)
