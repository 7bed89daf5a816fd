from typing import Any

import pytest

from xdsmesh.config.kinds.service_resolver import ServiceResolver, Subset
from xdsmesh.federation.summaries import remote_gateways, remote_service
from xdsmesh.model.catalog import Instance, Kind, Node, Proxy, ServiceAddress, Weights
from xdsmesh.model.checks import Check, Health
from xdsmesh.model.federation import RemoteGateway, RemoteInstance, RemoteService, RemoteSubset

NODE = Node("n1", "10.0.0.1", "dc1")


def sidecar(name: str = "db-1", port: int = 21000, health: Health = Health.PASSING, **more: Any) -> Instance:
    proxy = Proxy("db", name)
    checks = (Check("c", "c", health),)
    whole = {"node": NODE, "kind": Kind.CONNECT_PROXY, "proxy": proxy, "checks": checks, **more}
    return Instance(f"{name}-sidecar-proxy", "db-sidecar-proxy", port=port, **whole)


def of(subset: str, service: RemoteService) -> tuple[RemoteInstance, ...]:
    return service.subset(subset).instances


def test_a_service_without_subsets_is_one_of_no_name() -> None:
    told = remote_service([sidecar()], None)
    assert told == RemoteService((RemoteSubset("", (RemoteInstance("10.0.0.1", 21000),)),))


@pytest.mark.parametrize(
    ("instance", "address"),
    [
        (sidecar(), ("10.0.0.1", 21000)),
        (sidecar(address="10.0.0.9"), ("10.0.0.9", 21000)),
        (sidecar(tagged_addresses={"wan": ServiceAddress("198.51.100.1", 443)}), ("198.51.100.1", 443)),
        (sidecar(tagged_addresses={"wan": ServiceAddress("198.51.100.1")}), ("198.51.100.1", 21000)),
        (
            sidecar(node=Node("n1", "10.0.0.1", "dc1", tagged_addresses={"wan": "198.51.100.2"})),
            ("198.51.100.2", 21000),
        ),
        (
            sidecar(address="10.0.0.9", node=Node("n1", "10.0.0.1", "dc1", tagged_addresses={"wan": "::1"})),
            ("10.0.0.9", 21000),
        ),
        (sidecar(tagged_addresses={"wan": ServiceAddress("db.example.com")}), ("db.example.com", 21000)),
    ],
)
def test_an_instance_is_told_by_its_wan_address(instance: Instance, address: tuple[str, int]) -> None:
    (told,) = of("", remote_service([instance], None))
    assert (told.address, told.port) == address


def test_what_nobody_can_dial_is_not_told() -> None:
    odd = [sidecar(port=0), sidecar(address="fe80::1%eth0"), sidecar(address="no name")]
    assert of("", remote_service(odd, None)) == ()
    assert remote_gateways(odd).gateways == ()


def test_each_declared_subset_is_told_with_those_that_its_filter_takes() -> None:
    old, new = sidecar("db-1", 1, meta={"v": "1"}), sidecar("db-2", 2, meta={"v": "2"})
    subsets = {
        "v1": Subset("Service.Meta.v == 1"),
        "v2": Subset("Service.Meta.v == 2"),
        "v3": Subset("Service.Meta.v == 3"),
    }
    told = remote_service([old, new], ServiceResolver(name="db", subsets=subsets, default_subset="v2"))
    ports = {each.name: [instance.port for instance in each.instances] for each in told.subsets}
    assert ports == {"": [2], "v1": [1], "v2": [2], "v3": []}


def test_a_filter_looks_at_what_is_registered_and_not_at_the_wan_address() -> None:
    instance = sidecar(address="10.0.0.9", tagged_addresses={"wan": ServiceAddress("198.51.100.1")})
    resolver = ServiceResolver(name="db", subsets={"here": Subset('Service.Address == "10.0.0.9"')})
    assert [each.address for each in of("here", remote_service([instance], resolver))] == ["198.51.100.1"]


def test_a_filter_that_does_not_suit_has_no_instances() -> None:
    resolver = ServiceResolver(name="db", subsets={"odd": Subset("Service.Nothing == 1")})
    assert of("odd", remote_service([sidecar()], resolver)) == ()
    assert of("", remote_service([sidecar()], resolver)) != ()


def test_a_warning_counts_only_where_a_subset_says_so() -> None:
    instance = sidecar(health=Health.WARNING, weights=Weights(10, 3))
    told = remote_service([instance], ServiceResolver(name="db", subsets={"p": Subset(only_passing=True)}))
    assert [(each.healthy, each.weight) for each in of("", told)] == [(True, 3)]
    assert [(each.healthy, each.weight) for each in of("p", told)] == [(False, 3)]


def test_gateways_are_told_by_their_wan_addresses_and_whether_they_are_healthy() -> None:
    wan = {"wan": ServiceAddress("gateway.example.com", 443)}
    critical = (Check("c", "c", Health.CRITICAL),)
    gateways = [
        Instance("mgw-2", "mesh-gateway", NODE, Kind.MESH_GATEWAY, port=8443, checks=critical),
        Instance("mgw-1", "mesh-gateway", NODE, Kind.MESH_GATEWAY, port=8443, tagged_addresses=wan),
    ]
    assert remote_gateways(gateways, 7).gateways == (
        RemoteGateway("mgw-1", "gateway.example.com", 443),
        RemoteGateway("mgw-2", "10.0.0.1", 8443, healthy=False),
    )
