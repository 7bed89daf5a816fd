"""A connection that is kept open while the intentions change."""

import asyncio
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import httpx

_SECONDS: Final = 5
_PAUSE_SECONDS: Final = 0.005


@dataclass(frozen=True, slots=True)
class Reply:
    """The status of one request, when it came (``time.time``), and the local port of its connection."""

    at: float
    status: int
    port: int


class HeldConnection:
    """Asks over and over, on one HTTP connection, for as long as this context lives."""

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        self.replies: list[Reply] = []
        self._url = url
        limits = httpx.Limits(max_connections=1, keepalive_expiry=None)
        self._http = httpx.AsyncClient(verify=tls or True, limits=limits, timeout=_SECONDS, trust_env=False)
        self._ending = False
        self._asking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._asking = asyncio.create_task(self._ask())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ending = True
        if self._asking:
            await self._asking
        await self._http.aclose()

    async def has_replies(self, count: int, status: int) -> bool:
        """Whether the last so many replies had this status."""
        last = self.replies[-count:]
        return len(last) == count and all(reply.status == status for reply in last)

    async def _ask(self) -> None:
        while not self._ending:
            self.replies.append(await self._reply())
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _reply(self) -> Reply:
        try:
            response = await self._http.get(self._url)
        except (httpx.HTTPError, ssl.SSLError):
            return Reply(time.time(), 0, 0)
        _, port, *_ = response.extensions["network_stream"].get_extra_info("client_addr")
        return Reply(time.time(), response.status_code, port)


def took_ms(replies: Iterable[Reply], since: float, status: int) -> float:
    """Milliseconds from a moment (``time.time``) to the first reply with this status; infinite: none."""
    first = min(
        (reply.at for reply in replies if reply.at > since and reply.status == status),
        default=float("inf"),
    )
    return (first - since) * 1000
