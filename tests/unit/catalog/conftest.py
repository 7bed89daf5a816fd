"""A repository over each kind of store, and what is told by it."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from xdsmesh.catalog.repository import Repository
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import decode_entry
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


@pytest.fixture
def make() -> Callable[..., Entry]:
    """An entry as somebody would write it, checked by its own rules."""

    def make_entry(kind: str, name: str = "", **fields: Any) -> Entry:
        named = {"Kind": kind, "Name": name} if name else {"Kind": kind}
        return decode_entry(json.dumps({**named, **fields}).encode())

    return make_entry
