"""What an application in a container answers, and what it says of those that it calls."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn

from xdsmesh.demo.app import App


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


async def ask(app: App, path: str) -> tuple[int, Any]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
        answer = await client.get(path)
        return answer.status_code, answer.json()


@pytest.fixture
async def db() -> AsyncIterator[str]:
    """The URL under which an application `db` answers."""
    config = uvicorn.Config(App("db", "v1", {}), lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve([listening]))
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            server.should_exit = True


async def test_it_says_who_it_is() -> None:
    assert await ask(App("web", "", {}), "/x") == (200, {"service": "web", "path": "/x"})
    assert await ask(App("admin", "v2", {}), "/") == (200, {"service": "admin", "version": "v2", "path": "/"})


async def test_it_calls_an_upstream_and_answers_with_its_status_and_words(db: str) -> None:
    web = App("web", "", {"db": db})
    said = {"service": "db", "version": "v1", "path": "/a/b"}
    assert await ask(web, "/call/db/a/b") == (200, {"service": "web", "path": "/call/db/a/b", "called": said})
    status, answer = await ask(web, "/call/db/call/cache")
    assert status == 404
    assert answer["called"]["error"] == "cache is no upstream here; it can call nobody"


async def test_who_can_not_be_called_is_told_with_those_who_can() -> None:
    status, answer = await ask(App("web", "", {"db": "http://db", "api": "http://api"}), "/call/payroll")
    assert status == 404
    assert answer["error"] == "payroll is no upstream here; it can call api, db"


async def test_an_upstream_that_is_not_there_is_a_bad_gateway() -> None:
    status, answer = await ask(App("web", "", {"db": f"http://127.0.0.1:{free_port()}"}), "/call/db")
    assert status == 502
    assert answer["error"].startswith("db did not answer: ConnectError")
