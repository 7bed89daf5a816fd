import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import httpx
import pytest

from xdsmesh.api.about import About
from xdsmesh.api.app import make_app
from xdsmesh.api.queries import Queries
from xdsmesh.api.serve import HttpServer
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.leaves import Leaves
from xdsmesh.catalog.repository import Repository
from xdsmesh.index.views import Index
from xdsmesh.model.catalog import Node
from xdsmesh.status import Registry
from xdsmesh.store.memory import MemoryStore

NODE = Node("n1", "127.0.0.1", "dc1")


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    store = MemoryStore()
    yield store
    await store.close()


@pytest.fixture
def repository(store: MemoryStore) -> Repository:
    return Repository(store, NODE)


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
async def issuer(store: MemoryStore) -> Issuer:
    return await Issuer.open(store, "corp.consul", lambda: datetime.now(UTC))


@pytest.fixture
def pick() -> Callable[[float, float], float]:
    """Draws the part of their lives after which leaves are renewed."""
    return random.uniform


@pytest.fixture
def leaves(issuer: Issuer, store: MemoryStore, pick: Callable[[float, float], float]) -> Leaves:
    return Leaves(issuer, store, NODE.datacenter, lambda: datetime.now(UTC), pick)


@pytest.fixture
async def queries(store: MemoryStore, issuer: Issuer) -> AsyncIterator[Queries]:
    """What is being asked; as in the server, the store is not empty when it begins."""
    assert issuer.revision
    queries = Queries(store)
    running = asyncio.create_task(queries.run())
    yield queries
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


@pytest.fixture
async def server(
    repository: Repository, registry: Registry, queries: Queries, leaves: Leaves
) -> AsyncIterator[tuple[HttpServer, int]]:
    """The API on a real socket, and its port."""
    about = About("0.1.0", NODE, "corp.consul", xds_port=18502, envoy_versions=("1.40.0",))
    server = HttpServer(make_app(repository, registry, Index(), about, queries, leaves))
    yield server, await server.start("127.0.0.1", 0)
    queries.close()
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
def held(queries: Queries) -> Callable[..., Awaitable[None]]:
    """Return once so many requests wait, one unless said otherwise."""

    async def wait(count: int = 1) -> None:
        async with asyncio.timeout(10):
            while queries.waiting != count:  # noqa: ASYNC110 - that one waits is no event
                await asyncio.sleep(0.005)

    return wait
