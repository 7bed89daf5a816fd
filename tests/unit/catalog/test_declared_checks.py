"""Checks that stand by themselves in files, and what the API adds to what files declare."""

import pytest

from xdsmesh.catalog import codec, keys
from xdsmesh.catalog.declare import declare
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_check, parse_file
from xdsmesh.model.checks import Check, CheckStatus, CheckType, Health
from xdsmesh.model.errors import RefusedError
from xdsmesh.model.origin import PROBER, Origin, Source
from xdsmesh.store.base import Put, Txn

NODE = "node-1"
API = Origin(Source.API, "a test")
WEB = 'service {\n  name = "web"\n  check { ttl = "10s" }\n  connect { sidecar_service {} }\n}\n'
DISK = 'check {\n  id = "disk"\n  name = "how full"\n  ttl = "10s"\n}\n'


def of(service_id: str, check_id: str = "own") -> str:
    return f'check {{\n  id = "{check_id}"\n  name = "c"\n  service_id = "{service_id}"\n  ttl = "10s"\n}}\n'


async def load(repository: Repository, **files: str) -> None:
    parsed = (parse_file(f"{name}.hcl", text.encode()) for name, text in files.items())
    await repository.declare(declare(parsed))


async def refused(repository: Repository, **files: str) -> list[str]:
    before = await repository.store.list("")
    with pytest.raises(RefusedError) as error:
        await load(repository, **files)
    assert await repository.store.list("") == before
    return [str(problem) for problem in error.value.problems]


async def checks(repository: Repository) -> dict[str, Check]:
    _, records = await repository.store.list(keys.CHECKS)
    return {check.id: check for check in (codec.decode_check(record.value) for record in records)}


async def say(repository: Repository, check_id: str) -> None:
    """Say that a check passes, as its prober would."""
    value = codec.encode_status(CheckStatus(Health.PASSING, "fine"))
    await repository.store.commit(Txn((Put(keys.status_key(NODE, check_id), value),)), PROBER)


async def said(repository: Repository, check_id: str) -> CheckStatus | None:
    record = await repository.store.get(keys.status_key(NODE, check_id))
    return codec.decode_status(record.value) if record else None


async def test_checks_by_themselves_are_of_a_service_or_of_the_node(repository: Repository) -> None:
    await load(repository, web=WEB, more=f"{DISK}\n{of('web')}\n{of('web-sidecar-proxy', 'beside')}")
    found = await checks(repository)
    assert {each: (found[each].node, found[each].service_id) for each in ("disk", "own", "beside")} == {
        "disk": (NODE, ""),
        "own": (NODE, "web"),
        "beside": (NODE, "web-sidecar-proxy"),
    }
    assert (found["disk"].name, found["disk"].type) == ("how full", CheckType.TTL)
    assert await said(repository, "disk") == CheckStatus(Health.CRITICAL)
    record = await repository.store.get(keys.check_key(NODE, "own"))
    assert record
    assert (record.origin.source, record.origin.where, record.origin.line) == (Source.FILE, "more.hcl", 7)


async def test_a_list_of_checks_is_as_good(repository: Repository) -> None:
    text = 'checks = [{ id = "a", name = "a", ttl = "1s" }, { name = "b", status = "passing", ttl = "1s" }]'
    await load(repository, checks=text)
    assert set(await checks(repository)) == {"a", "b"}
    assert await said(repository, "b") == CheckStatus(Health.PASSING)


async def test_a_check_of_a_service_that_no_file_declares_is_refused_with_its_place(
    repository: Repository,
) -> None:
    (problem,) = await refused(repository, web=WEB, more=DISK + of("api"))
    assert problem.startswith('more.hcl:6:1: XM0305 the check own is of "api", which no file declares')


async def test_a_service_that_is_wrong_is_not_called_unknown(repository: Repository) -> None:
    problems = await refused(repository, web=WEB.replace("ttl", "tll"), more=of("web"))
    assert [problem for problem in problems if not problem.startswith("web.hcl:3:")] == []


@pytest.mark.parametrize("check_id", ["service:web", "service:web-sidecar-proxy:1"])
async def test_ids_of_checks_are_given_once_also_to_those_of_services(
    repository: Repository, check_id: str
) -> None:
    (problem,) = await refused(repository, web=WEB, more=of("web", check_id))
    assert problem.startswith("more.hcl:1:1: XM0408 ")
    assert check_id in problem
    assert "web.hcl:1:1" in problem


async def test_two_files_with_the_same_check_are_refused_with_both_places(repository: Repository) -> None:
    (problem,) = await refused(repository, a=DISK, b=f"\n{DISK}")
    assert problem.startswith("b.hcl:2:1: XM0408 check disk is declared twice")
    assert "a.hcl:1:1" in problem


async def test_a_check_keeps_what_it_said_while_its_files_change(repository: Repository) -> None:
    await load(repository, web=WEB, more=DISK + of("web"))
    for check_id in ("service:web", "disk", "own"):
        await say(repository, check_id)
    db = 'service { name = "db" }\n'
    await load(repository, db=db, other=DISK.replace("10s", "20s") + of("db"))
    found = await checks(repository)
    assert set(found) == {"disk", "own"}
    assert found["own"].service_id == "db"
    for check_id in ("disk", "own"):
        assert await said(repository, check_id) == CheckStatus(Health.PASSING, "fine"), check_id
    assert await said(repository, "service:web") is None


async def test_what_the_api_added_goes_with_a_service_and_stays_with_the_others(
    repository: Repository,
) -> None:
    db = 'service { name = "db" }\n'
    await load(repository, web=WEB, db=db)
    puts = []
    for check_id, service_id in (("a", "web"), ("b", "db"), ("c", "")):
        check = Check(check_id, check_id, service_id=service_id, node=NODE, type=CheckType.TTL)
        puts.append(Put(keys.check_key(NODE, check_id), codec.encode_check(check)))
    await repository.store.commit(Txn(tuple(puts)), API)
    for check_id in "abc":
        await say(repository, check_id)
    await load(repository, db=db)
    assert set(await checks(repository)) == {"b", "c"}
    assert await said(repository, "a") is None
    assert await said(repository, "b") == CheckStatus(Health.PASSING, "fine")


async def test_a_check_that_the_api_has_registered_is_not_a_files(repository: Repository) -> None:
    check = decode_check(b'{"Name": "disk", "TTL": "1s"}').check()
    put = Put(keys.check_key(NODE, "disk"), codec.encode_check(check))
    await repository.store.commit(Txn((put,)), API)
    (problem,) = await refused(repository, more=DISK)
    assert problem.startswith("more.hcl:1:1: XM0501 check disk was written through the API")


async def test_the_id_of_a_proxy_on_another_node_is_refused_with_its_place(repository: Repository) -> None:
    await load(repository, web=WEB)
    record = await repository.store.get(keys.instance_key(NODE, "web-sidecar-proxy"))
    assert record
    await load(repository)
    other = record.value.replace(b'"name":"node-1"', b'"name":"other"')
    put = Put(keys.instance_key("other", "web-sidecar-proxy"), other)
    await repository.store.commit(Txn((put,)), API)
    (problem,) = await refused(repository, web=WEB)
    assert problem.startswith("web.hcl:1:1: ")
    assert "a proxy with the id web-sidecar-proxy is registered on the node other" in problem


async def test_a_check_that_nobody_makes_says_what_its_file_says(repository: Repository) -> None:
    disk = 'check {\n  id = "disk"\n  name = "how full"\n  status = "passing"\n}\n'
    await load(repository, more=disk)
    assert await said(repository, "disk") == CheckStatus(Health.PASSING)
    await load(repository, more=disk.replace("passing", "critical"))
    assert await said(repository, "disk") == CheckStatus(Health.CRITICAL)
    before = await repository.store.list("")
    await load(repository, more=disk.replace("passing", "critical"))
    assert await repository.store.list("") == before
