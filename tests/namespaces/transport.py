"""HTTP from inside a network namespace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.namespaces.namespaces import Namespace


class InsideTransport(httpx.AsyncBaseTransport):
    """What an ``httpx.AsyncClient`` sends with, to have the sockets of a namespace: by threads inside it."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._transport = httpx.HTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return await asyncio.wrap_future(self._namespace.submit(self._send, request))

    async def aclose(self) -> None:
        self._transport.close()

    def _send(self, request: httpx.Request) -> httpx.Response:
        response = self._transport.handle_request(request)
        try:
            content = b"".join(response.iter_raw())
        finally:
            response.close()
        return httpx.Response(response.status_code, headers=response.headers, content=content)
