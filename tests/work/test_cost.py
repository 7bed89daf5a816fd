"""What a change costs, counted: rules run and resources encoded, for a mesh of many replicas."""

from dataclasses import replace
from datetime import UTC, datetime

from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.jwt_provider import JWTProvider
from xdsmesh.config.kinds.mesh import (
    IncomingHTTP,
    Mesh,
    MeshHTTP,
    MeshTLS,
    MeshTLSParameters,
    RequestNormalization,
)
from xdsmesh.config.kinds.proxy_defaults import ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_intentions import ServiceIntentions, SourceIntention
from xdsmesh.config.kinds.service_resolver import ServiceResolver, Subset
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split
from xdsmesh.config.parts.access_logs import AccessLogs
from xdsmesh.config.parts.jwks import JSONWebKeySet, RemoteJWKS
from xdsmesh.config.parts.jwt_requirement import JWTRequirement, RequiredProvider
from xdsmesh.config.parts.upstream_config import UpstreamConfig, UpstreamConfiguration, UpstreamLimits
from xdsmesh.index.views import Index
from xdsmesh.model.catalog import Instance, Kind, Node, Proxy, Upstream
from xdsmesh.model.checks import Check, Health
from xdsmesh.model.facts import Batch, Fact
from xdsmesh.model.resource import CLUSTER, LISTENER, SHORT_NAMES
from xdsmesh.model.trust import Leaf, TrustBundle

NODE = Node("n1", "127.0.0.1", "dc1")
CLIENTS = 50
CLIENT_ID = "spiffe://td.consul/ns/default/dc/dc1/svc/client"
SERVICES = 20


def entry(value: Entry) -> Fact:
    return Fact(("entry", value.KIND, value.name), value)


def instance(value: Instance) -> Fact:
    return Fact(("instance", value.id), value)


def sidecar(service: str, number: int, upstreams: tuple[Upstream, ...] = ()) -> Instance:
    proxy = Proxy(service, f"{service}-{number}", local_service_port=8080, upstreams=upstreams)
    return Instance(
        id=f"{service}-{number}-sidecar-proxy",
        service=f"{service}-sidecar-proxy",
        node=NODE,
        kind=Kind.CONNECT_PROXY,
        address=f"127.0.{number}.1",
        port=21000,
        proxy=proxy,
    )


def leaf(number: int) -> Fact:
    proxy_id = f"client-{number}-sidecar-proxy"
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Fact(("leaf", proxy_id), Leaf(CLIENT_ID, f"chain {number}\n", "key\n", now, now))


def mesh() -> Index:
    """Clients that all call the same services; every client is connected."""
    upstreams = tuple(Upstream(f"s{number}", 5000 + number) for number in range(SERVICES))
    facts = [
        Fact(("roots",), TrustBundle("td.consul", "pem\n")),
        entry(ProxyDefaults(name="global", config=ProxyConfig(protocol="http"))),
        entry(
            ServiceResolver(name="s0", subsets={"v1": Subset("Service.Meta.version == 1"), "v2": Subset()})
        ),
        entry(splitter(90)),
        *(instance(sidecar("client", number, upstreams)) for number in range(CLIENTS)),
        *(leaf(number) for number in range(CLIENTS)),
        *(instance(sidecar(f"s{number}", copy)) for number in range(SERVICES) for copy in range(3)),
    ]
    index = Index()
    index.apply(Batch(1, tuple(facts)))
    for number in range(CLIENTS):
        index.hold(f"client-{number}-sidecar-proxy")
    return index


def splitter(weight: float) -> ServiceSplitter:
    return ServiceSplitter(
        name="s0",
        splits=[Split(weight=weight, service_subset="v1"), Split(weight=100 - weight, service_subset="v2")],
    )


def test_connecting_replicas_encodes_what_they_share_once() -> None:
    clusters, listeners, local_app, roots = SERVICES + 1, SERVICES, 1, 1
    routes = SERVICES + 1  # and those of the clients' own public listeners
    shared = 2 * clusters + routes + listeners + local_app + roots  # each cluster has its endpoints
    own = 2 * CLIENTS  # each client's public listener and leaf
    assert mesh().work["encoded"] == shared + own


def test_an_endpoint_change_encodes_one_resource_for_all_proxies() -> None:
    index = mesh()
    index.work.clear()

    changed = index.apply(Batch(2, (instance(replace(sidecar("s7", 1), port=21999)),)))

    assert len(changed) == CLIENTS
    assert index.work == {"endpoints": 1, "encoded": 1, "upstream_endpoints": 1, "merged": 1, "view": CLIENTS}


def test_an_instance_that_flaps_touches_the_endpoints_of_those_who_call_it() -> None:
    index = mesh()
    proxies = [f"client-{number}-sidecar-proxy" for number in range(CLIENTS)]
    for status, output in ((Health.CRITICAL, "down"), (Health.PASSING, ""), (Health.WARNING, "")):
        before = {proxy: index.view(proxy) for proxy in proxies}
        index.work.clear()
        check = Check("c", "c", status, "", output, node="n1", service_id="s7-1-sidecar-proxy")

        changed = index.apply(Batch(2, (instance(replace(sidecar("s7", 1), checks=(check,))),)))

        assert changed == (frozenset(proxies) if status is not Health.WARNING else frozenset())
        for proxy in changed:
            was, now = before[proxy], index.view(proxy)
            assert was is not None
            assert now is not None
            assert [short for each, short in SHORT_NAMES.items() if was.of(each) != now.of(each)] == ["EDS"]
        assert index.work["endpoints"] == 1
        assert set(index.work) <= {"endpoints", "encoded", "upstream_endpoints", "merged", "view"}


def test_a_split_change_encodes_one_route_configuration() -> None:
    index = mesh()
    index.work.clear()

    changed = index.apply(Batch(2, (entry(splitter(50)),)))

    assert len(changed) == CLIENTS
    assert index.work["encoded"] == 1
    assert index.work["chain"] == 1
    assert index.work["endpoints"] == 0


def test_a_service_that_nobody_calls_costs_nothing() -> None:
    index = mesh()
    index.work.clear()
    assert index.apply(Batch(2, (instance(sidecar("lonely", 1)),))) == frozenset()
    assert not index.work


def test_writing_the_same_again_costs_nothing() -> None:
    index = mesh()
    index.work.clear()
    assert index.apply(Batch(2, (instance(sidecar("s7", 1)), entry(splitter(90))))) == frozenset()
    assert not index.work


def test_a_new_leaf_touches_the_secrets_of_one_proxy() -> None:
    index = mesh()
    index.work.clear()
    renewed = Fact(leaf(3).key, leaf(4).value)

    assert index.apply(Batch(2, (renewed,))) == {"client-3-sidecar-proxy"}
    assert index.work == {"secrets": 1, "view": 1}  # the bytes were there already


def test_a_new_root_touches_secrets_only() -> None:
    index = mesh()
    before = index.view("client-3-sidecar-proxy")
    assert before is not None
    bundle = TrustBundle("td.consul", "pem\nsecond\n")

    changed = index.apply(Batch(2, (Fact(("roots",), bundle),)))

    after = index.view("client-3-sidecar-proxy")
    assert after is not None
    assert len(changed) == CLIENTS
    assert after.secrets != before.secrets
    assert after.clusters is before.clusters
    assert after.endpoints is before.endpoints
    assert after.listeners is before.listeners
    assert after.routes is before.routes


LIMITED = ServiceDefaults(
    name="client",
    protocol="http",
    upstream_config=UpstreamConfiguration(
        defaults=UpstreamConfig(limits=UpstreamLimits(max_connections=100)),
        overrides=[UpstreamConfig(name="s7", connect_timeout_ms=900)],
    ),
)


def test_settings_of_the_callers_are_shared_by_all_their_replicas() -> None:
    index = mesh()
    index.work.clear()

    changed = index.apply(Batch(2, (entry(LIMITED),)))

    assert len(changed) == CLIENTS
    every_cluster = SERVICES + 1  # one has two subsets
    renamed = 2  # the route and the endpoints of the upstream whose cluster has another name now
    assert index.work["chain"] == 1
    assert index.work["calls_of"] == 1
    assert index.work["endpoints"] == 0
    assert index.work["encoded"] == every_cluster + renamed


def test_an_endpoint_change_costs_the_same_where_callers_have_settings() -> None:
    index = mesh()
    index.apply(Batch(2, (entry(LIMITED),)))
    index.work.clear()

    changed = index.apply(Batch(3, (instance(replace(sidecar("s7", 1), port=21999)),)))

    assert len(changed) == CLIENTS
    assert index.work == {"endpoints": 1, "encoded": 1, "upstream_endpoints": 1, "merged": 1, "view": CLIENTS}


def provider(name: str, issuer: str = "a", uri: str = "http://127.0.0.1/keys") -> Fact:
    keys = JSONWebKeySet(remote=RemoteJWKS(uri=uri))
    return entry(JWTProvider(name=name, issuer=issuer, json_web_key_set=keys).normalize())


def with_tokens() -> Index:
    """The mesh, where the clients' own service asks for tokens of one of two providers."""
    demand = JWTRequirement(providers=[RequiredProvider(name="okta")])
    asked = ServiceIntentions(name="client", sources=[SourceIntention(name="a", action="allow")], jwt=demand)
    index = mesh()
    index.hold("s7-1-sidecar-proxy")
    index.apply(Batch(2, (provider("okta"), provider("other"), entry(asked))))
    index.work.clear()
    return index


def test_a_provider_touches_the_listeners_of_those_who_ask_for_its_tokens() -> None:
    index = with_tokens()

    changed = index.apply(Batch(3, (provider("okta", issuer="b"),)))

    assert changed == {f"client-{number}-sidecar-proxy" for number in range(CLIENTS)}
    assert index.work["encoded"] == CLIENTS
    assert index.work["jwt_provider"] == 1
    assert index.work["clusters"] == CLIENTS


def test_the_address_of_keys_touches_their_cluster_too() -> None:
    index = with_tokens()
    assert len(index.apply(Batch(3, (provider("okta", uri="http://127.0.0.2/keys"),)))) == CLIENTS
    assert index.work["encoded"] == CLIENTS + 1


def test_a_provider_that_nobody_refers_to_costs_nothing() -> None:
    index = with_tokens()
    assert index.apply(Batch(3, (provider("other", issuer="b"),))) == frozenset()
    assert not index.work


def test_ledger_40_only_providers_that_are_referred_to_have_a_cluster() -> None:
    index = with_tokens()
    asking, other = index.view("client-1-sidecar-proxy"), index.view("s7-1-sidecar-proxy")
    assert asking
    assert other
    named = {name for each in (asking, other) for name in each.clusters if name.startswith("jwks_cluster_")}
    assert named == {"jwks_cluster_okta"}
    assert "jwks_cluster_okta" not in other.clusters


def test_ledger_16_a_provider_that_is_gone_takes_nothing_else_away() -> None:
    index = with_tokens()
    before = index.view("client-1-sidecar-proxy")
    index.apply(Batch(3, (Fact(provider("okta").key, None),)))
    after = index.view("client-1-sidecar-proxy")
    assert before
    assert after
    assert after.routes == before.routes  # where its tokens are still asked for
    assert after.listeners.keys() == before.listeners.keys()
    assert before.clusters.keys() - after.clusters.keys() == {"jwks_cluster_okta"}


def test_who_rejects_a_provider_learns_its_entry() -> None:
    index = with_tokens()
    proxy = "client-1-sidecar-proxy"
    okta = provider("okta").key
    assert index.entries_behind(proxy, CLUSTER, "jwks_cluster_okta") == (okta,)
    assert okta in index.entries_behind(proxy, LISTENER, "public_listener:127.0.1.1:21000")


def test_access_logs_touch_listeners_only() -> None:
    index = mesh()
    client = "client-0-sidecar-proxy"
    was = index.view(client)
    index.work.clear()
    logs = ProxyDefaults(
        name="global", config=ProxyConfig(protocol="http"), access_logs=AccessLogs(enabled=True)
    )

    index.apply(Batch(2, (entry(logs),)))

    now = index.view(client)
    assert was is not None
    assert now is not None
    assert [short for each, short in SHORT_NAMES.items() if was.of(each) != now.of(each)] == ["LDS"]
    assert index.work["encoded"] == CLIENTS + SERVICES  # their public listeners, and those of what they call


def test_tls_of_outgoing_calls_encodes_each_cluster_once_for_all_callers() -> None:
    index = mesh()
    index.work.clear()
    strict = MeshTLS(outgoing=MeshTLSParameters(tls_min_version="TLSv1_3"))

    changed = index.apply(Batch(2, (entry(Mesh(name="mesh", tls=strict)),)))

    assert len(changed) == CLIENTS
    assert index.work["encoded"] == SERVICES + 1  # one has two subsets
    assert index.work["upstream_clusters"] == SERVICES
    assert not index.work.keys() & {"upstream", "chain", "endpoints", "upstream_endpoints", "sidecar"}


def test_normalisation_of_requests_encodes_each_public_listener_once() -> None:
    index = mesh()
    index.work.clear()
    http = MeshHTTP(incoming=IncomingHTTP(RequestNormalization(merge_slashes=True)))

    changed = index.apply(Batch(2, (entry(Mesh(name="mesh", http=http)),)))

    assert len(changed) == CLIENTS
    assert index.work["encoded"] == CLIENTS
    assert index.work["sidecar"] == CLIENTS
    assert not index.work.keys() & {"upstream", "upstream_clusters", "upstream_routes", "authorization"}


def test_a_mesh_entry_that_says_the_defaults_costs_next_to_nothing() -> None:
    index = mesh()
    index.work.clear()

    assert index.apply(Batch(2, (entry(Mesh(name="mesh", tls=MeshTLS(), http=MeshHTTP())),))) == frozenset()
    assert index.work == {"incoming": 1, "outgoing": 1}
