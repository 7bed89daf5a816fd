"""What callers are told of other datacenters, by the mode of their gateways; and what a gateway holds."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import health_check_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from google.protobuf import any_pb2

from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults
from xdsmesh.config.kinds.service_resolver import Redirect, ServiceResolver, Subset
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.index.tables import FEDERATION_ADDRESS
from xdsmesh.index.views import Index
from xdsmesh.model.catalog import Instance, Kind, Node, Proxy, ServiceAddress, Upstream
from xdsmesh.model.checks import Check, Health
from xdsmesh.model.facts import Batch, Fact
from xdsmesh.model.federation import (
    RemoteGateway,
    RemoteGateways,
    RemoteInstance,
    RemoteService,
    RemoteSubset,
)
from xdsmesh.model.resource import CLUSTER, ENDPOINT, LISTENER
from xdsmesh.model.trust import TrustBundle

NODE = Node("n1", "127.0.0.1", "dc1")
ROOTS = Fact(("roots",), TrustBundle("td.consul", "pem\n"))
CLIENT, GATEWAY = "client-1-sidecar-proxy", "gateway-1"
DB = "db.default.dc2.internal.td.consul"

CRITICAL = Check(id="c", name="c", status=Health.CRITICAL)
ONE = RemoteInstance("10.0.1.1", 21000)
TWO = RemoteInstance("10.0.1.2", 21000, weight=3)


def entry(value: Entry) -> Fact:
    return Fact(("entry", value.KIND, value.name), value)


def sidecar(service: str, *upstreams: str) -> Fact:
    calls = tuple(Upstream(name, 5000 + number) for number, name in enumerate(upstreams))
    proxy_id = f"{service}-1-sidecar-proxy"
    proxy = Proxy(service, f"{service}-1", local_service_port=8080, upstreams=calls)
    kind = Kind.CONNECT_PROXY
    return Fact(
        ("instance", proxy_id), Instance(proxy_id, f"{service}-sc", NODE, kind, port=21000, proxy=proxy)
    )


def own_gateway(number: int = 1, checks: tuple[Check, ...] = ()) -> Fact:
    gateway = Instance(
        f"gateway-{number}",
        "gateway",
        NODE,
        Kind.MESH_GATEWAY,
        address=f"10.0.1.{number}",
        port=8443,
        proxy=Proxy(""),
        checks=checks,
    )
    return Fact(("instance", gateway.id), gateway)


def gateways(*each: RemoteGateway) -> Fact:
    return Fact(("remote-gateways", "dc2"), RemoteGateways(each))


def db(*instances: RemoteInstance, v1: Sequence[RemoteInstance] = ()) -> Fact:
    subsets = (RemoteSubset("", instances), RemoteSubset("v1", tuple(v1)))
    return Fact(("remote-service", "dc2", "db"), RemoteService(subsets))


THEIRS = (RemoteGateway("a", "203.0.113.1", 443), RemoteGateway("b", "203.0.113.2", 443, healthy=False))


def mesh(mode: str, *facts: Fact, subset: str = "") -> Index:
    redirect = Redirect(datacenter="dc2", service_subset=subset)
    subsets = entry(ServiceResolver(name="db", redirect=redirect))
    index = Index()
    defaults = entry(ProxyDefaults(name="global", mesh_gateway=MeshGateway(mode)))
    both = (own_gateway(), gateways(*THEIRS), db(ONE, TWO))
    index.apply(Batch(1, (ROOTS, defaults, subsets, sidecar("client", "db"), *both, *facts)))
    return index


def told(index: Index) -> list[tuple[str, int, bool]]:
    """What the client is told of db: addresses, ports, and whether each is well."""
    view = index.view(CLIENT)
    assert view is not None
    (resource,) = view.of(ENDPOINT).values()
    message = endpoint_pb2.ClusterLoadAssignment.FromString(any_pb2.Any.FromString(resource.any).value)
    return [
        (
            each.endpoint.address.socket_address.address,
            each.endpoint.address.socket_address.port_value,
            each.health_status == health_check_pb2.HEALTHY,
        )
        for locality in message.endpoints
        for each in locality.lb_endpoints
    ]


@pytest.mark.parametrize("mode", ["", "none"])
def test_without_gateways_callers_are_told_the_instances(mode: str) -> None:
    ill = replace(ONE, healthy=False)
    assert told(mesh(mode, db(ill, TWO))) == [("10.0.1.1", 21000, False), ("10.0.1.2", 21000, True)]


def test_callers_use_their_own_gateways_or_those_of_the_other_datacenter() -> None:
    assert told(mesh("local")) == [("10.0.1.1", 8443, True)]
    assert told(mesh("remote")) == [("203.0.113.1", 443, True), ("203.0.113.2", 443, False)]


@pytest.mark.parametrize("mode", ["local", "remote"])
def test_a_gateway_is_well_only_if_somebody_behind_it_is(mode: str) -> None:
    ill = [replace(each, healthy=False) for each in (ONE, TWO)]
    assert not any(well for _, _, well in told(mesh(mode, db(*ill))))
    assert any(well for _, _, well in told(mesh(mode, db(ill[0], TWO))))


def test_own_gateways_are_ill_if_their_checks_are_or_no_other_one_can_be_reached() -> None:
    assert told(mesh("local", own_gateway(1, (CRITICAL,)))) == [("10.0.1.1", 8443, False)]
    assert told(mesh("local", gateways(THEIRS[1]))) == [("10.0.1.1", 8443, False)]


def test_several_gateways_share_the_calls() -> None:
    both = [("10.0.1.1", 8443, True), ("10.0.1.2", 8443, True)]
    assert told(mesh("local", own_gateway(2))) == both


@pytest.mark.parametrize("mode", ["none", "local", "remote"])
def test_a_service_that_the_other_datacenter_does_not_have_has_no_endpoints(mode: str) -> None:
    assert told(mesh(mode, Fact(("remote-service", "dc2", "db"), None))) == []


@pytest.mark.parametrize("mode", ["none", "local", "remote"])
def test_a_subset_is_as_the_other_datacenter_says(mode: str) -> None:
    ill = replace(ONE, healthy=False)
    subsets = entry(ServiceResolver(name="api", subsets={"v1": Subset(filter="Service.Meta.a == b")}))
    index = Index()
    to_subset = entry(
        ServiceResolver(name="db", redirect=Redirect("api", service_subset="v1", datacenter="dc2"))
    )
    api = Fact(
        ("remote-service", "dc2", "api"),
        RemoteService((RemoteSubset("", (TWO,)), RemoteSubset("v1", (ill,)))),
    )
    defaults = entry(ProxyDefaults(name="global", mesh_gateway=MeshGateway(mode)))
    facts = (
        ROOTS,
        defaults,
        subsets,
        to_subset,
        sidecar("client", "db"),
        own_gateway(),
        gateways(*THEIRS),
        api,
    )
    index.apply(Batch(1, facts))

    assert told(index)
    assert not any(well for _, _, well in told(index))


@pytest.mark.parametrize("mode", ["local", "remote"])
def test_the_health_of_one_of_many_changes_nothing_for_callers_behind_a_gateway(mode: str) -> None:
    index = mesh(mode)
    index.hold(CLIENT)
    index.work.clear()

    assert index.apply(Batch(2, (db(replace(ONE, healthy=False), TWO),))) == frozenset()
    assert index.work == {"somebody": 1}


def test_it_does_for_those_who_call_it_directly() -> None:
    index = mesh("none")
    index.hold(CLIENT)
    assert index.apply(Batch(2, (db(replace(ONE, healthy=False), TWO),))) == {CLIENT}


def test_addresses_that_are_names_come_with_their_cluster() -> None:
    named = RemoteGateway("c", "gw.example.com", 443)
    view = mesh("remote", gateways(THEIRS[0], named)).view(CLIENT)
    assert view is not None
    assert not view.of(ENDPOINT)
    content = any_pb2.Any.FromString(view.of(CLUSTER)[DB].any).value
    cluster = cluster_pb2.Cluster.FromString(content)
    assert cluster.type == cluster_pb2.Cluster.STRICT_DNS
    hosts = [
        each.endpoint.address.socket_address for each in cluster.load_assignment.endpoints[0].lb_endpoints
    ]
    assert [host.address for host in hosts] == ["203.0.113.1", "gw.example.com"]
    assert view.of(CLUSTER)[DB].eds_name == ""


def test_callers_expect_the_service_of_the_other_datacenter() -> None:
    for mode in ("none", "local", "remote"):
        view = mesh(mode).view(CLIENT)
        assert view is not None
        assert b"spiffe://td.consul/ns/default/dc/dc2/svc/db" in view.of(CLUSTER)[DB].any


# --- the gateway itself


def gateway_of(*facts: Fact) -> Index:
    index = Index()
    index.apply(Batch(1, (ROOTS, own_gateway(), *facts)))
    index.hold(GATEWAY)
    return index


def test_a_gateway_with_nothing_to_forward_does_not_listen() -> None:
    view = gateway_of().view(GATEWAY)
    assert view is not None
    assert not view.of(LISTENER)
    assert view.spiffe_id == "spiffe://td.consul/gateway/mesh/dc/dc1"


def test_a_gateway_has_clusters_for_what_can_be_forwarded_and_no_secret() -> None:
    subsets = entry(ServiceResolver(name="web", subsets={"v1": Subset()}))
    control_plane = Fact(FEDERATION_ADDRESS, ServiceAddress("127.0.0.1", 8503))
    view = gateway_of(sidecar("web"), subsets, gateways(*THEIRS), control_plane).view(GATEWAY)
    assert view is not None
    assert sorted(view.of(CLUSTER)) == [
        "dc2.internal.td.consul",
        "server.dc1.consul",
        "v1.web.default.dc1.internal.td.consul",
        "web.default.dc1.internal.td.consul",
    ]
    assert not view.secrets


def test_services_that_differ_in_case_alone_have_one_chain_which_leads_to_the_lower_one() -> None:
    view = gateway_of(sidecar("Web"), sidecar("web"), sidecar("Shop")).view(GATEWAY)
    assert view is not None
    assert sorted(view.of(CLUSTER)) == [
        "Shop.default.dc1.internal.td.consul",
        "web.default.dc1.internal.td.consul",
    ]
    (listener,) = view.of(LISTENER).values()
    assert b"Web.default" not in listener.any


def test_a_listener_changes_with_what_there_is_and_not_with_its_health() -> None:
    index = gateway_of(sidecar("web"), gateways(*THEIRS))
    before = index.view(GATEWAY)
    index.work.clear()
    index.apply(Batch(2, (gateways(replace(THEIRS[0], healthy=False), THEIRS[1]),)))
    after = index.view(GATEWAY)

    assert before is not None
    assert after is not None
    assert before.of(LISTENER) == after.of(LISTENER)
    assert "gateway_listeners" not in index.work
    index.apply(Batch(3, (sidecar("api"),)))
    assert index.work["gateway_listeners"] == 1


def test_gateways_that_are_all_said_to_be_ill_are_tried_all_the_same() -> None:
    well = gateway_of(gateways(THEIRS[0])).view(GATEWAY)
    ill = gateway_of(gateways(replace(THEIRS[0], healthy=False))).view(GATEWAY)
    assert well is not None
    assert ill is not None
    assert well.of(ENDPOINT) == ill.of(ENDPOINT)


def test_what_gateways_have_in_common_is_made_once() -> None:
    index = gateway_of(own_gateway(2), sidecar("web"))
    index.work.clear()
    index.hold("gateway-2")
    assert index.work == {"view": 1, "forwarder": 1, "gateway_listeners": 1, "encoded": 1}


def test_the_entries_behind_what_a_gateway_holds_are_known() -> None:
    subsets = entry(ServiceResolver(name="web", subsets={"v1": Subset()}))
    defaults = entry(ProxyDefaults(name="global"))
    index = gateway_of(sidecar("web"), subsets, defaults)
    cluster = "v1.web.default.dc1.internal.td.consul"
    assert index.entries_behind(GATEWAY, CLUSTER, cluster) == (("entry", "service-resolver", "web"),)
    listener = "default:10.0.1.1:8443"
    assert index.entries_behind(GATEWAY, LISTENER, listener) == (("entry", "proxy-defaults", "global"),)


@pytest.mark.parametrize("kind", [Kind.TERMINATING_GATEWAY, Kind.INGRESS_GATEWAY, Kind.API_GATEWAY])
def test_other_gateways_are_not_served(kind: Kind) -> None:
    edge = Instance("edge", "edge", NODE, kind, port=8443, proxy=Proxy(""))
    assert gateway_of(Fact(("instance", "edge"), edge)).view("edge") is None
