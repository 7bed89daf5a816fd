"""What a proxy's view holds, and what it does without."""

from collections.abc import Sequence

from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.mesh import Mesh
from xdsmesh.config.kinds.proxy_defaults import ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_intentions import ServiceIntentions, SourceIntention
from xdsmesh.config.kinds.service_resolver import ServiceResolver, Subset
from xdsmesh.config.kinds.service_router import Destination, HTTPMatch, Match, Route, ServiceRouter
from xdsmesh.config.parts.upstream_config import UpstreamConfig, UpstreamConfiguration, UpstreamLimits
from xdsmesh.index.views import Index
from xdsmesh.model.catalog import Instance, Kind, Node, Proxy, Upstream
from xdsmesh.model.checks import Check, Health
from xdsmesh.model.facts import Batch, Fact
from xdsmesh.model.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE, ProxyView
from xdsmesh.model.trust import TrustBundle

NODE = Node("n1", "127.0.0.1", "dc1")
ROOTS = Fact(("roots",), TrustBundle("td.consul", "pem\n"))
CLIENT = "client-1-sidecar-proxy"


def entry(value: Entry) -> Fact:
    return Fact(("entry", value.KIND, value.name), value)


def sidecar(service: str, *upstreams: str) -> Fact:
    calls = tuple(Upstream(name, 5000 + number) for number, name in enumerate(upstreams))
    proxy = Proxy(service, f"{service}-1", local_service_port=8080, upstreams=calls)
    proxy_id = f"{service}-1-sidecar-proxy"
    instance = Instance(
        proxy_id, f"{service}-sidecar-proxy", NODE, Kind.CONNECT_PROXY, port=21000, proxy=proxy
    )
    return Fact(("instance", proxy_id), instance)


HTTP = entry(ProxyDefaults(name="global", config=ProxyConfig(protocol="http")))
ROUTER = entry(
    ServiceRouter(
        name="web",
        routes=[
            Route(
                match=Match(http=HTTPMatch(path_prefix="/a")),
                destination=Destination(service="api", service_subset="v1"),
            )
        ],
    )
)
SUBSETS = entry(ServiceResolver(name="api", subsets={"v1": Subset()}))


def index_of(facts: Sequence[Fact]) -> Index:
    index = Index()
    index.apply(Batch(1, (ROOTS, *facts)))
    return index


def view_of(facts: Sequence[Fact]) -> ProxyView:
    view = index_of(facts).view(CLIENT)
    assert view is not None
    return view


def test_a_proxy_that_is_not_registered_has_no_view() -> None:
    assert index_of([sidecar("web")]).view(CLIENT) is None


def test_nothing_is_served_before_trust_is_known() -> None:
    index = Index()
    index.apply(Batch(1, (sidecar("client", "web"),)))
    assert index.view(CLIENT) is None


def test_an_upstream_whose_chain_does_not_compile_takes_only_itself_away() -> None:
    view = view_of(
        [HTTP, ROUTER, sidecar("client", "db", "web")]
    )  # the router names a subset that nobody declares
    assert set(view.listeners) == {"public_listener:0.0.0.0:21000", "db:127.0.0.1:5000"}
    assert set(view.clusters) == {"local_app", "db.default.dc1.internal.td.consul"}
    assert set(view.routes) == {"db", "public_listener:client"}


def test_a_filter_of_the_wrong_type_lets_no_instance_in() -> None:
    wrong = ServiceResolver(
        name="web", default_subset="v1", subsets={"v1": Subset(filter="Service.Port == high")}
    )
    view = view_of([entry(wrong), sidecar("web"), sidecar("client", "web")])
    (assignment,) = view.endpoints.values()
    assert b"127.0.0.1" not in assignment.any


def test_a_critical_application_makes_its_sidecar_unhealthy() -> None:
    def endpoints(*checks: Check) -> bytes:
        application = Instance("web-1", "web", NODE, port=8080, checks=checks)
        view = view_of([sidecar("client", "web"), sidecar("web"), Fact(("instance", "web-1"), application)])
        return view.endpoints["web.default.dc1.internal.td.consul"].any

    assert endpoints() == endpoints(Check("c", "c", Health.PASSING))
    assert endpoints() != endpoints(Check("c", "c", Health.CRITICAL))


def test_the_entries_behind_a_resource_are_those_that_shaped_it() -> None:
    index = index_of([HTTP, ROUTER, SUBSETS, sidecar("client", "db", "web")])
    everything = (("entry", "proxy-defaults", "global"), SUBSETS.key, ROUTER.key)
    assert index.entries_behind(CLIENT, ROUTE, "web") == everything
    assert index.entries_behind(CLIENT, CLUSTER, "db.default.dc1.internal.td.consul") == everything[:1]
    assert index.entries_behind(CLIENT, LISTENER, "db:127.0.0.1:5000") == everything[:1]
    assert index.entries_behind(CLIENT, LISTENER, "public_listener:0.0.0.0:21000") == everything[:1]
    assert index.entries_behind(CLIENT, ROUTE, "unknown") == ()


def test_the_intentions_about_a_service_stand_behind_its_public_routes() -> None:
    everybody = entry(ServiceIntentions(name="*", sources=[SourceIntention(name="*", action="allow")]))
    own = entry(ServiceIntentions(name="client", sources=[SourceIntention(name="web", action="deny")]))
    other = entry(ServiceIntentions(name="db", sources=[SourceIntention(name="web", action="deny")]))
    index = index_of([HTTP, everybody, own, other, sidecar("client", "db")])
    behind = index.entries_behind(CLIENT, ROUTE, "public_listener:client")
    assert behind == (("entry", "proxy-defaults", "global"), everybody.key, own.key)


def test_the_mesh_entry_stands_behind_what_it_shapes_and_nothing_else() -> None:
    mesh = entry(Mesh(name="mesh"))
    index = index_of([HTTP, mesh, sidecar("client", "db"), sidecar("db")])
    behind = (mesh.key, ("entry", "proxy-defaults", "global"))
    cluster = "db.default.dc1.internal.td.consul"
    assert index.entries_behind(CLIENT, CLUSTER, cluster) == behind
    assert index.entries_behind(CLIENT, ROUTE, "db") == behind
    assert index.entries_behind(CLIENT, LISTENER, "public_listener:0.0.0.0:21000") == behind
    assert index.entries_behind(CLIENT, LISTENER, "db:127.0.0.1:5000") == behind[1:]
    assert index.entries_behind(CLIENT, ENDPOINT, cluster) == behind[1:]


def test_settings_of_the_caller_stand_behind_what_they_shaped() -> None:
    limits = UpstreamConfig(limits=UpstreamLimits(max_connections=1))
    caller = entry(
        ServiceDefaults(
            name="client", protocol="http", upstream_config=UpstreamConfiguration(defaults=limits)
        )
    )
    index = index_of([HTTP, caller, sidecar("client", "db")])
    behind = (("entry", "proxy-defaults", "global"), caller.key)
    assert index.entries_behind(CLIENT, CLUSTER, "db.default.dc1.internal.td.consul") == behind


def test_a_cluster_that_two_upstreams_share_has_the_settings_of_its_own_service() -> None:
    def limited(name: str, most: int) -> UpstreamConfig:
        return UpstreamConfig(name=name, limits=UpstreamLimits(max_connections=most))

    to_the_other = [
        entry(ServiceRouter(name=name, routes=[Route(destination=Destination(service=other))]))
        for name, other in (("a", "b"), ("b", "a"))
    ]
    both = UpstreamConfiguration(overrides=[limited("a", 1), limited("b", 2)])
    caller = entry(ServiceDefaults(name="client", protocol="http", upstream_config=both))
    clusters = view_of([HTTP, caller, *to_the_other, sidecar("client", "b", "a")]).clusters
    alone = UpstreamConfiguration(overrides=[limited("b", 2)])
    only_b = entry(ServiceDefaults(name="client", protocol="http", upstream_config=alone))
    expected = view_of([HTTP, only_b, sidecar("client", "b")]).clusters
    name = "b.default.dc1.internal.td.consul"
    assert clusters[name].any == expected[name].any
