from collections.abc import AsyncIterator

import httpx
import pytest

from xdsmesh.api.about import About
from xdsmesh.api.app import make_app
from xdsmesh.api.serve import HttpServer
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
async def api(repository: Repository, registry: Registry) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, through a real socket."""
    about = About("0.1.0", NODE, xds_port=18502, envoy_versions=("1.40.0",))
    server = HttpServer(make_app(repository, registry, Index(), about))
    port = await server.start("127.0.0.1", 0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        yield client
    await server.stop()
