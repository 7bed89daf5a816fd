from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from xdsmesh.api.about import About
from xdsmesh.api.queries import Queries
from xdsmesh.api.serve import HttpServer
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.sealing import Sealer
from xdsmesh.catalog.feed import Feed
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.catalog.repository import Repository
from xdsmesh.model.catalog import Node
from xdsmesh.parts import Pick, ServerParts
from xdsmesh.status import Registry
from xdsmesh.store.memory import MemoryStore

if TYPE_CHECKING:
    from tests.conftest import AtWork

NODE = Node("n1", "127.0.0.1", "dc1")

Json = dict[str, Any]


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    store = MemoryStore()
    yield store
    await store.close()


@pytest.fixture
def sealer() -> Sealer:
    return Sealer.in_memory()


@pytest.fixture
async def issuer(store: MemoryStore, sealer: Sealer) -> Issuer:
    return await Issuer.open(store, "corp.consul", lambda: datetime.now(UTC), sealer)


@pytest.fixture
def pick() -> Pick:
    """Draws the part of their lives after which leaves are renewed."""
    return random.uniform


@pytest.fixture
async def parts(
    at_work: AtWork, store: MemoryStore, issuer: Issuer, pick: Pick
) -> AsyncIterator[ServerParts]:
    async with at_work(store, NODE, issuer, pick) as parts:
        yield parts


@pytest.fixture
def repository(parts: ServerParts) -> Repository:
    return parts.repository


@pytest.fixture
def registrations(parts: ServerParts) -> Registrations:
    return parts.registrations


@pytest.fixture
def feed(parts: ServerParts) -> Feed:
    return parts.feed


@pytest.fixture
def registry(parts: ServerParts) -> Registry:
    return parts.registry


@pytest.fixture
def queries(parts: ServerParts) -> Queries:
    return parts.queries


@pytest.fixture
async def server(parts: ServerParts) -> AsyncIterator[tuple[HttpServer, int]]:
    """The API on a real socket, and its port."""
    about = About("0.1.0", NODE, "corp.consul", xds_port=18502, envoy_versions=("1.40.0",))
    server = HttpServer(parts.app(about))
    yield server, await server.start("127.0.0.1", 0)
    parts.close()
    await server.stop()


@pytest.fixture
async def api(server: tuple[HttpServer, int]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API."""
    _, port = server
    unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the default one reads all roots of the machine
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=unused, timeout=20
    ) as client:
        yield client


@pytest.fixture
def until() -> Callable[..., Awaitable[Any]]:
    """Ask again and again until a condition holds of the answer, which is returned."""

    async def wait(ask: Callable[[], Awaitable[Any]], condition: Callable[[Any], object]) -> Any:
        answer = await ask()
        try:
            async with asyncio.timeout(10):
                while not condition(answer):
                    await asyncio.sleep(0.01)
                    answer = await ask()
        except TimeoutError:
            pytest.fail(f"waited in vain; the last answer: {answer}")
        return answer

    return wait


@pytest.fixture
def held(queries: Queries) -> Callable[..., Awaitable[None]]:
    """Return once so many requests wait, one unless said otherwise."""

    async def wait(count: int = 1) -> None:
        async with asyncio.timeout(10):
            while queries.waiting != count:  # noqa: ASYNC110 - that one waits is no event
                await asyncio.sleep(0.005)

    return wait


class Agent:
    """The agent's API, as a client of it speaks."""

    def __init__(self, api: httpx.AsyncClient, until: Callable[..., Awaitable[Any]]) -> None:
        self._api = api
        self._until = until

    async def put(self, path: str, body: Json | None = None, **params: str) -> None:
        answer = await self._api.put(f"/v1/agent/{path}", json=body, params=params)
        assert (answer.status_code, answer.content) == (200, b""), answer.text

    async def register(self, body: Json, **params: str) -> None:
        """Register a service as it is written."""
        await self.put("service/register", body, **params)

    async def refusal(self, body: Json) -> str:
        """What is told of a registration of a service that is refused, and so changes nothing."""
        before = (await self._api.get("/v1/agent/services")).json()
        answer = await self._api.put("/v1/agent/service/register", json=body)
        assert answer.status_code == 400, answer.text
        assert (await self._api.get("/v1/agent/services")).json() == before, "a refused body changes nothing"
        return answer.text

    async def shown(self, service_id: str) -> Json:
        """A service as the agent shows it."""
        answer = await self._api.get(f"/v1/agent/service/{service_id}")
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    async def service(self, *checks: Json, name: str = "web", **more: Any) -> None:
        """Register a service with checks."""
        await self.register({"Name": name, "Port": 80, "Checks": list(checks), **more})

    async def check(self, **body: Any) -> None:
        """Register a check."""
        await self.put("check/register", body)

    async def checks(self) -> dict[str, Json]:
        found: dict[str, Json] = (await self._api.get("/v1/agent/checks")).json()
        return found

    async def said(self, check_id: str) -> tuple[str, str]:
        """A check's status and output."""
        found = (await self.checks())[check_id]
        return found["Status"], found["Output"]

    async def until_is(self, check_id: str, wanted: str, output: str = "") -> str:
        """Wait until a check has a status, and return its output."""
        _, told = await self._until(
            lambda: self.said(check_id), lambda answer: answer[0] == wanted and output in answer[1]
        )
        return str(told)


@pytest.fixture
def agent(api: httpx.AsyncClient, until: Callable[..., Awaitable[Any]]) -> Agent:
    return Agent(api, until)
