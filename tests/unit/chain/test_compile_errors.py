"""A chain that can't be compiled says why, and which entry to look at."""

from collections.abc import Callable

import pytest

from xdsmesh.chain.types import ChainError, CompiledChain, ErrorCode
from xdsmesh.config.kinds.proxy_defaults import ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import (
    Failover,
    FailoverTarget,
    Redirect,
    ServiceResolver,
    Subset,
)
from xdsmesh.config.kinds.service_router import Destination, Route, ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split

HTTP = ProxyDefaults(name="global", config=ProxyConfig(protocol="http"))

Refused = Callable[..., ChainError]


def to(service: str = "", subset: str = "") -> Route:
    return Route(destination=Destination(service=service, service_subset=subset))


def test_a_missing_subset_names_the_route_and_what_there_is(refused: Refused) -> None:
    error = refused(
        "web",
        HTTP,
        ServiceRouter(name="web", routes=[to(), to("admin", "v3")]),
        ServiceResolver(name="admin", subsets={"v2": Subset(), "v1": Subset()}),
    )
    assert (error.code, error.kind, error.name) == (ErrorCode.MISSING_SUBSET, "service-router", "web")
    assert error.message == (
        'chain "web": Routes[1] of service-router "web" leads to subset "v3" of "admin", but '
        'service-resolver "admin" defines only "v1", "v2": '
        "add it to that resolver's Subsets, or name another one"
    )


def test_a_subset_that_a_datacenter_redirect_keeps_is_blamed_on_who_asked_for_it(refused: Refused) -> None:
    error = refused(
        "web",
        HTTP,
        ServiceSplitter(name="web", splits=[Split(weight=100, service="admin", service_subset="v3")]),
        ServiceResolver(name="admin", redirect=Redirect(datacenter="dc2")),
    )
    assert (error.kind, error.name) == ("service-splitter", "web")
    assert 'service-resolver "admin" defines no subsets' in error.message


def test_a_subset_without_any_resolver(refused: Refused) -> None:
    error = refused(
        "web", ServiceResolver(name="web", redirect=Redirect(service="admin", service_subset="v1"))
    )
    assert (error.code, error.kind, error.name) == (ErrorCode.MISSING_SUBSET, "service-resolver", "web")
    assert 'Redirect of service-resolver "web"' in error.message
    assert '"admin" has no service-resolver' in error.message


def test_redirects_in_a_circle(refused: Refused) -> None:
    error = refused(
        "web",
        ServiceResolver(name="web", redirect=Redirect(service="a")),
        ServiceResolver(name="a", redirect=Redirect(service="b")),
        ServiceResolver(name="b", redirect=Redirect(service="a")),
    )
    assert (error.code, error.kind, error.name) == (ErrorCode.CIRCULAR_REDIRECT, "service-resolver", "b")
    assert "a.default.default.dc1 -> b.default.default.dc1 -> a.default.default.dc1:" in error.message
    assert "web.default" not in error.message


def test_redirects_over_a_peer_in_a_circle(refused: Refused) -> None:
    error = refused(
        "web",
        ServiceResolver(name="web", redirect=Redirect(service="a", peer="p1")),
        ServiceResolver(name="a", redirect=Redirect(service="web")),
    )
    assert (error.code, error.name) == (ErrorCode.CIRCULAR_REDIRECT, "a")
    assert "web.default.default.dc1 -> a.default.default.external.p1 -> web.default" in error.message


@pytest.mark.parametrize(
    ("failover", "where"),
    [
        (Failover(service="spare", service_subset="v9"), 'Failover["v1"] of'),
        (
            Failover(service="spare", service_subset="v9", datacenters=["dc1", "dc2"]),
            'Failover["v1"].Datacenters[0] of',
        ),
        (
            Failover(targets=[FailoverTarget(datacenter="dc2"), FailoverTarget("spare", "v9")]),
            'Failover["v1"].Targets[1] of',
        ),
    ],
)
def test_what_is_wrong_behind_a_failover_names_the_alternative(
    refused: Refused, failover: Failover, where: str
) -> None:
    resolver = ServiceResolver(
        name="web", default_subset="v1", subsets={"v1": Subset()}, failover={"v1": failover}
    )
    error = refused("web", resolver, ServiceResolver(name="spare", subsets={"v2": Subset()}))
    assert (error.code, error.kind, error.name) == (ErrorCode.MISSING_SUBSET, "service-resolver", "web")
    assert f'{where} service-resolver "web" leads to subset "v9" of "spare"' in error.message


def test_a_service_outside_the_mesh_names_all_that_it_may_not_have(refused: Refused) -> None:
    error = refused(
        "web",
        ServiceResolver(name="web", redirect=Redirect(service="out")),
        ServiceDefaults(name="out", external_sni="example.com"),
        ServiceResolver(name="out", subsets={"v1": Subset()}, failover={"*": Failover(service="web")}),
    )
    assert (error.code, error.kind, error.name) == (ErrorCode.EXTERNAL_SNI, "service-resolver", "out")
    assert 'service-resolver "out" has Subsets and Failover' in error.message
    assert "remove Subsets and Failover, or ExternalSNI" in error.message


def test_splitters_in_a_circle(refused: Refused) -> None:
    error = refused(
        "web",
        HTTP,
        ServiceRouter(name="web", routes=[to("a")]),
        ServiceSplitter(name="a", splits=[Split(weight=100, service="b")]),
        ServiceSplitter(name="b", splits=[Split(weight=50), Split(weight=50, service="a")]),
    )
    assert (error.code, error.kind, error.name) == (ErrorCode.CIRCULAR_REFERENCE, "service-splitter", "b")
    assert 'Splits[1] of service-splitter "b" leads in a circle, a -> b -> a' in error.message


def test_advanced_routing_on_tcp_says_how_to_set_the_protocol(refused: Refused) -> None:
    error = refused("web", ServiceRouter(name="web"))
    assert (error.code, error.kind, error.name) == (ErrorCode.L4_ADVANCED_ROUTING, "service-router", "web")
    assert error.message == (
        'chain "web": service-router "web" is in use, but the protocol of "web", tcp (no service-defaults or '
        "proxy-defaults set one), does not permit advanced routing: set it to http, http2 or grpc "
        'by service-defaults "web" or proxy-defaults'
    )


def test_a_splitter_on_tcp_names_the_service_whose_protocol_it_is(refused: Refused) -> None:
    error = refused(
        "web",
        ServiceDefaults(name="web", protocol="http"),
        ServiceDefaults(name="other"),
        ServiceSplitter(name="web", splits=[Split(weight=100, service="other")]),
    )
    assert (error.code, error.kind, error.name) == (ErrorCode.L4_ADVANCED_ROUTING, "service-splitter", "web")
    assert 'the protocol of "other", tcp (service-defaults "other" sets no protocol)' in error.message


def test_different_protocols_name_both_services_and_their_reasons(refused: Refused) -> None:
    error = refused(
        "web",
        HTTP,
        ServiceDefaults(name="admin", protocol="http2"),
        ServiceRouter(name="web", routes=[to("admin")]),
    )
    assert error.code == ErrorCode.INCONSISTENT_PROTOCOLS
    assert (error.kind, error.name) == ("service-defaults", "admin")
    assert error.message.startswith(
        'chain "web": Routes[0] of service-router "web" leads to "admin", whose protocol is '
        'http2 (service-defaults "admin" says so), but the chain\'s is that of "web", '
        "http (proxy-defaults say so): give both the same protocol"
    )


def test_the_protocol_of_a_service_that_a_redirect_passes_counts(refused: Refused) -> None:
    error = refused(
        "web",
        ServiceDefaults(name="middle", protocol="http"),
        ServiceResolver(name="web", redirect=Redirect(service="middle")),
        ServiceResolver(name="middle", redirect=Redirect(service="last")),
    )
    assert (error.code, error.kind, error.name) == (
        ErrorCode.INCONSISTENT_PROTOCOLS,
        "service-defaults",
        "middle",
    )


def test_where_the_odd_one_has_no_service_defaults_the_entry_that_leads_there_is_named(
    refused: Refused,
) -> None:
    error = refused(
        "web",
        ServiceDefaults(name="web", protocol="http"),
        ServiceRouter(name="web", routes=[to("admin")]),
    )
    assert (error.kind, error.name) == ("service-router", "web")


def test_splitters_that_multiply_without_end_are_refused(refused: Refused) -> None:
    def doubling(level: int) -> list[ServiceSplitter]:
        halves = [Split(weight=50, service=f"{side}{level + 1}") for side in "ab"]
        return [ServiceSplitter(name=f"{side}{level}", splits=halves) for side in "ab"]

    error = refused("a0", HTTP, *(splitter for level in range(30) for splitter in doubling(level)))
    assert (error.code, error.kind) == (ErrorCode.INPUT, "service-splitter")
    assert "1000 are allowed" in error.message


def test_splitters_behind_each_other_without_end_are_refused(refused: Refused) -> None:
    row = [
        ServiceSplitter(name=f"s{n}", splits=[Split(weight=100, service=f"s{n + 1}")]) for n in range(3000)
    ]
    error = refused("s0", HTTP, *row)
    assert (error.code, error.name) == (ErrorCode.INPUT, "s64")


def test_another_chain_through_the_same_services_still_compiles(
    refused: Refused, compiled: Callable[..., CompiledChain]
) -> None:
    entries = (HTTP, ServiceRouter(name="web", routes=[to("admin", "v9")]))
    refused("web", *entries)
    assert compiled("admin", *entries).default
