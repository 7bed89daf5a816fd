"""An application that calls its upstreams, each at a steady pace: ``python caller.py SECONDS JSON``.

SECONDS is the pause between two calls of one upstream; they don't wait for each other. JSON is a list of
``[name, protocol, port]``. Prints a line of JSON for each call that has ended: ``[name, when it began, when
it ended (time.monotonic), who answered, why it failed]``. Nothing is tried again.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Final

import grpc
import grpc.aio
import httpx

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Call = Callable[[], Awaitable[str]]

WORDS: Final = b"what the caller says"
"""A marker: nobody else says it."""
METHOD: Final = "/mesh.Application/Call"
CLOSED: Final = "closed"
DENIED_HEADER: Final = "x-xdsmesh-denied"

_SECONDS: Final = 20


class FailedError(Exception):
    """A call that was not answered as it should be."""


async def main(pause: float, upstreams: list[tuple[str, str, int]]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for name, protocol, port in upstreams:
            tasks.create_task(_call_on_and_on(name, _MAKE[protocol](port), pause))


async def _call_on_and_on(name: str, call: Call, pause: float) -> None:
    loop = asyncio.get_running_loop()
    at = loop.time()
    async with asyncio.TaskGroup() as calls:
        while True:
            calls.create_task(_report(name, call))
            at = max(at + pause, loop.time())
            await asyncio.sleep(at - loop.time())


async def _report(name: str, call: Call) -> None:
    began, answered, failure = time.monotonic(), "", ""
    try:
        async with asyncio.timeout(_SECONDS):
            answered = await call()
    except FailedError as error:
        failure = str(error)
    except grpc.aio.AioRpcError as error:
        failure = f"{error.code().name}: {error.details()}"
    except (TimeoutError, OSError, httpx.HTTPError) as error:
        failure = f"{type(error).__name__}: {error}"
    line = json.dumps((name, began, time.monotonic(), answered.partition(":")[0], failure))
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _tcp(port: int) -> Call:
    async def call() -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(WORDS + b"\n")
            answer = await reader.readline()
        finally:
            writer.close()
        if not answer:
            raise FailedError(CLOSED)
        return answer.decode()

    return call


def _http(port: int, *, http2: bool = False) -> Call:
    client = httpx.AsyncClient(http1=not http2, http2=http2, timeout=_SECONDS, trust_env=False)

    async def call() -> str:
        response = await client.post(f"http://127.0.0.1:{port}/", content=WORDS)
        if response.status_code != httpx.codes.OK:
            denied = response.headers.get(DENIED_HEADER)
            raise FailedError(f"{response.status_code} {denied or response.text}")
        return response.text

    return call


def _http2(port: int) -> Call:
    return _http(port, http2=True)


def _grpc(port: int) -> Call:
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)])
    method = channel.unary_unary(METHOD)

    async def call() -> str:
        answer: bytes = await method(WORDS, wait_for_ready=True)
        return answer.decode()

    return call


_MAKE: Final = {"http": _http, "http2": _http2, "grpc": _grpc, "tcp": _tcp}

if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), json.loads(sys.argv[2])))
