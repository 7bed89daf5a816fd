"""Whatever the order of changes, the index ends where a fresh start with the same facts ends."""

from hypothesis import given, settings
from hypothesis import strategies as st

from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.proxy_defaults import ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_resolver import Redirect, ServiceResolver, Subset
from xdsmesh.config.kinds.service_router import Destination, HTTPMatch, Match, Route, ServiceRouter
from xdsmesh.config.kinds.service_splitter import ServiceSplitter, Split
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.index.tables import FEDERATION_ADDRESS
from xdsmesh.index.views import Index
from xdsmesh.model.catalog import Instance, Kind, Node, Proxy, ServiceAddress, Upstream, Weights
from xdsmesh.model.checks import Check, Health
from xdsmesh.model.facts import Batch, Fact, FactKey
from xdsmesh.model.federation import (
    RemoteGateway,
    RemoteGateways,
    RemoteInstance,
    RemoteService,
    RemoteSubset,
)
from xdsmesh.model.trust import TrustBundle

SERVICES = ("web", "admin", "api")
GATEWAY = "gateway-1"
PROXIES = ("client-1-sidecar-proxy", "client-2-sidecar-proxy", GATEWAY)
NODE = Node("n1", "127.0.0.1", "dc1")

services = st.sampled_from(SERVICES)
subset_names = st.sampled_from(("", "v1", "v2"))


def entry_fact(entry: Entry) -> Fact:
    return Fact(("entry", entry.KIND, entry.name), entry)


proxy_defaults = st.builds(
    lambda protocol, mode: ProxyDefaults(
        name="global", config=ProxyConfig(protocol=protocol), mesh_gateway=MeshGateway(mode)
    ),
    st.sampled_from(("", "http", "tcp")),
    st.sampled_from(("", "local", "remote")),
)
service_defaults = st.builds(
    ServiceDefaults,
    name=services,
    protocol=st.sampled_from(("http", "tcp", "grpc")),
    local_request_timeout_ms=st.integers(0, 2),
)
subsets = st.dictionaries(
    st.sampled_from(("v1", "v2")),
    st.builds(Subset, filter=st.sampled_from(("", "Service.Meta.version == 1")), only_passing=st.booleans()),
)
resolvers = st.builds(
    ServiceResolver,
    name=services,
    default_subset=subset_names,
    subsets=subsets,
    redirect=st.none() | st.builds(Redirect, service=services, datacenter=st.sampled_from(("", "dc2"))),
)
splits = st.builds(
    Split,
    weight=st.sampled_from((10.0, 33.33, 50.0)),
    service=st.just("") | services,
    service_subset=subset_names,
)
splitters = st.builds(ServiceSplitter, name=services, splits=st.lists(splits, min_size=1, max_size=3))
routes = st.builds(
    Route,
    match=st.sampled_from(("/a", "/b")).map(lambda prefix: Match(http=HTTPMatch(path_prefix=prefix))),
    destination=st.builds(Destination, service=services, service_subset=subset_names),
)
routers = st.builds(ServiceRouter, name=services, routes=st.lists(routes, max_size=2))
entries = st.one_of(proxy_defaults, service_defaults, resolvers, splitters, routers).map(entry_fact)


@st.composite
def applications(draw: st.DrawFn) -> Fact:
    service = draw(services)
    number = draw(st.integers(1, 2))
    health = draw(st.sampled_from(Health))
    instance = Instance(
        id=f"{service}-{number}",
        service=service,
        node=NODE,
        port=draw(st.sampled_from((8080, 9090))),
        checks=draw(st.sampled_from(((), (Check("c", "c", health),)))),
    )
    return Fact(("instance", instance.id), instance)


@st.composite
def sidecars(draw: st.DrawFn) -> Fact:
    service = draw(services)
    parent = f"{service}-{draw(st.integers(1, 2))}"
    instance = Instance(
        id=f"{parent}-sidecar-proxy",
        service=f"{service}-sidecar-proxy",
        node=NODE,
        kind=Kind.CONNECT_PROXY,
        port=draw(st.sampled_from((21000, 21001))),
        meta={"version": draw(st.sampled_from("12"))},
        weights=Weights(draw(st.integers(0, 2)), 1),
        proxy=Proxy(service, parent, local_service_port=8080),
    )
    return Fact(("instance", instance.id), instance)


@st.composite
def clients(draw: st.DrawFn) -> Fact:
    upstreams = draw(st.lists(services, unique=True))
    proxy = Proxy(
        draw(st.sampled_from(("client", "other"))),
        local_service_port=80,
        upstreams=tuple(Upstream(name, 5000 + index) for index, name in enumerate(upstreams)),
    )
    proxy_id = draw(st.sampled_from(PROXIES))
    return Fact(
        ("instance", proxy_id),
        Instance(proxy_id, "client-sidecar-proxy", NODE, Kind.CONNECT_PROXY, port=20000, proxy=proxy),
    )


@st.composite
def deregistrations(draw: st.DrawFn) -> list[Fact]:
    """An application goes together with its sidecar, as by one call of the API."""
    application = f"{draw(services)}-{draw(st.integers(1, 2))}"
    return [Fact(("instance", each), None) for each in (application, f"{application}-sidecar-proxy")]


@st.composite
def gateways(draw: st.DrawFn) -> Fact:
    """A mesh gateway, at times with the id that a sidecar has at others."""
    proxy_id = draw(st.sampled_from((GATEWAY, PROXIES[0])))
    health = draw(st.sampled_from(Health))
    gateway = Instance(
        proxy_id,
        "gateway",
        NODE,
        draw(st.sampled_from((Kind.MESH_GATEWAY, Kind.TERMINATING_GATEWAY))),
        port=8443,
        proxy=Proxy(""),
        checks=(Check("c", "c", health),),
    )
    return Fact(("instance", proxy_id), gateway)


well = st.booleans()
addresses = st.sampled_from(("10.0.1.1", "gw.example.com"))
remote_gateways = st.builds(
    lambda address, healthy: Fact(
        ("remote-gateways", "dc2"), RemoteGateways((RemoteGateway("g", address, 443, healthy),))
    ),
    addresses,
    well,
)
remote_instances = st.lists(st.builds(RemoteInstance, addresses, st.just(21000), healthy=well), max_size=2)
remote_services = st.builds(
    lambda service, instances: Fact(
        ("remote-service", "dc2", service), RemoteService((RemoteSubset("", tuple(instances)),))
    ),
    services,
    remote_instances,
)
control_planes = st.just(Fact(FEDERATION_ADDRESS, ServiceAddress("127.0.0.1", 8503)))
elsewhere = st.one_of(remote_gateways, remote_services, control_planes)
bundles = st.sampled_from(("one", "two")).map(lambda pem: Fact(("roots",), TrustBundle("td.consul", pem)))
facts = st.one_of(entries, applications(), sidecars(), clients(), bundles, gateways(), elsewhere)
changes = st.builds(
    lambda fact, gone: Fact(fact.key, None) if gone else fact, facts, st.integers(0, 4).map(lambda n: n == 0)
)
steps = st.lists(
    st.one_of(st.lists(changes, min_size=1, max_size=4), deregistrations(), st.sampled_from(PROXIES)),
    max_size=14,
)


def fresh(known: dict[FactKey, object]) -> Index:
    index = Index()
    index.apply(Batch(1, tuple(Fact(key, value) for key, value in known.items())))
    return index


@settings(max_examples=200, deadline=None)
@given(steps)
def test_incremental_equals_a_fresh_start(history: list[list[Fact] | str]) -> None:
    index = Index()
    known: dict[FactKey, object] = {("roots",): TrustBundle("td.consul", "one")}
    held: set[str] = set()
    index.apply(Batch(0, (Fact(("roots",), known["roots",]),)))
    for number, step in enumerate(history):
        if isinstance(step, str):
            (index.release if step in held else index.hold)(step)
            held ^= {step}
            continue
        views = {proxy: index.view(proxy) for proxy in held}
        known |= {fact.key: fact.value for fact in step}
        changed = index.apply(Batch(number, tuple(step)))
        known = {key: value for key, value in known.items() if value is not None}
        expected = fresh(known)
        assert {proxy: index.view(proxy) for proxy in held} == {proxy: expected.view(proxy) for proxy in held}
        assert changed == {proxy for proxy in held if index.view(proxy) != views[proxy]}


@given(st.lists(changes, max_size=12))
def test_nothing_is_kept_for_proxies_that_nobody_holds(history: list[Fact]) -> None:
    index = Index()
    for proxy in PROXIES:
        index.hold(proxy)
    for fact in history:
        index.apply(Batch(1, (fact,)))
    for proxy in PROXIES:
        index.release(proxy)
    for fact in history:
        index.apply(Batch(2, (Fact(fact.key, None),)))
    assert index.size == 0
