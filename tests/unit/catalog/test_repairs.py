"""What was broken before a write: it stays broken, but it stops nobody, least of all who repairs it."""

from collections.abc import Callable

import pytest

from xdsmesh.catalog.codec import encode_entry
from xdsmesh.catalog.keys import entry_key
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.entry import Entry
from xdsmesh.model.errors import RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Put, Txn

ORIGIN = Origin(Source.API, "a test")
Make = Callable[..., Entry]


async def leave(repository: Repository, *entries: Entry) -> None:
    """Store entries past the checks, as somebody without them did."""
    puts = tuple(Put(entry_key(entry.KIND, entry.name), encode_entry(entry)) for entry in entries)
    await repository.store.commit(Txn(puts), ORIGIN)


async def refused(repository: Repository, entry: Entry) -> list[str]:
    with pytest.raises(RefusedError) as error:
        await repository.put_entry(entry, ORIGIN)
    return [f"{problem.place} {problem.code}" for problem in error.value.problems]


@pytest.fixture
def broken(make: Make) -> tuple[Entry, ...]:
    """A router over tcp, whose second route leads to a subset that does not exist."""
    routes = [{"Destination": {"Service": "api"}}, {"Destination": {"Service": "api", "ServiceSubset": "v9"}}]
    return (make("service-router", "web", Routes=routes),)


async def test_an_unrelated_write_is_accepted(
    repository: Repository, make: Make, broken: tuple[Entry, ...]
) -> None:
    await leave(repository, *broken)

    assert await repository.put_entry(make("service-defaults", "other", Protocol="http"), ORIGIN)
    assert await repository.put_entry(make("proxy-defaults", Mode="direct"), ORIGIN)


async def test_a_write_that_repairs_one_fault_of_several_is_accepted(
    repository: Repository, make: Make, broken: tuple[Entry, ...]
) -> None:
    await leave(repository, *broken)

    assert await repository.put_entry(make("proxy-defaults", Config={"protocol": "http"}), ORIGIN)
    assert await repository.put_entry(make("service-router", "web", Routes=[]), ORIGIN)


async def test_the_broken_entry_can_be_written_again_and_be_deleted(
    repository: Repository, make: Make, broken: tuple[Entry, ...]
) -> None:
    await leave(repository, *broken)

    assert await repository.put_entry(make("service-router", "web", Meta={"a": "b"}), ORIGIN)
    assert await repository.delete_entry("service-router", "web", ORIGIN)


async def test_a_chain_is_not_broken_twice(
    repository: Repository, make: Make, broken: tuple[Entry, ...]
) -> None:
    """Its router is over tcp; that it now also leads to http is a step to somewhere."""
    await leave(repository, *broken)

    assert await repository.put_entry(make("service-defaults", "api", Protocol="http"), ORIGIN)
    assert await repository.put_entry(make("service-defaults", "web", Protocol="http"), ORIGIN)


async def test_a_new_entry_with_a_fault_breaks_its_own_chain(
    repository: Repository, make: Make, broken: tuple[Entry, ...]
) -> None:
    await leave(repository, *broken)

    splitter = make("service-splitter", "api", Splits=[{"Weight": 100, "ServiceSubset": "v9"}])

    assert await refused(repository, splitter) == ["service-splitter/api XM0403"]


async def test_another_chain_that_would_break_is_refused(
    repository: Repository, make: Make, broken: tuple[Entry, ...]
) -> None:
    await leave(repository, *broken)
    await repository.put_entry(make("service-defaults", "shop", Protocol="http"), ORIGIN)
    await repository.put_entry(make("service-defaults", "api", Protocol="http"), ORIGIN)
    await repository.put_entry(
        make("service-router", "shop", Routes=[{"Destination": {"Service": "api"}}]), ORIGIN
    )

    told = await refused(repository, make("service-defaults", "api", Protocol="tcp"))

    assert told == ["service-defaults/api XM0405"]


async def test_permissions_on_a_tcp_service_stop_no_write_about_it(
    repository: Repository, make: Make
) -> None:
    permissions = [{"Action": "allow", "HTTP": {"PathPrefix": "/"}}]
    sources = [{"Name": "web", "Permissions": permissions}]
    await leave(repository, make("service-intentions", "api", Sources=sources))

    assert await repository.put_entry(make("service-resolver", "api", ConnectTimeout="1s"), ORIGIN)
    assert await repository.put_entry(
        make("service-intentions", "api", Sources=sources, Meta={"a": "b"}), ORIGIN
    )
    assert await repository.put_entry(make("service-defaults", "api", Protocol="http"), ORIGIN)


async def test_a_chain_is_repaired_under_intentions_that_need_http(
    repository: Repository, make: Make
) -> None:
    sources = [{"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {"PathPrefix": "/"}}]}]
    splitter = make("service-splitter", "api", Splits=[{"Weight": 100}])
    await leave(repository, make("service-intentions", "api", Sources=sources), splitter)

    assert await repository.delete_entry("service-splitter", "api", ORIGIN)


async def test_a_missing_provider_stops_nobody_but_who_names_another_one(
    repository: Repository, make: Make
) -> None:
    def intentions(*providers: str) -> Entry:
        jwt = {"Providers": [{"Name": name} for name in providers]}
        return make("service-intentions", "api", JWT=jwt, Sources=[{"Name": "web", "Action": "allow"}])

    await leave(repository, intentions("gone"))

    assert await repository.put_entry(make("service-defaults", "api", Protocol="http"), ORIGIN)
    assert await refused(repository, intentions("gone", "neither")) == ["service-intentions/api XM0412"]


async def test_gateways_that_share_a_name_can_be_told_apart_again(repository: Repository, make: Make) -> None:
    listeners = [{"Port": 80, "Services": [{"Name": "web"}]}]
    ingress = make("ingress-gateway", "gw", Listeners=listeners)
    await leave(repository, ingress, make("terminating-gateway", "gw", Services=[{"Name": "db"}]))

    assert await repository.put_entry(make("service-defaults", "web"), ORIGIN)
    assert await repository.delete_entry("ingress-gateway", "gw", ORIGIN)
    assert await refused(repository, ingress) == ["ingress-gateway/gw XM0410"]


async def test_a_listener_that_never_fit_stops_no_write_of_another_one(
    repository: Repository, make: Make
) -> None:
    def gateway(*ports: int) -> Entry:
        listeners = [{"Port": port, "Protocol": "http", "Services": [{"Name": "web"}]} for port in ports]
        return make("ingress-gateway", "gw", Listeners=listeners)

    await leave(repository, gateway(80))

    assert await repository.put_entry(make("service-resolver", "web", ConnectTimeout="1s"), ORIGIN)
    assert await refused(repository, gateway(80, 81)) == ["ingress-gateway/gw XM0409"]
    assert await repository.put_entry(make("service-defaults", "web", Protocol="http"), ORIGIN)


async def test_an_export_that_leaves_the_datacenter_stops_no_write_about_the_service(
    repository: Repository, make: Make
) -> None:
    services = [{"Name": "*", "Consumers": [{"Peer": "p"}]}]
    away = make("service-resolver", "main", Redirect={"Datacenter": "dc2"})
    await leave(repository, make("exported-services", "default", Services=services), away)

    assert await repository.put_entry(make("service-defaults", "main", Protocol="http"), ORIGIN)
    further = make("service-resolver", "main", Redirect={"Datacenter": "dc3"})
    assert await refused(repository, further) == ["service-resolver/main XM0414"]
    assert await repository.delete_entry("service-resolver", "main", ORIGIN)
