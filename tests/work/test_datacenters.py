"""What a change in another datacenter costs here, counted, where a thousand proxies call what is there."""

import pytest

from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.index.views import Index
from xdsmesh.model.catalog import Instance, Kind, Node, Proxy, Upstream
from xdsmesh.model.facts import Batch, Fact
from xdsmesh.model.federation import (
    RemoteGateway,
    RemoteGateways,
    RemoteInstance,
    RemoteService,
    RemoteSubset,
)
from xdsmesh.model.trust import TrustBundle

NODE = Node("n1", "127.0.0.1", "dc1")
CALLERS = 1000
GATEWAY = "gateway-1"


def caller(number: int) -> Fact:
    """The even ones call db in dc2, the odd ones cache."""
    name = "cache" if number % 2 else "db"
    upstream = Upstream(name, 5000, datacenter="dc2")
    proxy = Proxy("web", f"web-{number}", local_service_port=8080, upstreams=(upstream,))
    proxy_id = f"web-{number}-sidecar-proxy"
    instance = Instance(proxy_id, "web-sidecar-proxy", NODE, Kind.CONNECT_PROXY, port=21000, proxy=proxy)
    return Fact(("instance", proxy_id), instance)


def service(name: str, *, healthy: int) -> Fact:
    """One with two instances, of which so many are healthy."""
    instances = tuple(
        RemoteInstance(f"10.0.1.{number}", 21000, healthy=number <= healthy) for number in (1, 2)
    )
    return Fact(("remote-service", "dc2", name), RemoteService((RemoteSubset("", instances),)))


def gateways(*, healthy: bool) -> Fact:
    theirs = (RemoteGateway("a", "203.0.113.1", 443), RemoteGateway("b", "203.0.113.2", 443, healthy=healthy))
    return Fact(("remote-gateways", "dc2"), RemoteGateways(theirs))


def mesh(mode: str) -> Index:
    gateway = Instance(
        GATEWAY, "gateway", NODE, Kind.MESH_GATEWAY, address="10.0.1.9", port=8443, proxy=Proxy("")
    )
    defaults = ProxyDefaults(name="global", mesh_gateway=MeshGateway(mode))
    index = Index()
    facts = (
        Fact(("roots",), TrustBundle("td.consul", "pem\n")),
        Fact(("entry", defaults.KIND, defaults.name), defaults),
        Fact(("instance", GATEWAY), gateway),
        *(caller(number) for number in range(CALLERS)),
        gateways(healthy=True),
        service("db", healthy=2),
        service("cache", healthy=2),
    )
    index.apply(Batch(1, facts))
    for number in range(CALLERS):
        index.hold(f"web-{number}-sidecar-proxy")
    index.hold(GATEWAY)
    index.work.clear()
    return index


@pytest.mark.parametrize("mode", ["local", "remote"])
def test_one_instance_of_several_elsewhere_costs_a_glance(mode: str) -> None:
    index = mesh(mode)
    assert index.apply(Batch(2, (service("db", healthy=1),))) == frozenset()
    assert index.work == {"somebody": 1}


@pytest.mark.parametrize("mode", ["local", "remote"])
def test_the_last_instance_elsewhere_costs_one_resource_and_its_callers_alone_are_told(mode: str) -> None:
    index = mesh(mode)
    changed = index.apply(Batch(2, (service("db", healthy=0),)))

    assert changed == {f"web-{number}-sidecar-proxy" for number in range(0, CALLERS, 2)}
    assert index.work.pop("view") == CALLERS // 2
    once = ("somebody", "endpoints", "named_endpoints", "upstream_endpoints", "encoded", "merged")
    assert index.work == dict.fromkeys(once, 1)


def test_without_gateways_each_change_of_an_instance_reaches_its_callers_alone() -> None:
    index = mesh("none")
    changed = index.apply(Batch(2, (service("db", healthy=1),)))

    assert changed == {f"web-{number}-sidecar-proxy" for number in range(0, CALLERS, 2)}
    assert "gateway_endpoints" not in index.work
    assert (index.work["encoded"], index.work["upstream_endpoints"]) == (1, 1)


def test_where_own_gateways_forward_only_these_are_told_of_the_others_gateways() -> None:
    index = mesh("local")
    assert index.apply(Batch(2, (gateways(healthy=False),))) == {GATEWAY}
    assert index.work["encoded"] == 1
    assert index.work["view"] == 1
