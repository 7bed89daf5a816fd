import asyncio
import signal
import socket

import httpx
import pytest
from litestar import Litestar, get

from xdsmesh.api.serve import HttpServer
from xdsmesh.model.errors import AddressInUseError


@get("/quick")
async def quick() -> str:
    return "done"


async def fetch(port: int, path: str) -> str:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        return (await client.get(path)).text


async def test_serves_on_a_free_port_until_it_is_stopped() -> None:
    server = HttpServer(Litestar([quick], logging_config=None))
    port = await server.start("127.0.0.1", 0)
    assert await fetch(port, "/quick") == "done"
    await server.stop()
    with pytest.raises(httpx.ConnectError):
        await fetch(port, "/quick")


async def test_a_request_under_way_is_finished_before_the_server_is_gone() -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    @get("/slow")
    async def slow() -> str:
        entered.set()
        await release.wait()
        return "finished"

    server = HttpServer(Litestar([slow], logging_config=None))
    port = await server.start("127.0.0.1", 0)
    answer = asyncio.create_task(fetch(port, "/slow"))
    await entered.wait()
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    release.set()
    assert await answer == "finished"
    await stopping


async def test_a_taken_port_is_told_with_its_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUseError, match=rf"127\.0\.0\.1:{port}.*in use.*--http-addr"):
            await HttpServer(Litestar([quick], logging_config=None)).start("127.0.0.1", port)


async def test_signals_stay_the_callers() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    server = HttpServer(Litestar([quick], logging_config=None))
    await server.start("127.0.0.1", 0)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    await server.stop()


async def test_stopping_what_never_started_is_nothing() -> None:
    await HttpServer(Litestar([quick], logging_config=None)).stop()
