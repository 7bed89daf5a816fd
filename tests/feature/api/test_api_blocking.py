"""Reads that wait until what they read has changed."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest

from xdsmesh.api.queries import Queries
from xdsmesh.api.serve import HttpServer

HTTP = {"Kind": "service-defaults", "Name": "web", "Protocol": "http"}
RESOLVER = {"Kind": "service-resolver", "Name": "web", "ConnectTimeout": "3s"}

Held = Callable[..., Awaitable[None]]
Change = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def index_of(answer: httpx.Response) -> int:
    return int(answer.headers["X-Consul-Index"])


async def put(api: httpx.AsyncClient, entry: Mapping[str, object]) -> httpx.Response:
    answer = await api.put("/v1/config", json=entry)
    assert answer.json() is True
    return answer


async def register(api: httpx.AsyncClient, service_id: str, **definition: object) -> httpx.Response:
    body = {"ID": service_id, "Name": "web", **definition}
    answer = await api.put("/v1/agent/service/register", json=body)
    assert answer.status_code == 200, answer.text
    return answer


@asynccontextmanager
async def waiting(
    api: httpx.AsyncClient, held: Held, path: str, wait: str = "60s"
) -> AsyncIterator[asyncio.Task[httpx.Response]]:
    """A read of what has been read just now, while it waits."""
    known = await api.get(path)
    query = f"{'&' if '?' in path else '?'}index={index_of(known)}&wait={wait}"
    task = asyncio.create_task(api.get(path + query))
    await held()
    yield task
    task.cancel()


READS: list[tuple[str, Change, Change]] = [
    # what is read, what does not touch it, what does
    (
        "/v1/config/service-defaults/web",
        lambda api: put(api, {**HTTP, "Name": "db"}),
        lambda api: put(api, HTTP),
    ),
    (
        "/v1/config/service-defaults",
        lambda api: put(api, RESOLVER),
        lambda api: put(api, {**HTTP, "Name": "db"}),
    ),
    (
        "/v1/discovery-chain/web",
        lambda api: put(api, {**HTTP, "Name": "db"}),
        lambda api: put(api, RESOLVER),
    ),
    (
        "/v1/catalog/services",
        lambda api: register(api, "w", Tags=["a"], Port=2),
        lambda api: register(api, "w", Tags=["b"], Port=2),
    ),
    (
        "/v1/catalog/service/WEB",
        lambda api: register(api, "db", Name="db"),
        lambda api: register(api, "w", Tags=["a"], Port=2),
    ),
    (
        "/v1/health/service/web?tag=a",
        lambda api: register(api, "other", Tags=["b"]),
        lambda api: register(api, "w", Tags=["a"], Port=2),
    ),
    (
        "/v1/health/service/web?filter=Service.Port==3",
        lambda api: register(api, "w", Tags=["a"], Port=2),
        lambda api: register(api, "w", Tags=["a"], Port=3),
    ),
]


@pytest.mark.parametrize(("path", "unrelated", "change"), READS, ids=[read[0] for read in READS])
async def test_a_read_waits_for_a_change_of_what_it_reads_and_for_no_other(
    api: httpx.AsyncClient, held: Held, path: str, unrelated: Change, change: Change
) -> None:
    await register(api, "w", Tags=["a"], Port=1)
    async with waiting(api, held, path) as answer:
        before = await api.get(path)
        await unrelated(api)
        assert (await api.get(path)).content == before.content
        assert not answer.done()
        await change(api)
        woken = await asyncio.wait_for(answer, 5)
    assert woken.status_code == 200
    assert woken.content != before.content
    assert woken.content == (await api.get(path)).content
    assert index_of(woken) > index_of(before)


async def test_a_read_of_something_older_is_answered_at_once(api: httpx.AsyncClient) -> None:
    known = index_of(await api.get("/v1/config/service-defaults"))
    await put(api, HTTP)
    answer = await asyncio.wait_for(api.get(f"/v1/config/service-defaults?index={known}&wait=60s"), 5)
    assert [entry["Name"] for entry in answer.json()] == ["web"]
    assert (await api.get("/v1/config/service-defaults?index=0&wait=60s")).json() == answer.json()


async def test_a_missing_entry_is_waited_for_and_missed_again(api: httpx.AsyncClient, held: Held) -> None:
    path = "/v1/config/service-defaults/web"
    async with waiting(api, held, path) as answer:
        await put(api, HTTP)
        created = await asyncio.wait_for(answer, 5)
    assert created.json()["Protocol"] == "http"
    async with waiting(api, held, path) as answer:
        await api.delete(path)
        deleted = await asyncio.wait_for(answer, 5)
    assert deleted.status_code == 404
    assert deleted.text.startswith("Config entry not found")
    assert index_of(deleted) > index_of(created)
    emptied = await api.get("/v1/config/service-defaults")
    assert (emptied.json(), index_of(emptied)) == ([], index_of(deleted))


async def test_when_the_time_is_over_the_answer_is_the_same_with_the_same_index(
    api: httpx.AsyncClient,
) -> None:
    await put(api, HTTP)
    for path, status in (("/v1/config/service-defaults", 200), ("/v1/config/service-router/web", 404)):
        known = await api.get(path)
        start = time.monotonic()
        answer = await api.get(f"{path}?index={index_of(known)}&wait=300ms")
        assert time.monotonic() - start >= 0.3  # it was held
        assert (answer.status_code, answer.content) == (status, known.content)
        assert index_of(answer) == index_of(known)


async def test_an_index_that_the_server_never_had_gets_the_true_one(
    api: httpx.AsyncClient, held: Held
) -> None:
    await put(api, HTTP)
    known = index_of(await api.get("/v1/config/service-defaults"))
    answer = await api.get("/v1/config/service-defaults?index=18446744073709551615&wait=100ms")
    assert index_of(answer) == known
    waiter = asyncio.create_task(api.get("/v1/config/service-defaults?index=1000000&wait=60s"))
    await held()
    await put(api, {**HTTP, "Name": "db"})
    assert known < index_of(await asyncio.wait_for(waiter, 5)) < 1_000_000


async def test_a_chain_is_waited_for_by_all_entries_behind_it(api: httpx.AsyncClient, held: Held) -> None:
    await put(api, HTTP)
    await put(api, {**HTTP, "Name": "db"})
    await put(api, {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 100, "Service": "db"}]})
    changes: list[Change] = [
        lambda api: put(api, {**RESOLVER, "Name": "db"}),
        lambda api: api.delete("/v1/config/service-resolver/db"),
        lambda api: put(api, {"Kind": "proxy-defaults", "Name": "global", "MeshGateway": {"Mode": "local"}}),
        lambda api: api.delete("/v1/config/service-splitter/web"),
        lambda api: put(api, {"Kind": "service-router", "Name": "web"}),
    ]
    for change in changes:
        async with waiting(api, held, "/v1/discovery-chain/web") as answer:
            await change(api)
            assert (await asyncio.wait_for(answer, 5)).status_code == 200


async def test_all_who_wait_for_the_same_are_answered_by_one_write(
    api: httpx.AsyncClient, held: Held
) -> None:
    known = index_of(await api.get("/v1/config/service-defaults"))
    port = api.base_url.port
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", trust_env=False, limits=limits, timeout=20
    ) as many:
        path = f"/v1/config/service-defaults?index={known}&wait=60s"
        tasks = [asyncio.create_task(many.get(path)) for _ in range(50)]
        await held(50)
        await put(api, HTTP)
        answers = await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert {answer.content for answer in answers} == {(await api.get("/v1/config/service-defaults")).content}


async def test_a_caller_who_goes_is_forgotten(api: httpx.AsyncClient, held: Held) -> None:
    async with waiting(api, held, "/v1/config/service-defaults"):
        pass
    await held(0)
    await put(api, HTTP)
    assert len((await api.get("/v1/config/service-defaults")).json()) == 1


async def test_a_server_that_stops_answers_those_who_wait(
    api: httpx.AsyncClient, queries: Queries, held: Held, server: tuple[HttpServer, int]
) -> None:
    async with waiting(api, held, "/v1/config/service-defaults/web") as answer:
        queries.close()
        await server[0].stop()
        assert (await asyncio.wait_for(answer, 5)).status_code == 404


async def test_what_was_written_is_in_the_next_read_with_its_index(api: httpx.AsyncClient) -> None:
    for number in range(1, 30):
        await put(api, {**RESOLVER, "ConnectTimeout": f"{number}s"})
        answer = await api.get("/v1/config/service-resolver/web")
        assert answer.json()["ConnectTimeout"] == f"{number}s"
        assert index_of(answer) == answer.json()["ModifyIndex"]
        assert index_of(await api.get("/v1/discovery-chain/web")) == index_of(answer)


async def test_a_service_is_waited_for_by_its_hash(api: httpx.AsyncClient, held: Held) -> None:
    await register(api, "w")
    path = "/v1/agent/service/w"
    known = await api.get(path)
    assert "X-Consul-Index" not in known.headers
    other = await asyncio.wait_for(api.get(f"{path}?hash=0123456789abcdef&wait=60s"), 5)
    assert other.content == known.content
    waiter = asyncio.create_task(api.get(f"{path}?hash={known.headers['X-Consul-ContentHash']}&wait=60s"))
    await held()
    await register(api, "w", Port=7)
    assert (await asyncio.wait_for(waiter, 5)).json()["Port"] == 7


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("index=x", "Invalid index"),
        ("index=-1", "Invalid index"),
        ("index=1.5", "Invalid index"),
        ("index=%D9%A1", "Invalid index"),
        ("index=18446744073709551616", "Invalid index"),
        ("index=1&wait=10", "Invalid wait time"),
        ("wait=soon", "Invalid wait time"),
        ("index=1&wait=-1s", "Invalid wait time"),
        ("index=1&wait=%00", "Invalid wait time"),
    ],
)
async def test_waits_that_are_none_are_refused(api: httpx.AsyncClient, query: str, text: str) -> None:
    for path in ("config/service-defaults", "catalog/services", "agent/service/w", "discovery-chain/web"):
        answer = await api.get(f"/v1/{path}?{query}")
        assert answer.status_code == 400
        assert text in answer.text
