"""Which chains a change can touch."""

from xdsmesh.chain.affected import affected_chains
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import Failover, FailoverTarget, Redirect, ServiceResolver
from xdsmesh.config.kinds.service_router import Destination, Route, ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split

WAY: tuple[Entry, ...] = (
    ServiceRouter(name="web", routes=[Route(destination=Destination(service="admin"))]),
    ServiceSplitter(name="admin", splits=[Split(weight=100, service="store")]),
    ServiceResolver(name="store", redirect=Redirect(service="disk")),
    ServiceDefaults(name="alone", protocol="http"),
)


def affected(*changed: tuple[str, str], entries: tuple[Entry, ...] = WAY) -> set[str]:
    return set(affected_chains(changed, {(entry.KIND, entry.name): entry for entry in entries}))


def test_a_change_touches_the_services_that_lead_there_over_any_number_of_entries() -> None:
    assert affected(("service-defaults", "disk")) == {"disk", "store", "admin", "web"}
    assert affected(("service-splitter", "admin")) == {"admin", "web"}


def test_a_change_leaves_the_services_behind_it_alone() -> None:
    assert affected(("service-router", "web")) == {"web"}


def test_several_changes_touch_what_each_of_them_does() -> None:
    assert affected(("service-router", "web"), ("service-defaults", "alone")) == {"web", "alone"}


def test_proxy_defaults_touch_every_service_that_entries_know() -> None:
    assert affected(("proxy-defaults", "global")) == {"web", "admin", "store", "disk", "alone"}


def test_proxy_defaults_are_no_service_themselves() -> None:
    assert affected(("proxy-defaults", "global"), entries=(ProxyDefaults(name="global"),)) == set()


def test_services_that_name_each_other_are_all_touched_once() -> None:
    circle = (
        ServiceResolver(name="a", redirect=Redirect(service="b")),
        ServiceResolver(name="b", redirect=Redirect(service="a")),
    )
    assert affected(("service-defaults", "a"), entries=circle) == {"a", "b"}


def test_what_stands_in_for_a_service_touches_it() -> None:
    entries = (
        ServiceResolver(name="web", failover={"v1": Failover(service="spare")}),
        ServiceResolver(name="db", failover={"*": Failover(targets=[FailoverTarget("copy", peer="p1")])}),
        ServiceSplitter(name="shop", splits=[Split(weight=100, service="web")]),
    )
    assert affected(("service-defaults", "spare"), entries=entries) == {"spare", "web", "shop"}
    assert affected(("service-resolver", "copy"), entries=entries) == {"copy", "db"}
    everything = {"web", "spare", "db", "copy", "shop"}
    assert affected(("proxy-defaults", "global"), entries=entries) == everything


def test_nothing_changed_touches_nothing() -> None:
    assert affected() == set()
