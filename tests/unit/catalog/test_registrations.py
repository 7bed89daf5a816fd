"""Writes that meet: each is decided against what is there when it is committed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from xdsmesh.catalog.agent_checks import beat, deregister_check, register_check, report
from xdsmesh.catalog.announce import announce
from xdsmesh.catalog.declare import declare
from xdsmesh.catalog.external import register_external
from xdsmesh.catalog.feed import Feed
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_check, decode_definition, decode_service, parse_file
from xdsmesh.config.registration import CatalogRegistration
from xdsmesh.model.catalog import Node
from xdsmesh.model.checks import CheckStatus, Health
from xdsmesh.model.errors import NotFoundError, OwnershipError, RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Conflict, Txn
from xdsmesh.store.memory import MemoryStore

API = Origin(Source.API, "a test")
NODE = Node("n1", "127.0.0.1", "dc1")
Step = Callable[[], Awaitable[Any]]


class Busy(MemoryStore):
    """A store where something else happens between what a write has read and its commit."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Step | None = None

    async def commit(self, txn: Txn, origin: Origin) -> int | Conflict:
        step, self.meanwhile = self.meanwhile, None
        if step:
            await step()
        return await super().commit(txn, origin)


@pytest.fixture
async def busy() -> AsyncIterator[Busy]:
    store = Busy()
    await announce(store, NODE, lambda: "1")
    yield store
    await store.close()


@asynccontextmanager
async def at_work(store: Busy) -> AsyncIterator[Registrations]:
    feed = Feed(store)
    registrations = Registrations(store, NODE, feed)
    task = asyncio.create_task(feed.run())
    yield registrations
    task.cancel()
    await asyncio.wait([task])


@pytest.fixture
async def registrations(busy: Busy) -> AsyncIterator[Registrations]:
    async with at_work(busy) as registrations:
        yield registrations


def service(text: str) -> Any:
    return decode_service(text.encode())


def check(text: str) -> Any:
    return decode_check(text.encode()).check()


WEB = service('{"Name": "web", "Port": 80, "Connect": {"SidecarService": {}}}')
BEAT = check('{"Name": "beat", "ServiceID": "web", "TTL": "10s"}')


async def ids(registrations: Registrations) -> tuple[set[str], set[str]]:
    """The ids of services and of checks, but for the server's own."""
    await registrations.feed.catch_up()
    view = registrations.view
    return (
        {each for _, each in view.instances} - {"consul"},
        {each for _, each in view.checks} - {"serfHealth"},
    )


async def status(registrations: Registrations, check_id: str) -> CheckStatus:
    await registrations.feed.catch_up()
    found = registrations.view.checks[NODE.name, check_id].value
    return CheckStatus(found.status, found.output)


async def test_of_two_registrations_at_once_both_stay(busy: Busy, registrations: Registrations) -> None:
    other = service('{"Name": "db", "Port": 81, "Connect": {"SidecarService": {}}}')
    busy.meanwhile = lambda: registrations.register(other, API)
    await registrations.register(WEB, API)
    await registrations.feed.catch_up()
    sidecars = {
        each: registrations.view.instances[NODE.name, f"{each}-sidecar-proxy"] for each in ("web", "db")
    }
    assert {name: each.value.port for name, each in sidecars.items()} == {"web": 21000, "db": 21001}


async def test_of_two_registrations_of_one_id_the_last_one_stays(
    busy: Busy, registrations: Registrations
) -> None:
    first = service('{"Name": "web", "Port": 1}')
    busy.meanwhile = lambda: registrations.register(first, API)
    await registrations.register(service('{"Name": "web", "Port": 2}'), API)
    await registrations.feed.catch_up()
    assert registrations.view.instances[NODE.name, "web"].value.port == 2


async def test_a_check_goes_that_was_registered_while_its_service_went(
    busy: Busy, registrations: Registrations
) -> None:
    await registrations.register(WEB, API)
    busy.meanwhile = lambda: register_check(registrations, BEAT, API)
    await registrations.deregister("web", API)
    assert await ids(registrations) == (set(), set())
    _, left = await busy.list("status/")
    assert [record.key for record in left] == ["status/n1/serfHealth"]


async def test_a_check_is_refused_whose_service_goes_meanwhile(
    busy: Busy, registrations: Registrations
) -> None:
    await registrations.register(WEB, API)
    busy.meanwhile = lambda: registrations.deregister("web", API)
    with pytest.raises(NotFoundError, match="does not exist"):
        await register_check(registrations, BEAT, API)
    assert await ids(registrations) == (set(), set())


async def test_a_sidecar_goes_that_came_while_its_service_went(
    busy: Busy, registrations: Registrations
) -> None:
    await registrations.register(service('{"Name": "web", "Port": 80}'), API)
    busy.meanwhile = lambda: registrations.register(WEB, API)
    await registrations.deregister("web", API)
    assert await ids(registrations) == (set(), set())


def elsewhere(instance_id: str) -> CatalogRegistration:
    body = """{"Node": "n2", "Address": "10.0.0.2", "Service": {"ID": "%s", "Service": "p", "Port": 1,
        "Kind": "connect-proxy", "Proxy": {"DestinationServiceName": "web"}}}"""
    return decode_definition((body % instance_id).encode(), CatalogRegistration)


async def test_the_id_of_a_proxy_is_taken_also_by_one_that_is_just_being_written(
    busy: Busy, registrations: Registrations
) -> None:
    refused: list[str] = []

    async def meanwhile() -> None:
        with pytest.raises(RefusedError) as error:
            await register_external(registrations, elsewhere("web-sidecar-proxy"), API)
        refused.append(str(error.value))

    busy.meanwhile = meanwhile
    await registrations.register(WEB, API)
    assert "a proxy with the id web-sidecar-proxy is registered on the node n1" in refused[0]
    await registrations.feed.catch_up()
    assert len(registrations.view.instances_with("web-sidecar-proxy")) == 1

    await registrations.deregister("web", API)
    await register_external(registrations, elsewhere("web-sidecar-proxy"), API)
    with pytest.raises(RefusedError, match="on the node n2"):
        await registrations.register(WEB, API)


async def test_an_id_is_free_again_when_its_registration_came_to_nothing(
    busy: Busy, registrations: Registrations
) -> None:
    async def fail() -> None:
        raise OSError("the disk is full")

    busy.meanwhile = fail
    with pytest.raises(OSError, match="full"):
        await registrations.register(WEB, API)
    await register_external(registrations, elsewhere("web-sidecar-proxy"), API)
    other = service('{"Name": "db", "Port": 81, "Connect": {"SidecarService": {}}}')
    _, sidecar = await registrations.register(other, API)
    assert sidecar.port == 21000, "its port is free again too"


EXPIRED = CheckStatus(Health.CRITICAL, "TTL expired")
FINE = CheckStatus(Health.PASSING, "fine")


async def test_who_speaks_just_before_his_time_is_said_to_be_over_has_the_last_word(
    busy: Busy, registrations: Registrations
) -> None:
    await registrations.register(WEB, API)
    await register_check(registrations, BEAT, API)
    busy.meanwhile = lambda: beat(registrations, "beat", FINE)
    await report(registrations, "beat", EXPIRED)
    assert await status(registrations, "beat") == FINE
    await report(registrations, "beat", EXPIRED)
    assert await status(registrations, "beat") == EXPIRED


async def test_an_expiry_is_written_though_the_check_is_registered_meanwhile(
    busy: Busy, registrations: Registrations
) -> None:
    await registrations.register(WEB, API)
    await register_check(registrations, BEAT, API)
    await beat(registrations, "beat", FINE)
    again = check('{"Name": "beat", "ServiceID": "web", "TTL": "10s", "Notes": "new"}')
    busy.meanwhile = lambda: register_check(registrations, again, API)
    await report(registrations, "beat", EXPIRED)
    assert await status(registrations, "beat") == EXPIRED


async def test_a_report_about_a_check_that_is_gone_is_forgotten(
    busy: Busy, registrations: Registrations
) -> None:
    await registrations.register(WEB, API)
    await register_check(registrations, BEAT, API)
    busy.meanwhile = lambda: deregister_check(registrations, "beat", API)
    await report(registrations, "beat", EXPIRED)
    assert "beat" not in (await ids(registrations))[1]
    assert await busy.get("status/n1/beat") is None


async def test_a_check_goes_that_was_registered_while_the_file_of_its_service_went(
    busy: Busy, registrations: Registrations
) -> None:
    repository = Repository(busy, NODE)
    await repository.declare(declare([parse_file("web.hcl", b'service { name = "web" }')]))
    busy.meanwhile = lambda: register_check(registrations, BEAT, API)
    await repository.declare(declare([]))
    assert await ids(registrations) == (set(), set())


async def test_a_file_that_declares_meanwhile_owns_what_it_declares(
    busy: Busy, registrations: Registrations
) -> None:
    file = parse_file("web.hcl", b'service { name = "web" }')
    busy.meanwhile = lambda: Repository(busy, NODE).declare(declare([file]))
    with pytest.raises(OwnershipError, match=r"web\.hcl:1"):
        await registrations.register(WEB, API)
    assert await ids(registrations) == ({"web"}, set())


async def test_nothing_is_kept_of_a_proxy_that_is_registered_again_as_it_is(
    registrations: Registrations,
) -> None:
    for _ in range(2):
        await registrations.register(service('{"Name": "web", "Connect": {"SidecarService": {}}}'), API)
        await registrations.feed.catch_up()
        assert registrations._proxies._promised == {}
