"""Calls into the mesh, through a sidecar or straight at the door of a service, and what becomes of them."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from xdsmesh.demo.load import peer_of

ALLOWED: Final = "allowed"
DENIED: Final = "denied"
CLOSED: Final = "closed"
"""A denial, if the Envoy at the other end says that it was one."""
FAILED: Final = "failed"
DENIED_HEADER: Final = "x-xdsmesh-denied"

_SECONDS: Final = 5
_ALERT: Final = "_ALERT_"
_NO_HEADERS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call, ``observed`` in one word and ``seen`` in several.

    ``peer`` is the SPIFFE id that the application was told of its caller.
    """

    observed: str
    seen: str
    peer: str = ""


async def ask(
    url: str, tls: ssl.SSLContext | None = None, headers: Mapping[str, str] = _NO_HEADERS
) -> Answer:
    """Send a GET over a connection of its own; with ``tls`` the other side may refuse its certificate."""
    try:
        async with httpx.AsyncClient(verify=tls or True, timeout=_SECONDS, trust_env=False) as client:
            response = await client.get(url, headers=headers)
    except (httpx.ReadError, httpx.RemoteProtocolError, ssl.SSLError) as error:
        return _ended(error)
    except httpx.HTTPError as error:
        return Answer(FAILED, _words(error))
    if response.status_code == httpx.codes.FORBIDDEN:
        reason = response.headers.get(DENIED_HEADER)
        return Answer(DENIED, f"403, {DENIED_HEADER}: {reason}" if reason else "403")
    if response.status_code != httpx.codes.OK:
        return Answer(FAILED, f"{response.status_code} {response.text[:200]}")
    return Answer(ALLOWED, "200", peer_of(response.json()["client_cert"]))


async def listen(
    host: str,
    port: int,
    tls: ssl.SSLContext | None = None,
    server_name: str | None = None,
    words: bytes = b"",
) -> Answer:
    """Connect, say the words if there are any, and wait for the greeting of the application.

    With ``tls``, ``server_name`` is whom to ask for, unless that is the host.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=server_name)
            try:
                writer.write(words)
                greeting = await reader.read(1024)
            finally:
                writer.close()
    except TimeoutError:
        return Answer(FAILED, f"neither a greeting nor an end within {_SECONDS} s")
    except (ConnectionResetError, ssl.SSLError) as error:
        return _ended(error)
    except OSError as error:
        return Answer(FAILED, _words(error))
    if not greeting:
        return Answer(CLOSED, "closed, not a byte came")
    return Answer(ALLOWED, f"greeting: {greeting.decode(errors='replace').strip()}")


def _ended(error: Exception) -> Answer:
    """The other side has ended the connection before anything came."""
    if isinstance(error, ssl.SSLError) and error.reason and _ALERT in error.reason:
        alert = error.reason.partition(_ALERT)[2].lower().replace("_", " ")
        return Answer(CLOSED, f"TLS alert: {alert}")
    return Answer(CLOSED, "the connection was closed")


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
