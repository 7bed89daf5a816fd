"""What can't be asked of a real Envoy, or is clearer without; ``tests/envoy/agreement`` asks for the rest."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest

from xdsmesh.chain.types import CompiledChain, ResolverNode, RouterNode
from xdsmesh.explain.explain import explain
from xdsmesh.explain.text import describe
from xdsmesh.explain.types import CompiledUpstream, Explanation, Request, Source, UnknownUpstreamError
from xdsmesh.ir.comparison import Comparison, PathMatch
from xdsmesh.ir.types import (
    Balance,
    Endpoint,
    EndpointTarget,
    HashField,
    HashPolicy,
    HeaderChanges,
    HttpManager,
    Leg,
    LoadBalancing,
    MeshCluster,
    NetworkFilter,
    Protocol,
    RequestMatch,
    Retries,
    Route,
    RouteConfiguration,
    TcpProxy,
    UpstreamIR,
    UpstreamTls,
    Way,
)
from xdsmesh.model.duration import Duration

UP = Endpoint("10.0.0.1", 21000)
HEAVY = Endpoint("10.0.0.2", 21000, weight=3)
DOWN = Endpoint("10.0.0.3", 21000, healthy=False)
WHOLE = (UP, HEAVY, DOWN)


def cluster(name: str, balance: Balance = Balance.ROUND_ROBIN) -> MeshCluster:
    return MeshCluster(
        name,
        Protocol.HTTP,
        Duration.of(seconds=5),
        UpstreamTls(name, (f"spiffe://td/{name}",)),
        EndpointTarget(name, "dc1"),
        load_balancing=LoadBalancing(balance),
    )


def source(
    *routes: Route,
    clusters: tuple[MeshCluster, ...] = (cluster("web"), cluster("api")),
    endpoints: Mapping[str, tuple[Endpoint, ...]] | None = None,
    tcp: TcpProxy | None = None,
) -> Source:
    """A caller of ``web`` whose routes are given."""
    listener: NetworkFilter = tcp or HttpManager("upstream", Protocol.HTTP, "web")
    ir = UpstreamIR(
        service="web",
        protocol=Protocol.TCP if tcp else Protocol.HTTP,
        clusters=clusters,
        filter=listener,
        routes=None if tcp else RouteConfiguration("web", "web", routes),
    )
    start = RouterNode("router:web", ())
    chain = CompiledChain(
        "web", "dc1", "http", default=False, start=start.key, nodes={start.key: start}, targets={}
    )
    found = endpoints or {each.name: WHOLE for each in clusters}
    return Source("client-1-sidecar-proxy", "client", {"web": CompiledUpstream(ir, found, chain)})


def route(*legs: Leg, prefix: str = "/") -> Route:
    return Route(RequestMatch(PathMatch(Comparison.PREFIX, prefix)), legs or (Leg("web", 10_000),))


def ask(caller: Source, path: str = "/") -> Explanation:
    return explain(caller, Request("web", path))


def test_an_upstream_that_the_source_does_not_call_is_named_with_those_that_it_does() -> None:
    with pytest.raises(UnknownUpstreamError, match="client-1-sidecar-proxy has no upstream db; it has web"):
        explain(source(route()), Request("db"))


def test_a_request_that_no_route_takes_is_answered_by_envoy() -> None:
    explanation = ask(source(route(prefix="/admin")), "/")

    assert explanation.refusal
    assert explanation.refusal.status == 404
    assert explanation.legs == ()


def test_odds_are_exact_even_if_weights_do_not_add_up_to_everything() -> None:
    legs = (Leg("web", 3333), Leg("api", 3333), Leg("web", 1))

    explanation = ask(source(route(*legs)))

    assert [leg.odds for leg in explanation.legs] == [
        Fraction(3333, 6667),
        Fraction(3333, 6667),
        Fraction(1, 6667),
    ]
    assert sum(outcome.odds for outcome in explanation.outcomes()) == 1


def test_instances_share_by_weight_and_the_unhealthy_are_only_counted() -> None:
    (leg,) = ask(source(route())).legs

    (pool,) = leg.pools
    assert [(each.address, each.odds) for each in pool.instances] == [
        ("10.0.0.1", Fraction(1, 4)),
        ("10.0.0.2", Fraction(3, 4)),
    ]
    assert pool.unhealthy == 1


def test_a_leg_where_nobody_is_healthy_is_answered_with_503() -> None:
    caller = source(route(Leg("web", 9000), Leg("api", 1000)), endpoints={"web": (UP,), "api": (DOWN,)})

    failed = [outcome for outcome in ask(caller).outcomes() if outcome.refusal]

    assert [(each.odds, each.refusal and each.refusal.status) for each in failed] == [(Fraction(1, 10), 503)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [(None, Duration.of(seconds=15)), (Duration(), None), (Duration.of(seconds=1), Duration.of(seconds=1))],
)
def test_timeouts_are_those_that_hold(written: Duration | None, expected: Duration | None) -> None:
    taken = ask(source(replace(route(), timeout=written))).route

    assert taken
    assert taken.timeout == expected


@pytest.mark.parametrize(
    ("retries", "attempts"), [(None, 1), (Retries(("5xx",)), 2), (Retries(("5xx",), attempts=4), 5)]
)
def test_attempts_are_counted_with_the_first(retries: Retries | None, attempts: int) -> None:
    taken = ask(source(replace(route(), retries=retries))).route

    assert taken
    assert taken.attempts == attempts


def test_only_a_cluster_that_hashes_is_said_to_be_sticky() -> None:
    policies = (HashPolicy(HashField.QUERY_PARAMETER, "user", terminal=True), HashPolicy(HashField.SOURCE_IP))
    caller = source(
        replace(route(Leg("web", 1), Leg("api", 1)), hash_policies=policies),
        clusters=(cluster("web", Balance.MAGLEV), cluster("api")),
    )

    assert [leg.pools[0].hashed_by for leg in ask(caller, "/?user=7").legs] == [policies[:1], ()]
    assert ask(caller, "/").legs[0].pools[0].hashed_by == policies[1:]


def test_a_cookie_is_hashed_where_the_request_has_it_or_envoy_makes_it() -> None:
    given = HashPolicy(HashField.COOKIE, "session")
    made = HashPolicy(HashField.COOKIE, "visit", ttl=Duration())
    caller = source(
        replace(route(), hash_policies=(given, made)), clusters=(cluster("web", Balance.RING_HASH),)
    )
    request = Request("web", headers=(("Cookie", "a=b; session=1"),))

    assert explain(caller, request).legs[0].pools[0].hashed_by == (given, made)
    assert ask(caller).legs[0].pools[0].hashed_by == (made,)


def test_a_tcp_upstream_has_no_routes_and_closes_the_connection_if_nobody_is_healthy() -> None:
    caller = source(tcp=TcpProxy("upstream", "web"), endpoints={"web": (DOWN,)})

    explanation = ask(caller)

    assert explanation.route is None
    (outcome,) = explanation.outcomes()
    assert outcome.refusal
    assert outcome.refusal.status == 0


def test_a_chain_without_entries_is_said_to_be_one() -> None:
    caller = source(route())
    node = ResolverNode(
        "resolver:web", "web", default=True, connect_timeout=Duration(), request_timeout=Duration()
    )
    chain = replace(caller.upstreams["web"].chain, start=node.key, nodes={node.key: node})
    caller = replace(caller, upstreams={"web": replace(caller.upstreams["web"], chain=chain)})

    taken = ask(caller).route

    assert taken
    assert taken.meaning == "no config entry: straight to web"


def test_an_explanation_reads_well() -> None:
    changes = HeaderChanges(add=(("x-a", "1"),), set=(("x-b", "2"),), remove=("x-c",))
    leg = Leg("web", 9000, request_headers=changes)
    retried = replace(
        route(leg, Leg("api", 1000), prefix="/a"),
        prefix_rewrite="/",
        timeout=Duration(),
        retries=Retries(("5xx", "retriable-status-codes"), 2, (429,)),
    )
    caller = source(retried, endpoints={"web": WHOLE, "api": ()})

    assert describe(ask(caller, "/a/b")).splitlines() == [
        "GET /a/b to web (http)",
        "  route 0: the implied last route of service-router web",
        "    timeout none, idle 5m0s",
        "    up to 3 attempts on 5xx, retriable-status-codes, 429",
        "  90 % to cluster web as /b",
        "    request headers: -x-c, x-b=2, x-a+=1",
        "    100 % to web in dc1, 1 unhealthy left out",
        "      25 % 10.0.0.1:21000",
        "      75 % 10.0.0.2:21000",
        "  10 % to cluster api as /b",
        "    100 % to api in dc1",
        "      nobody is healthy: 503",
    ]


@pytest.mark.parametrize(
    ("way", "said"),
    [
        (Way.DIRECT, "100 % to web in dc2, 1 unhealthy left out"),
        (Way.LOCAL, "100 % to web in dc2 through the mesh gateways here, 1 unhealthy left out"),
        (Way.REMOTE, "100 % to web in dc2 through its mesh gateways, 1 unhealthy left out"),
    ],
)
def test_an_explanation_says_when_gateways_are_in_between(way: Way, said: str) -> None:
    far = replace(cluster("web"), target=EndpointTarget("web", "dc2", way=way))
    found = source(tcp=TcpProxy("upstream", "web"), clusters=(far,), endpoints={"web": (UP, DOWN)})
    assert said in describe(explain(found, Request("web")))
