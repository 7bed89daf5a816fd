"""The rules of routers, splitters and resolvers that the golden cases don't show."""

from collections.abc import Callable

import pytest

from xdsmesh.chain.types import CompiledChain, ResolverNode, RouterNode, SplitterNode
from xdsmesh.config.kinds.proxy_defaults import ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import Redirect, ServiceResolver, Subset
from xdsmesh.config.kinds.service_router import Destination, HTTPMatch, Match, Route, ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split
from xdsmesh.config.parts.headers import HeaderModifiers
from xdsmesh.model.duration import Duration

HTTP = ProxyDefaults(name="global", config=ProxyConfig(protocol="http"))
DC1 = "default.default.dc1"

Compiled = Callable[..., CompiledChain]


def route(prefix: str, service: str = "", subset: str = "") -> Route:
    match = Match(http=HTTPMatch(path_prefix=prefix))
    return Route(match=match, destination=Destination(service=service, service_subset=subset))


def routes_of(chain: CompiledChain) -> list[tuple[str, str]]:
    node = chain.nodes[chain.start]
    assert isinstance(node, RouterNode)
    return [(item.match.path_prefix if item.match else "", item.next) for item in node.routes]


def legs_of(chain: CompiledChain) -> list[tuple[int, str]]:
    node = chain.nodes[chain.start]
    assert isinstance(node, SplitterNode)
    return [(split.weight, split.next) for split in node.splits]


def resolver_of(chain: CompiledChain, key: str = "") -> ResolverNode:
    node = chain.nodes[key or chain.start]
    assert isinstance(node, ResolverNode)
    return node


class TestRouter:
    def test_the_implied_route_stands_behind_a_route_for_everything(self, compiled: Compiled) -> None:
        chain = compiled("main", HTTP, ServiceRouter(name="main", routes=[route("/", "other")]))
        assert routes_of(chain) == [("/", f"resolver:other.{DC1}"), ("/", f"resolver:main.{DC1}")]

    def test_a_route_without_a_match_stays_without_one(self, compiled: Compiled) -> None:
        chain = compiled("main", HTTP, ServiceRouter(name="main", routes=[Route(), Route(match=Match())]))
        assert [prefix for prefix, _ in routes_of(chain)] == ["", "", "/"]

    def test_a_route_without_a_destination_goes_to_the_own_service(self, compiled: Compiled) -> None:
        chain = compiled("main", HTTP, ServiceRouter(name="main", routes=[Route()]))
        node = chain.nodes[chain.start]
        assert isinstance(node, RouterNode)
        assert [item.destination.service for item in node.routes] == ["main", "main"]

    def test_a_destination_keeps_all_that_it_says(self, compiled: Compiled) -> None:
        destination = Destination(service="other", prefix_rewrite="/", num_retries=3)
        router = ServiceRouter(name="main", routes=[Route(destination=destination)])
        node = compiled("main", HTTP, router).nodes["router:main.default.default"]
        assert isinstance(node, RouterNode)
        assert node.routes[0].destination == destination

    def test_routers_of_destinations_are_ignored(self, compiled: Compiled) -> None:
        chain = compiled(
            "main",
            HTTP,
            ServiceRouter(name="main", routes=[route("/a", "other")]),
            ServiceRouter(name="other", routes=[route("/b", "third")]),
        )
        assert routes_of(chain)[0] == ("/a", f"resolver:other.{DC1}")
        assert set(chain.targets) == {f"other.{DC1}", f"main.{DC1}"}

    def test_a_route_goes_through_the_splitter_of_its_service(self, compiled: Compiled) -> None:
        chain = compiled(
            "main",
            HTTP,
            ServiceRouter(name="main", routes=[route("/a", "other")]),
            ServiceSplitter(name="other", splits=[Split(weight=100, service="third")]),
        )
        assert routes_of(chain)[0] == ("/a", "splitter:other.default.default")

    def test_a_route_to_a_subset_passes_the_splitter_by(self, compiled: Compiled) -> None:
        chain = compiled(
            "main",
            HTTP,
            ServiceRouter(name="main", routes=[route("/a", subset="v1")]),
            ServiceSplitter(name="main", splits=[Split(weight=100, service="other")]),
            ServiceResolver(name="main", subsets={"v1": Subset()}),
        )
        assert routes_of(chain) == [
            ("/a", f"resolver:v1.main.{DC1}"),
            ("/", "splitter:main.default.default"),
        ]

    def test_a_splitter_that_a_route_and_a_split_lead_to_is_both_a_node_and_flattened(
        self, compiled: Compiled
    ) -> None:
        chain = compiled(
            "main",
            HTTP,
            ServiceRouter(name="main", routes=[route("/a", "inner")]),
            ServiceSplitter(name="main", splits=[Split(weight=100, service="inner")]),
            ServiceSplitter(name="inner", splits=[Split(weight=100, service="last")]),
        )
        outer = chain.nodes["splitter:main.default.default"]
        assert isinstance(outer, SplitterNode)
        assert [split.next for split in outer.splits] == [f"resolver:last.{DC1}"]
        assert "splitter:inner.default.default" in chain.nodes


class TestSplitter:
    def test_a_split_of_its_own_service_is_not_split_again(self, compiled: Compiled) -> None:
        splits = [Split(weight=50), Split(weight=50, service="other")]
        chain = compiled("main", HTTP, ServiceSplitter(name="main", splits=splits))
        assert legs_of(chain) == [(5000, f"resolver:main.{DC1}"), (5000, f"resolver:other.{DC1}")]

    def test_a_split_to_a_subset_passes_the_next_splitter_by(self, compiled: Compiled) -> None:
        chain = compiled(
            "main",
            HTTP,
            ServiceSplitter(name="main", splits=[Split(weight=100, service="other", service_subset="v1")]),
            ServiceSplitter(name="other", splits=[Split(weight=100, service="third")]),
            ServiceResolver(name="other", subsets={"v1": Subset()}),
        )
        assert legs_of(chain) == [(10000, f"resolver:v1.other.{DC1}")]

    @pytest.mark.parametrize(
        ("outer", "inner", "expected"),
        [(0.01, 50.0, 1), (0.01, 49.99, 0), (33.33, 33.33, 1111), (99.99, 99.99, 9998), (0.05, 50.0, 3)],
        ids=[
            "half of the smallest",
            "less than half",
            "down",
            "near all",
            "half away from zero, not to even",
        ],
    )
    def test_weights_multiply_exactly_and_round_half_away_from_zero(
        self, compiled: Compiled, outer: float, inner: float, expected: int
    ) -> None:
        chain = compiled(
            "main",
            HTTP,
            ServiceSplitter(
                name="main", splits=[Split(weight=outer, service="inner"), Split(weight=100 - outer)]
            ),
            ServiceSplitter(
                name="inner", splits=[Split(weight=inner), Split(weight=100 - inner, service="last")]
            ),
        )
        assert legs_of(chain)[0] == (expected, f"resolver:inner.{DC1}")

    def test_a_leg_without_modifiers_takes_those_of_the_other(self, compiled: Compiled) -> None:
        modifiers = HeaderModifiers(set={"x-version": "2"})
        chain = compiled(
            "main",
            HTTP,
            ServiceSplitter(
                name="main", splits=[Split(weight=100, service="inner", request_headers=modifiers)]
            ),
            ServiceSplitter(name="inner", splits=[Split(weight=100, response_headers=modifiers)]),
        )
        (leg,) = chain.nodes[chain.start].splits  # type: ignore[union-attr] # a splitter, or the test fails
        assert (leg.request_headers, leg.response_headers) == (modifiers, modifiers)

    def test_one_that_was_never_checked_compiles_as_far_as_it_says_anything(self, compiled: Compiled) -> None:
        assert legs_of(compiled("main", HTTP, ServiceSplitter(name="main"))) == []
        chain = compiled("main", HTTP, ServiceSplitter(name="main", splits=[Split(weight=1e308)]))
        assert legs_of(chain) == [(10**310, f"resolver:main.{DC1}")]

    def test_the_own_protocol_of_a_splitter_does_not_count(self, compiled: Compiled) -> None:
        chain = compiled(
            "main",
            ServiceDefaults(name="main", protocol="tcp"),
            ServiceDefaults(name="other", protocol="http"),
            ServiceSplitter(name="main", splits=[Split(weight=100, service="other")]),
        )
        assert chain.protocol == "http"


class TestResolver:
    def test_a_redirect_to_another_service_takes_the_default_subset_there(self, compiled: Compiled) -> None:
        chain = compiled(
            "main",
            HTTP,
            ServiceRouter(name="main", routes=[route("/", subset="v1")]),
            ServiceResolver(name="main", subsets={"v1": Subset()}, redirect=Redirect(service="other")),
            ServiceResolver(name="other", default_subset="blue", subsets={"blue": Subset()}),
        )
        assert {key for _, key in routes_of(chain)} == {f"resolver:blue.other.{DC1}"}

    def test_a_redirect_to_the_own_datacenter_is_no_circle_and_no_default(self, compiled: Compiled) -> None:
        chain = compiled("main", ServiceResolver(name="main", redirect=Redirect(datacenter="dc1")))
        assert resolver_of(chain).target == f"main.{DC1}"
        assert not resolver_of(chain).default
        assert not chain.default

    def test_a_redirect_to_a_subset_of_itself_is_no_circle(self, compiled: Compiled) -> None:
        redirect = Redirect(service="main", service_subset="v1")
        chain = compiled("main", ServiceResolver(name="main", subsets={"v1": Subset()}, redirect=redirect))
        assert chain.start == f"resolver:v1.main.{DC1}"

    def test_services_that_a_redirect_passes_leave_no_target(self, compiled: Compiled) -> None:
        chain = compiled(
            "main",
            ServiceResolver(name="main", redirect=Redirect(service="middle")),
            ServiceResolver(name="middle", redirect=Redirect(service="last", datacenter="dc2")),
        )
        assert set(chain.targets) == {"last.default.default.dc2"}

    def test_a_redirect_keeps_the_datacenter_that_an_earlier_one_gave(self, compiled: Compiled) -> None:
        chain = compiled(
            "main",
            ServiceResolver(name="main", redirect=Redirect(service="middle", datacenter="dc2")),
            ServiceResolver(name="middle", redirect=Redirect(service="last")),
        )
        assert chain.targets["last.default.default.dc2"].sni == "last.default.dc2.internal.trust.consul"

    def test_timeouts_are_those_of_the_service_where_the_redirect_ends(self, compiled: Compiled) -> None:
        seconds = Duration.of
        chain = compiled(
            "main",
            ServiceResolver(
                name="main", redirect=Redirect(service="last"), connect_timeout=seconds(seconds=1)
            ),
            ServiceResolver(
                name="last", connect_timeout=seconds(seconds=2), request_timeout=seconds(seconds=3)
            ),
        )
        node = resolver_of(chain)
        assert (node.connect_timeout.seconds, node.request_timeout.seconds) == (2, 3)
        assert chain.targets[node.target].connect_timeout.seconds == 2

    @pytest.mark.parametrize(
        "resolver",
        [
            ServiceResolver(name="main", subsets={"v1": Subset()}),
            ServiceResolver(name="main", connect_timeout=Duration.of(seconds=5)),
            ServiceResolver(name="main", request_timeout=Duration.of(seconds=1)),
        ],
    )
    def test_whatever_a_resolver_says_makes_it_not_default(
        self, compiled: Compiled, resolver: ServiceResolver
    ) -> None:
        assert not compiled("main", resolver).default

    def test_a_long_way_of_redirects_ends(self, compiled: Compiled) -> None:
        way = [ServiceResolver(name=f"s{n}", redirect=Redirect(service=f"s{n + 1}")) for n in range(5000)]
        assert set(compiled("s0", *way).targets) == {f"s5000.{DC1}"}


class TestProtocol:
    def test_without_service_defaults_that_of_proxy_defaults_holds(self, compiled: Compiled) -> None:
        assert compiled("main", HTTP).protocol == "http"

    def test_service_defaults_without_a_protocol_mean_tcp(self, compiled: Compiled) -> None:
        assert compiled("main", HTTP, ServiceDefaults(name="main")).protocol == "tcp"

    def test_it_is_in_lower_case(self, compiled: Compiled) -> None:
        assert compiled("main", ServiceDefaults(name="main", protocol="HTTP2")).protocol == "http2"
