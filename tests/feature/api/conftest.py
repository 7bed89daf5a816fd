import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import httpx
import pytest

from xdsmesh.api.about import About
from xdsmesh.api.app import Parts, make_app
from xdsmesh.api.queries import Queries
from xdsmesh.api.serve import HttpServer
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.leaves import Leaves
from xdsmesh.catalog.announce import announce
from xdsmesh.catalog.feed import Feed
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.catalog.repository import Repository
from xdsmesh.index.views import Index
from xdsmesh.model.catalog import Node
from xdsmesh.probes.prober import Prober
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
def feed(store: MemoryStore) -> Feed:
    return Feed(store)


@pytest.fixture
def registrations(store: MemoryStore, feed: Feed) -> Registrations:
    return Registrations(store, NODE, feed)


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
def prober(feed: Feed, registrations: Registrations) -> Prober:
    prober = Prober(NODE.name, registrations.report, time.monotonic, random.uniform)
    feed.listen(prober.take)
    return prober


@pytest.fixture
async def queries(store: MemoryStore, feed: Feed, prober: Prober, issuer: Issuer) -> AsyncIterator[Queries]:
    """What is being asked; as in the server, the store is not empty when it begins."""
    assert issuer.revision
    queries = Queries(feed)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work) for work in (feed.run(), queries.run(), prober.run())]
        await announce(store, NODE, lambda: "11111111-2222-3333-4444-555555555555")
        yield queries
        for task in running:
            task.cancel()


@pytest.fixture
async def server(  # noqa: PLR0913, PLR0917 - a fixture for each part
    repository: Repository,
    registrations: Registrations,
    prober: Prober,
    registry: Registry,
    queries: Queries,
    leaves: Leaves,
) -> AsyncIterator[tuple[HttpServer, int]]:
    """The API on a real socket, and its port."""
    about = About("0.1.0", NODE, "corp.consul", xds_port=18502, envoy_versions=("1.40.0",))
    parts = Parts(about, repository, registrations, queries, prober, registry, Index(), leaves)
    server = HttpServer(make_app(parts))
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
