"""Writes and deletions of entries that hang on the revision of the last change."""

import asyncio
from collections.abc import Callable

import pytest

from xdsmesh.catalog.repository import Repository
from xdsmesh.config.entry import Entry
from xdsmesh.model.errors import OwnershipError
from xdsmesh.model.origin import Origin, Source

API = Origin(Source.API, "a test")
FILE = Origin(Source.FILE, "mesh/web.hcl", 3, 1)
Make = Callable[..., Entry]


async def modified(repository: Repository) -> int:
    stored = await repository.entry("service-defaults", "web")
    assert stored
    return stored.modified


async def test_zero_creates_and_nothing_else(repository: Repository, make: Make) -> None:
    assert await repository.put_entry(make("service-defaults", "web"), API, cas=0)
    assert not await repository.put_entry(make("service-defaults", "web", Protocol="http"), API, cas=0)


async def test_only_the_latest_revision_replaces(repository: Repository, make: Make) -> None:
    await repository.put_entry(make("service-defaults", "web"), API)
    first = await modified(repository)

    assert await repository.put_entry(make("service-defaults", "web", Protocol="http"), API, cas=first)
    assert not await repository.put_entry(make("service-defaults", "web", Protocol="grpc"), API, cas=first)
    assert not await repository.put_entry(make("service-defaults", "db"), API, cas=first)
    stored = await repository.entry("service-defaults", "web")
    assert stored
    assert stored.value == make("service-defaults", "web", Protocol="http")
    assert stored.created == first


@pytest.mark.parametrize("cas", [None, 0, 1, 99])
async def test_an_equal_entry_is_not_written_again_whatever_the_revision(
    repository: Repository, make: Make, cas: int | None
) -> None:
    await repository.put_entry(make("service-defaults", "web"), API)
    before = await repository.entries()

    assert await repository.put_entry(make("service-defaults", "web"), API, cas)
    assert await repository.entries() == before


async def test_of_many_writers_with_one_revision_one_wins(repository: Repository, make: Make) -> None:
    await repository.put_entry(make("service-defaults", "web"), API)
    first = await modified(repository)
    entries = [make("service-defaults", "web", Meta={"writer": str(number)}) for number in range(10)]

    won = await asyncio.gather(*(repository.put_entry(entry, API, first) for entry in entries))

    assert sum(won) == 1


async def test_writers_without_a_revision_all_win(repository: Repository, make: Make) -> None:
    entries = [make("service-defaults", f"web-{number}") for number in range(10)]

    assert all(await asyncio.gather(*(repository.put_entry(entry, API) for entry in entries)))
    assert len((await repository.entries())[1]) == len(entries)


async def test_deletion(repository: Repository, make: Make) -> None:
    await repository.put_entry(make("service-defaults", "web"), API)

    assert not await repository.delete_entry("service-defaults", "web", API, cas=0)
    assert not await repository.delete_entry("service-defaults", "web", API, cas=99)
    assert await repository.delete_entry("service-defaults", "web", API, cas=await modified(repository))
    assert await repository.entry("service-defaults", "web") is None


@pytest.mark.parametrize("cas", [None, 0, 7])
async def test_deleting_what_is_absent_is_done(repository: Repository, cas: int | None) -> None:
    assert await repository.delete_entry("service-defaults", "web", API, cas)
    assert (await repository.entries())[0] == 0


async def test_what_a_file_declares_is_its_own(repository: Repository, make: Make) -> None:
    await repository.put_entry(make("service-defaults", "web"), FILE)

    with pytest.raises(OwnershipError, match=r"XM0501 service-defaults/web is declared in mesh/web\.hcl:3:1"):
        await repository.put_entry(make("service-defaults", "web", Protocol="http"), API)
    with pytest.raises(OwnershipError, match="XM0501"):
        await repository.delete_entry("service-defaults", "web", API)


async def test_writers_see_what_others_wrote_to_the_store(repository: Repository, make: Make) -> None:
    """What was decoded for one write is not taken for the truth by the next one."""
    other = Repository(repository.store, repository.node)
    await repository.put_entry(make("service-defaults", "web", Protocol="http"), API)
    await other.put_entry(make("service-router", "web"), API)
    await other.delete_entry("service-router", "web", API)
    await other.put_entry(make("service-defaults", "web", Protocol="tcp"), API)

    assert (await repository.entries())[1] == (await other.entries())[1]
    stored = await repository.entry("service-defaults", "web")
    assert stored
    assert stored.value == make("service-defaults", "web", Protocol="tcp")
