"""The stores under test, made and closed for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from xdsmesh.store.base import Store
from xdsmesh.store.memory import MemoryStore
from xdsmesh.store.sqlite import SQLiteStore

KEPT = 50
"""How many revisions ``store`` keeps; small, so that compaction is soon reached."""


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = MemoryStore(KEPT) if request.param == "memory" else await SQLiteStore.open(tmp_path / "db", KEPT)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    opened = await SQLiteStore.open(tmp_path / "store.db")
    yield opened
    await opened.close()
