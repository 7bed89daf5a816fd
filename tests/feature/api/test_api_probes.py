"""What the server finds out about checks by itself, and what follows from it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
import httpx
import pytest

from xdsmesh.parts import ServerParts
from xdsmesh.probes.reaper import Reaper

if TYPE_CHECKING:
    from tests.feature.api.conftest import Agent

NODE = "n1"
TTL = {"TTL": "1h"}

Until = Callable[..., Awaitable[Any]]


class Backend:
    """An HTTP server that answers as it is told to, on a port that it keeps while it is down."""

    def __init__(self) -> None:
        self.answer = "200 OK"
        self.body = b"hello"
        self.port = 0
        self.requests: list[bytes] = []
        self._server: asyncio.Server | None = None

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def down(self) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            head = f"HTTP/1.1 {self.answer}\r\nContent-Length: {len(self.body)}\r\n\r\n"
            writer.write(head.encode() + self.body)
            await writer.drain()
        writer.close()


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    backend = Backend()
    await backend.up()
    yield backend
    await backend.down()


async def test_an_http_check_follows_its_server(
    api: httpx.AsyncClient, agent: Agent, backend: Backend, until: Until
) -> None:
    url = f"http://127.0.0.1:{backend.port}/health"
    probe = {"HTTP": url, "Interval": "1s", "Method": "POST", "Header": {"X-A": ["1", "2"]}, "Body": "ping"}
    await agent.service(probe)
    assert await agent.until_is("service:web", "passing") == f"HTTP POST {url}: 200 OK Output: hello"
    request = backend.requests[0].decode().lower()
    assert request.startswith("post /health http/1.1\r\n")
    assert "user-agent: consul health check\r\n" in request
    assert "x-a: 1\r\nx-a: 2\r\n" in request

    async def healthy() -> int:
        rows = (await api.get("/v1/health/service/web", params={"passing": "1"})).json()
        return len(rows)

    await until(healthy, lambda count: count == 1)
    backend.body = b"other words"  # which agent/checks shows at once
    await agent.until_is("service:web", "passing", "other words")
    backend.answer = "503 Service Unavailable"
    assert "503" in await agent.until_is("service:web", "critical")
    await until(healthy, lambda count: count == 0)
    backend.answer = "429 Too Many Requests"
    await agent.check(Name="busy", HTTP=url, Interval="1h")
    assert "429" in await agent.until_is("busy", "warning")


@pytest.mark.parametrize("kind", ["tcp", "http"])
async def test_a_server_that_comes_up_is_found_soon(agent: Agent, backend: Backend, kind: str) -> None:
    await backend.down()
    target = {
        "tcp": {"TCP": f"127.0.0.1:{backend.port}"},
        "http": {"HTTP": f"http://127.0.0.1:{backend.port}/"},
    }
    await agent.check(Name="c", Interval="5s", **target[kind])
    refused = await agent.until_is("c", "critical", "127.0.0.1")
    assert "refused" in refused.lower()
    await backend.up()
    told = await agent.until_is("c", "passing")
    if kind == "tcp":
        assert told == f"TCP connect 127.0.0.1:{backend.port}: Success"


async def test_a_grpc_check_follows_the_health_service(agent: Agent) -> None:
    serving = [b"\x08\x01"]

    async def answer(_: bytes, __: Any) -> bytes:
        return serving[0]

    handlers = {"Check": grpc.unary_unary_rpc_method_handler(answer)}
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("grpc.health.v1.Health", handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        await agent.check(Name="c", GRPC=f"127.0.0.1:{port}/web", Interval="1s")
        assert await agent.until_is("c", "passing") == f"gRPC check 127.0.0.1:{port}/web: success"
        serving[0] = b"\x08\x02"
        assert "NOT_SERVING" in await agent.until_is("c", "critical")
    finally:
        await server.stop(None)


async def test_thresholds_count_results_in_a_row(agent: Agent, backend: Backend) -> None:
    backend.answer = "500 Internal Server Error"
    limits = {"FailuresBeforeWarning": 1, "FailuresBeforeCritical": 3}
    await agent.service({"HTTP": f"http://127.0.0.1:{backend.port}/", "Interval": "1s", **limits})
    await agent.until_is("service:web", "warning")
    asked = len(backend.requests)
    await agent.until_is("service:web", "critical")
    assert len(backend.requests) - asked >= 1


async def test_an_alias_says_what_its_service_says(agent: Agent) -> None:
    await agent.check(Name="alias", AliasService="web")
    assert "web" in await agent.until_is("alias", "critical", "not registered")
    await agent.service()
    await agent.until_is("alias", "passing")
    await agent.check(Name="c", ServiceID="web", **TTL)
    await agent.until_is("alias", "critical", 'Aliased check "c" failing')
    for word, health in (("warn", "warning"), ("pass", "passing")):
        await agent.put(f"check/{word}/c")
        await agent.until_is("alias", health)
    await agent.check(Name="disk", **TTL)
    await agent.until_is("alias", "critical", "disk")
    await agent.put("check/deregister/disk")
    await agent.until_is("alias", "passing")
    await agent.put("service/deregister/web")
    await agent.until_is("alias", "critical", "not registered")


async def test_a_sidecar_is_as_well_as_its_service(agent: Agent) -> None:
    await agent.service(TTL, Connect={"SidecarService": {}})
    await agent.until_is("service:web-sidecar-proxy:2", "critical")
    await agent.put("check/pass/service:web")
    await agent.until_is("service:web-sidecar-proxy:2", "passing")
    await agent.put("check/warn/service:web")
    await agent.until_is("service:web-sidecar-proxy:2", "warning")


class Clock:
    """Seconds that can be set forward."""

    def __init__(self) -> None:
        self.later = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.later


@pytest.fixture
async def clock(parts: ServerParts) -> AsyncIterator[Clock]:
    """The clock of a reaper beside the server's own, which looks every few milliseconds."""
    clock = Clock()
    reaper = Reaper(NODE, parts.registrations.reap, clock, period=0.01)
    parts.feed.listen(reaper.take)
    task = asyncio.create_task(reaper.run())
    yield clock
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_who_is_critical_for_too_long_is_deregistered_with_his_sidecar(
    api: httpx.AsyncClient, agent: Agent, until: Until, clock: Clock
) -> None:
    async def ids() -> set[str]:
        return set((await api.get("/v1/agent/services")).json())

    for name, limit in (("web", "1s"), ("spared", "1s"), ("patient", "2h")):  # a minute is the least there is
        check = {**TTL, "DeregisterCriticalServiceAfter": limit}
        await agent.service(check, name=name, Connect={"SidecarService": {}})
    await agent.put("check/warn/service:spared")
    clock.later = 59
    assert {"web", "web-sidecar-proxy"} <= await ids()
    clock.later = 3599
    left = {"spared", "spared-sidecar-proxy", "patient", "patient-sidecar-proxy"}
    assert await until(ids, lambda found: "web" not in found) == left
    assert not [each for each in await agent.checks() if each.startswith("service:web")]
    await agent.put("check/fail/service:spared")  # its time begins only now
    assert await ids() == left
    clock.later += 61
    await until(ids, lambda found: found == {"patient", "patient-sidecar-proxy"})
