"""A repository over each kind of store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from xdsmesh.catalog.repository import Repository
from xdsmesh.model.catalog import Node
from xdsmesh.store.base import Store
from xdsmesh.store.memory import MemoryStore
from xdsmesh.store.sqlite import SQLiteStore


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = MemoryStore() if request.param == "memory" else await SQLiteStore.open(tmp_path / "db")
    yield opened
    await opened.close()


@pytest.fixture
def repository(store: Store) -> Repository:
    return Repository(store, Node("node-1", "127.0.0.1", "dc1"))
