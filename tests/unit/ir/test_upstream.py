from collections.abc import Iterable
from dataclasses import replace

import pytest

from xdsmesh.chain.types import (
    ChainRoute,
    ChainSplit,
    CompiledChain,
    Node,
    ResolverNode,
    RouterNode,
    SplitterNode,
    Target,
)
from xdsmesh.config.kinds.service_router import Destination, HeaderMatch, HTTPMatch, QueryParamMatch
from xdsmesh.config.parts.headers import HeaderModifiers
from xdsmesh.config.parts.load_balancer import HashPolicy, LoadBalancer
from xdsmesh.ir import types as ir_types
from xdsmesh.ir.calls import CallSettings
from xdsmesh.ir.comparison import Comparison, PathMatch, ValueMatch
from xdsmesh.ir.endpoints import build_endpoints
from xdsmesh.ir.types import (
    AggregateCluster,
    Balance,
    CircuitBreakers,
    EndpointTarget,
    HashField,
    HeaderChanges,
    HttpManager,
    Leg,
    LoadBalancing,
    MeshCluster,
    OutlierDetection,
    Protocol,
    RequestMatch,
    Retries,
    Route,
    TcpProxy,
    UpstreamIR,
    UpstreamTls,
    Way,
)
from xdsmesh.ir.upstream import build_upstream, endpoint_target
from xdsmesh.model import catalog
from xdsmesh.model.duration import Duration

TRUST_DOMAIN = "11111111-2222-3333-4444-555555555555.consul"
EVERYTHING = RequestMatch(PathMatch(Comparison.PREFIX, "/"))
UNSET = Duration()


def target(service: str, subset: str = "") -> Target:
    name = f"{subset}.{service}" if subset else service
    return Target(
        id=f"{name}.default.default.dc1",
        service=service,
        subset=subset,
        datacenter="dc1",
        sni=f"{name}.default.dc1.internal.{TRUST_DOMAIN}",
        name=f"{name}.default.dc1.internal.{TRUST_DOMAIN}",
    )


def resolver(to: Target, *, default: bool = True, request_timeout: Duration = UNSET) -> ResolverNode:
    return ResolverNode(f"resolver:{to.id}", to.id, default, to.connect_timeout, request_timeout)


def chain(
    nodes: Iterable[Node], targets: Iterable[Target], *, protocol: str = "http", default: bool = False
) -> CompiledChain:
    """A chain of the service ``web`` that starts at the first node."""
    by_key = {node.key: node for node in nodes}
    return CompiledChain(
        service="web",
        datacenter="dc1",
        protocol=protocol,
        default=default,
        start=next(iter(by_key)),
        nodes=by_key,
        targets={each.id: each for each in targets},
    )


def upstream_of_route(match: HTTPMatch | None, destination: Destination) -> Route:
    """What becomes of one route that leads to ``web`` itself."""
    web = target("web")
    route = ChainRoute(match, destination, next=f"resolver:{web.id}")
    ir = build_upstream(chain([RouterNode("router:web", (route,)), resolver(web)], [web]), TRUST_DOMAIN)
    assert ir.routes is not None
    return ir.routes.routes[0]


def build(
    *nodes: Node, targets: Iterable[Target], protocol: str = "http", default: bool = False
) -> UpstreamIR:
    return build_upstream(chain(nodes, targets, protocol=protocol, default=default), TRUST_DOMAIN)


def test_each_target_has_a_cluster_named_by_its_sni_that_accepts_its_service_only() -> None:
    v1 = replace(target("admin", "v1"), filter="Service.Meta.version == 1", only_passing=True)
    web = target("web")
    start = SplitterNode(
        "splitter:web", (ChainSplit(9000, f"resolver:{web.id}"), ChainSplit(1000, f"resolver:{v1.id}"))
    )
    clusters = build(start, resolver(web), resolver(v1), targets=[web, v1]).clusters
    assert [cluster.name for cluster in clusters] == [
        f"v1.admin.default.dc1.internal.{TRUST_DOMAIN}",
        f"web.default.dc1.internal.{TRUST_DOMAIN}",
    ]
    assert isinstance(clusters[0], MeshCluster)
    assert clusters[0].tls.sni == clusters[0].name
    assert clusters[0].tls.spiffe_ids == (f"spiffe://{TRUST_DOMAIN}/ns/default/dc/dc1/svc/admin",)
    assert clusters[0].target == EndpointTarget(
        "admin", "dc1", "Service.Meta.version == 1", only_passing=True
    )
    assert clusters[0].connect_timeout == Duration.of(seconds=5)


def test_a_tcp_service_is_one_cluster_behind_a_tcp_proxy() -> None:
    web = target("web")
    ir = build(resolver(web, default=False), targets=[web], protocol="tcp")
    assert ir.routes is None
    assert ir.filter == TcpProxy("upstream.web.default.default.dc1", web.sni)


def test_a_protocol_that_we_do_not_know_is_forwarded_as_bytes() -> None:
    web = target("web")
    ir = build(resolver(web), targets=[web], protocol="mongo", default=True)
    assert ir.protocol is Protocol.TCP
    assert isinstance(ir.filter, TcpProxy)


def test_the_listener_of_an_http_service_is_the_same_with_and_without_a_router() -> None:
    """Connections keep the listener that they were accepted by, so what may change is not in it."""
    web = target("web")
    plain = build(resolver(web), targets=[web], default=True)
    router = RouterNode("router:web", (ChainRoute(None, Destination(), next=f"resolver:{web.id}"),))
    assert plain.filter == build(router, resolver(web), targets=[web]).filter
    assert plain.routes is not None
    assert plain.routes.routes == (Route(EVERYTHING, (Leg(web.sni, 10_000),)),)


def test_a_resolver_gives_one_route_over_rds_with_its_timeout() -> None:
    web = target("web")
    ir = build(resolver(web, default=False, request_timeout=Duration.of(seconds=33)), targets=[web])
    assert ir.filter == HttpManager("upstream.web.default.default.dc1", Protocol.HTTP, "web")
    assert ir.routes is not None
    assert (ir.routes.name, ir.routes.virtual_host) == ("web", "web")
    assert ir.routes.routes == (Route(EVERYTHING, (Leg(web.sni, 10_000),), timeout=Duration.of(seconds=33)),)


def test_a_splitter_gives_one_route_with_a_leg_for_each_split() -> None:
    v1, v2 = target("web", "v1"), target("web", "v2")
    marked = HeaderModifiers(set={"x-version": "2"})
    splits = (
        ChainSplit(9050, f"resolver:{v1.id}"),
        ChainSplit(950, f"resolver:{v2.id}", request_headers=marked),
    )
    start = SplitterNode("splitter:web", splits)
    slow = Duration.of(seconds=33)
    ir = build(start, resolver(v1, request_timeout=slow), resolver(v2), targets=[v1, v2])
    assert ir.routes is not None
    (route,) = ir.routes.routes
    assert route.legs == (
        Leg(v1.sni, 9050),
        Leg(v2.sni, 950, request_headers=HeaderChanges(set=(("x-version", "2"),))),
    )
    assert route.timeout is None, "a resolver's request timeout holds only where the chain starts with it"


def test_a_router_keeps_the_order_of_its_routes_and_may_lead_to_a_splitter() -> None:
    web, v1, v2 = target("web"), target("admin", "v1"), target("admin", "v2")
    split = SplitterNode(
        "splitter:admin", (ChainSplit(1000, f"resolver:{v2.id}"), ChainSplit(9000, f"resolver:{v1.id}"))
    )
    routes = (
        ChainRoute(HTTPMatch(path_prefix="/admin"), Destination("admin", prefix_rewrite="/"), split.key),
        ChainRoute(None, Destination("web"), f"resolver:{web.id}"),
    )
    nodes = (RouterNode("router:web", routes), split, resolver(web), resolver(v1), resolver(v2))
    ir = build(*nodes, targets=[web, v1, v2])
    assert ir.routes is not None
    admin, rest = ir.routes.routes
    assert admin.match.path == PathMatch(Comparison.PREFIX, "/admin")
    assert admin.prefix_rewrite == "/"
    assert [(leg.cluster, leg.weight) for leg in admin.legs] == [(v2.sni, 1000), (v1.sni, 9000)]
    assert rest == Route(EVERYTHING, (Leg(web.sni, 10_000),))


@pytest.mark.parametrize(
    ("match", "path"),
    [
        (None, PathMatch(Comparison.PREFIX, "/")),
        (HTTPMatch(methods=["GET"]), PathMatch(Comparison.PREFIX, "/")),
        (HTTPMatch(path_exact="/a"), PathMatch(Comparison.EXACT, "/a")),
        (HTTPMatch(path_regex="/a.*"), PathMatch(Comparison.REGEX, "/a.*")),
        (
            HTTPMatch(path_prefix="/a", case_insensitive=True),
            PathMatch(Comparison.PREFIX, "/a", case_sensitive=False),
        ),
    ],
)
def test_paths(match: HTTPMatch | None, path: PathMatch) -> None:
    assert upstream_of_route(match, Destination("web")).match.path == path


def test_headers_queries_and_methods() -> None:
    match = HTTPMatch(
        header=[
            HeaderMatch("a", present=True, invert=True),
            HeaderMatch("b", exact="1"),
            HeaderMatch("c", prefix="2"),
            HeaderMatch("d", suffix="3"),
            HeaderMatch("e", regex="4"),
        ],
        query_param=[
            QueryParamMatch("f", present=True),
            QueryParamMatch("g", exact="5"),
            QueryParamMatch("h", regex="6"),
        ],
        methods=["PUT", "GET"],
    )
    built = upstream_of_route(match, Destination("web")).match
    assert built.headers == (
        ValueMatch("a", Comparison.PRESENT, invert=True),
        ValueMatch("b", Comparison.EXACT, "1"),
        ValueMatch("c", Comparison.PREFIX, "2"),
        ValueMatch("d", Comparison.SUFFIX, "3"),
        ValueMatch("e", Comparison.REGEX, "4"),
    )
    assert built.query == (
        ValueMatch("f", Comparison.PRESENT),
        ValueMatch("g", Comparison.EXACT, "5"),
        ValueMatch("h", Comparison.REGEX, "6"),
    )
    assert built.methods == ("PUT", "GET")


@pytest.mark.parametrize(
    ("written", "built"),
    [
        (Duration(), None),
        (Duration.of(seconds=3), Duration.of(seconds=3)),
        (Duration.of(seconds=-1), Duration()),
    ],
)
def test_a_timeout_of_zero_is_unset_and_a_negative_one_is_never(
    written: Duration, built: Duration | None
) -> None:
    route = upstream_of_route(None, Destination("web", request_timeout=written, idle_timeout=written))
    assert (route.timeout, route.idle_timeout) == (built, built)


@pytest.mark.parametrize(
    ("destination", "retries"),
    [
        (Destination("web"), None),
        (Destination("web", num_retries=3), Retries((), attempts=3)),
        (
            Destination("web", retry_on=["reset", "connect-failure"], retry_on_connect_failure=True),
            Retries(("reset", "connect-failure")),
        ),
        (
            Destination("web", retry_on_connect_failure=True, retry_on_status_codes=[503, 429]),
            Retries(("connect-failure", "retriable-status-codes"), status_codes=(503, 429)),
        ),
    ],
)
def test_retries(destination: Destination, retries: Retries | None) -> None:
    assert upstream_of_route(None, destination).retries == retries


def test_header_changes_do_not_depend_on_the_order_in_which_they_were_written() -> None:
    one = HeaderModifiers(add={"b": "1", "a": "2"}, set={"d": "3", "c": "4"}, remove=["f", "e"])
    other = HeaderModifiers(add={"a": "2", "b": "1"}, set={"c": "4", "d": "3"}, remove=["e", "f", "e"])
    first = upstream_of_route(None, Destination("web", request_headers=one, response_headers=other))
    assert first.request_headers == first.response_headers
    assert first.request_headers == HeaderChanges(
        add=(("a", "2"), ("b", "1")), set=(("c", "4"), ("d", "3")), remove=("e", "f")
    )


def test_failover_makes_an_aggregate_of_a_cluster_for_each_target() -> None:
    web, v1 = target("web"), replace(target("admin", "v1"), connect_timeout=Duration.of(seconds=9))
    quick = replace(resolver(web, default=False), failover=(v1.id,), connect_timeout=Duration.of(seconds=2))
    ir = build(quick, targets=[web, v1])
    base, first, second = sorted(ir.clusters, key=lambda cluster: cluster.name.startswith("failover"))
    members = (f"failover-target~0~{web.name}", f"failover-target~1~{web.name}")
    retries = CircuitBreakers(max_retries=1024)
    assert base == AggregateCluster(web.name, members, Duration.of(seconds=2), retries)
    assert (first.name, second.name) == members
    assert isinstance(first, MeshCluster)
    assert isinstance(second, MeshCluster)
    assert second.tls.sni == v1.sni
    assert second.tls.spiffe_ids == (f"spiffe://{TRUST_DOMAIN}/ns/default/dc/dc1/svc/admin",)
    assert second.connect_timeout == Duration.of(seconds=9)
    assert first.member
    assert second.member
    assert ir.routes is not None
    assert ir.routes.routes[0].legs == (Leg(web.name, 10_000),)


def test_a_tcp_service_that_fails_over_is_still_one_cluster_to_its_callers() -> None:
    db, other = target("web"), replace(target("web"), id="dc2", datacenter="dc2")
    ir = build(replace(resolver(db), failover=(other.id,)), targets=[db, other], protocol="tcp")
    assert ir.filter == TcpProxy("upstream.web.default.default.dc1", db.name, attempts=3)


SAFE = ("connect-failure", "reset-before-request", "refused-stream")


def test_what_fails_over_is_retried_elsewhere_where_that_is_safe() -> None:
    web, other = target("web"), replace(target("web"), id="other")
    ir = build(replace(resolver(web, default=False), failover=(other.id,)), targets=[web, other])
    assert ir.routes is not None
    assert ir.routes.routes[0].retries == Retries(SAFE, attempts=2, elsewhere=True)


def test_so_is_what_is_in_another_datacenter_and_nothing_else() -> None:
    far, near = replace(target("web"), datacenter="dc2"), target("web")
    there, here = build(resolver(far), targets=[far]), build(resolver(near), targets=[near])
    assert there.routes is not None
    assert here.routes is not None
    assert there.routes.routes[0].retries == Retries(SAFE, attempts=2)
    assert here.routes.routes[0].retries is None


@pytest.mark.parametrize(
    ("mode", "way"), [("", Way.DIRECT), ("none", Way.DIRECT), ("local", Way.LOCAL), ("remote", Way.REMOTE)]
)
def test_a_target_elsewhere_is_reached_by_its_mode_and_one_here_directly(mode: str, way: Way) -> None:
    there = replace(target("web", "v1"), datacenter="dc2", mesh_gateway=mode, filter="a == b")
    assert endpoint_target(there, "dc1") == EndpointTarget("web", "dc2", subset="v1", way=way)
    assert endpoint_target(there, "dc2") == EndpointTarget("web", "dc2", "a == b")


@pytest.mark.parametrize("failover", [(), ("other",)])
def test_a_retry_goes_elsewhere_where_there_is_an_elsewhere(failover: tuple[str, ...]) -> None:
    web, other = target("web"), replace(target("other"), id="other")
    v1 = replace(resolver(web, default=False), failover=failover)
    split = SplitterNode("splitter:web", (ChainSplit(10_000, v1.key),))
    route = ChainRoute(None, Destination("web", num_retries=2), split.key)
    ir = build(RouterNode("router:web", (route,)), split, v1, targets=[web, other])
    assert ir.routes is not None
    assert ir.routes.routes[0].retries == Retries((), attempts=2, elsewhere=bool(failover))


@pytest.mark.parametrize(("max_requests", "max_retries"), [(None, 1024), (5000, 5000), (1, 1), (0, 0)])
def test_a_cluster_takes_as_many_retries_as_requests(max_requests: int | None, max_retries: int) -> None:
    web, other = target("web"), target("other")
    start = replace(resolver(web, default=False), failover=(other.id,))
    settings = CallSettings(circuit_breakers=CircuitBreakers(max_requests=max_requests))
    ir = build_upstream(chain([start], [web, other]), TRUST_DOMAIN, settings)
    assert {cluster.circuit_breakers.max_retries for cluster in ir.clusters} == {max_retries}
    assert len(ir.clusters) == 3


def test_a_target_in_a_peer_has_a_cluster_that_reaches_nobody() -> None:
    peered = replace(target("web"), id="peered", name="", sni="", datacenter="", peer="cloud")
    ir = build(resolver(peered, default=False), targets=[peered])
    (cluster,) = ir.clusters
    assert isinstance(cluster, MeshCluster)
    assert cluster.name == f"web.default.cloud.external.{TRUST_DOMAIN}"
    assert cluster.tls.spiffe_ids == ("spiffe://cloud.invalid/ns/default/dc//svc/web",)
    assert cluster.target == EndpointTarget("web", "", peer="cloud")
    assert build_endpoints(cluster.target, [sidecar_in("")]) == ()


def sidecar_in(datacenter: str) -> catalog.Instance:
    return catalog.Instance("web-1", "web", catalog.Node("n", "127.0.0.1", datacenter), port=1)


def test_an_external_service_has_a_server_name_of_its_own_and_nothing_else() -> None:
    legacy = replace(target("web"), sni="legacy.example.com", external=True)
    (cluster,) = build(resolver(legacy), targets=[legacy], default=True).clusters
    assert isinstance(cluster, MeshCluster)
    assert cluster.name == legacy.name
    assert cluster.tls == UpstreamTls(
        "legacy.example.com", (f"spiffe://{TRUST_DOMAIN}/ns/default/dc/dc1/svc/web",)
    )


def test_callers_with_overrides_have_clusters_of_their_own() -> None:
    web, other = target("web"), target("other")
    start = replace(resolver(web, default=False), failover=(other.id,))
    customized = replace(chain([start], [web, other]), customization_hash="0123abcd")
    ir = build_upstream(customized, TRUST_DOMAIN)
    name = f"0123abcd~{web.name}"
    assert {cluster.name for cluster in ir.clusters} == {
        name,
        f"failover-target~0~{name}",
        f"failover-target~1~{name}",
    }
    assert ir.routes is not None
    assert ir.routes.routes[0].legs == (Leg(name, 10_000),)


def test_settings_of_the_caller_hold_for_every_cluster_of_the_chain() -> None:
    web, v1, v2 = target("web"), target("admin", "v1"), target("admin", "v2")
    splits = (ChainSplit(5000, f"resolver:{web.id}"), ChainSplit(5000, f"resolver:{v1.id}"))
    nodes = (SplitterNode("splitter:web", splits), resolver(web), replace(resolver(v1), failover=(v2.id,)))
    settings = CallSettings(
        circuit_breakers=CircuitBreakers(max_connections=3),
        outlier_detection=OutlierDetection(consecutive_5xx=4),
        exact_balance=True,
        max_request_headers_kb=96,
    )
    ir = build_upstream(chain(nodes, [web, v1, v2]), TRUST_DOMAIN, settings)
    clusters = [cluster for cluster in ir.clusters if isinstance(cluster, MeshCluster)]
    assert len(clusters) == 3
    limits = CircuitBreakers(max_connections=3, max_retries=1024)
    assert {cluster.circuit_breakers for cluster in clusters} == {limits}
    assert {cluster.outlier_detection for cluster in clusters} == {settings.outlier_detection}
    assert ir.exact_balance
    assert isinstance(ir.filter, HttpManager)
    assert ir.filter.max_request_headers_kb == 96


STICKY = LoadBalancer("ring_hash", hash_policies=[HashPolicy("header", "x-user")])
BY_USER = (ir_types.HashPolicy(HashField.HEADER, "x-user"),)


def test_requests_are_hashed_where_the_instances_are_chosen_by_hash() -> None:
    web, admin = target("web"), target("admin")
    sticky = replace(resolver(admin), load_balancer=STICKY)
    splits = (ChainSplit(5000, f"resolver:{web.id}"), ChainSplit(5000, sticky.key))
    split = SplitterNode("splitter:web", splits, load_balancer=STICKY)
    routes = (
        ChainRoute(HTTPMatch(path_prefix="/a"), Destination("admin"), sticky.key),
        ChainRoute(HTTPMatch(path_prefix="/b"), Destination("web"), f"resolver:{web.id}"),
        ChainRoute(None, Destination("web"), split.key),
    )
    router = RouterNode("router:web", routes)
    ir = build(router, split, resolver(web), sticky, targets=[web, admin])
    assert ir.routes is not None
    assert [route.hash_policies for route in ir.routes.routes] == [BY_USER, (), BY_USER]
    by_name = {cluster.name: cluster for cluster in ir.clusters if isinstance(cluster, MeshCluster)}
    assert by_name[admin.name].load_balancing == LoadBalancing(Balance.RING_HASH)
    assert by_name[web.name].load_balancing == LoadBalancing()


def test_a_chain_that_starts_at_a_resolver_hashes_too() -> None:
    web = target("web")
    ir = build(replace(resolver(web, default=False), load_balancer=STICKY), targets=[web])
    assert ir.routes is not None
    assert ir.routes.routes[0].hash_policies == BY_USER


@pytest.mark.parametrize(
    ("policy", "hashed"),
    [
        (LoadBalancer("maglev", hash_policies=[HashPolicy(source_ip=True)]), 1),
        (STICKY, 0),
        (LoadBalancer("maglev"), 0),
        (LoadBalancer("random", hash_policies=[HashPolicy(source_ip=True)]), 0),
    ],
)
def test_of_bytes_only_the_source_address_can_be_hashed(policy: LoadBalancer, hashed: int) -> None:
    web = target("web")
    ir = build(replace(resolver(web), load_balancer=policy), targets=[web], protocol="tcp")
    assert ir.filter == TcpProxy("upstream.web.default.default.dc1", web.name, hash_source_ip=bool(hashed))


def test_a_chain_whose_splitter_leads_to_a_splitter_is_refused() -> None:
    start = SplitterNode("splitter:web", (ChainSplit(10_000, "splitter:web"),))
    with pytest.raises(ValueError, match="a resolver must stand"):
        build(start, targets=[])
