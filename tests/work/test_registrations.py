"""What a registration costs, counted: function calls, rules run, and transactions of the store."""

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.sealing import Sealer
from xdsmesh.config.files import decode_service
from xdsmesh.model.catalog import Node
from xdsmesh.model.origin import Origin, Source
from xdsmesh.parts import ServerParts
from xdsmesh.settings import IntentionPolicy
from xdsmesh.store.sqlite import SQLiteStore

CLIENT = Origin(Source.API, where="127.0.0.1")
FEW, MANY = 64, 1024


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    opened = await SQLiteStore.open(tmp_path / "store.db")
    yield opened
    await opened.close()


@pytest.fixture
async def parts(store: SQLiteStore) -> AsyncIterator[ServerParts]:
    def now() -> datetime:
        return datetime.now(UTC)

    issuer = await Issuer.open(store, "td.consul", now, Sealer.in_memory())
    made = ServerParts.make(
        store, Node("n1", "127.0.0.1", "dc1"), issuer, now, random.uniform, policy=IntentionPolicy.ALLOW
    )
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work) for work in made.work().values()]
        await made.feed.catch_up()
        yield made
        for task in running:
            task.cancel()


async def register(parts: ServerParts, numbers: range) -> None:
    """Register services at the same time, and let everybody learn of them."""
    bodies = [
        {"Name": "web", "ID": f"web-{number}", "Address": "10.0.0.1", "Port": 8080, "Check": {"TTL": "60s"}}
        for number in numbers
    ]
    definitions = [decode_service(json.dumps(body).encode()) for body in bodies]
    await asyncio.gather(*(parts.registrations.register(each, CLIENT) for each in definitions))
    await parts.loop.wait_revision(await parts.feed.latest())


async def calls_of(parts: ServerParts, numbers: range) -> int:
    """How many functions are called in this thread to register services."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        await register(parts, numbers)
    finally:
        sys.setprofile(None)
    return calls


async def test_registering_costs_the_same_beside_many_others_of_the_same_service(parts: ServerParts) -> None:
    await register(parts, range(FEW))
    beside_few = await calls_of(parts, range(FEW, 2 * FEW))
    await register(parts, range(2 * FEW, MANY))
    beside_many = await calls_of(parts, range(MANY, MANY + FEW))
    assert beside_many == pytest.approx(beside_few, rel=0.1)


async def test_registrations_at_the_same_time_share_a_transaction(
    parts: ServerParts, store: SQLiteStore
) -> None:
    before = store.transactions
    await register(parts, range(FEW))
    assert store.transactions - before <= 2


async def test_registering_a_service_that_nobody_calls_runs_no_rule(parts: ServerParts) -> None:
    await register(parts, range(FEW))
    assert not parts.index.work
