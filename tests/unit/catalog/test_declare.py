"""Files judged against what the API wrote, and the other way round."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from xdsmesh.catalog.codec import encode_federated
from xdsmesh.catalog.declare import declare
from xdsmesh.catalog.keys import MEMBERSHIP
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import parse_file
from xdsmesh.model.errors import RefusedError
from xdsmesh.model.federation import Membership
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Put, Txn

API = Origin(Source.API, "a test")
HTTP = 'Kind = "service-defaults"\nName = "web"\nProtocol = "http"\n'
ROUTER = '\nKind = "service-router"\nName = "web"\n'
Make = Callable[..., Entry]


async def load(repository: Repository, **files: str) -> None:
    await repository.declare(
        declare(parse_file(f"{name}.hcl", text.encode()) for name, text in files.items())
    )


async def refused(repository: Repository, **files: str) -> list[str]:
    with pytest.raises(RefusedError) as error:
        await load(repository, **files)
    return [str(problem) for problem in error.value.problems]


async def test_files_that_need_each_other_are_written_together(repository: Repository) -> None:
    await load(repository, router=ROUTER, defaults=HTTP)

    assert len((await repository.entries())[1]) == 2


async def test_a_problem_stands_at_the_entry_that_can_no_longer_be(repository: Repository) -> None:
    await load(repository, router=ROUTER, defaults=HTTP)
    before = await repository.entries()

    (problem,) = await refused(repository, router=ROUTER)

    assert problem.startswith('router.hcl:2:1: XM0406 chain "web": service-router "web" is in use')
    assert await repository.entries() == before


async def test_a_secondary_refuses_entries_in_its_files_and_takes_services(repository: Repository) -> None:
    joined = encode_federated(Membership("dc1", datetime.now(UTC)))
    await repository.store.commit(Txn((Put(MEMBERSHIP, joined),)), Origin(Source.SERVER, "a test"))

    (problem,) = await refused(repository, defaults=HTTP, web='service { name = "web" }')

    assert problem.startswith("defaults.hcl:1:1: ")
    assert "service-defaults/web can't be declared here: the primary datacenter, dc1, has all" in problem
    assert "(move it to the config folder of dc1" in problem
    await load(repository, web='service { name = "web" }')


async def test_what_the_api_wrote_is_not_broken_by_a_file_that_goes(
    repository: Repository, make: Make
) -> None:
    await load(repository, defaults=HTTP)
    await repository.put_entry(make("service-router", "web"), API)

    (problem,) = await refused(repository)

    assert problem.startswith('service-router/web: XM0406 chain "web"')


async def test_what_a_file_declares_is_not_broken_through_the_api(repository: Repository, make: Make) -> None:
    await repository.put_entry(make("service-defaults", "web", Protocol="http"), API)
    await load(repository, router=ROUTER)

    with pytest.raises(RefusedError, match="XM0406"):
        await repository.put_entry(make("service-defaults", "web", Protocol="tcp"), API)
    with pytest.raises(RefusedError, match="XM0406"):
        await repository.delete_entry("service-defaults", "web", API)


async def test_two_files_that_declare_the_same_are_refused_with_both_places(repository: Repository) -> None:
    assert await refused(repository, a=HTTP, b=f"\n{HTTP}") == [
        "b.hcl:2:1: XM0408 service-defaults/web is declared twice (the other one is at a.hcl:1:1)"
    ]
