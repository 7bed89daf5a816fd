from dataclasses import replace

import pytest

from xdsmesh.ir.endpoints import build_endpoints
from xdsmesh.ir.types import Endpoint, EndpointTarget
from xdsmesh.model.catalog import Instance, Kind, Node, Proxy, Weights
from xdsmesh.model.checks import Check, Health

NODE = Node("node-1", "127.0.0.9", "dc1")
ADMIN = EndpointTarget("admin", "dc1")
EVEN = Weights()


def sidecar(address: str = "127.0.0.2", port: int = 21000, **meta: str) -> Instance:
    return Instance(
        id=f"admin-{address}-{port}-sidecar-proxy",
        service="admin-sidecar-proxy",
        node=NODE,
        kind=Kind.CONNECT_PROXY,
        address=address,
        port=port,
        meta=meta,
        proxy=Proxy("admin"),
    )


def with_health(health: Health, weights: Weights = EVEN) -> Instance:
    return replace(sidecar(), checks=(Check("c", "c", health),), weights=weights)


def test_endpoints_are_sorted_by_address_and_port_whatever_the_order_of_the_catalog() -> None:
    instances = [sidecar("127.0.0.3"), sidecar("127.0.0.2", 21001), sidecar("127.0.0.2", 21000)]
    expected = (Endpoint("127.0.0.2", 21000), Endpoint("127.0.0.2", 21001), Endpoint("127.0.0.3", 21000))
    assert build_endpoints(ADMIN, instances) == expected
    assert build_endpoints(ADMIN, instances[::-1]) == expected


def test_an_instance_without_an_address_is_reached_at_its_node() -> None:
    assert build_endpoints(ADMIN, [sidecar("")]) == (Endpoint("127.0.0.9", 21000),)


def test_a_subset_takes_the_instances_that_match_its_filter() -> None:
    subset = replace(ADMIN, filter="Service.Meta.version == 2")
    instances = [sidecar("127.0.0.2", version="1"), sidecar("127.0.0.3", version="2"), sidecar("127.0.0.4")]
    assert build_endpoints(subset, instances) == (Endpoint("127.0.0.3", 21000),)


def test_instances_of_another_datacenter_are_left_out() -> None:
    away = replace(sidecar(), node=replace(NODE, datacenter="dc2"))
    assert build_endpoints(ADMIN, [away]) == ()


@pytest.mark.parametrize(
    ("health", "only_passing", "healthy"),
    [
        (Health.PASSING, False, True),
        (Health.WARNING, False, True),
        (Health.CRITICAL, False, False),
        (Health.PASSING, True, True),
        (Health.WARNING, True, False),
        (Health.CRITICAL, True, False),
    ],
)
def test_unhealthy_instances_are_kept_and_marked(
    health: Health, *, only_passing: bool, healthy: bool
) -> None:
    target = replace(ADMIN, only_passing=only_passing)
    assert build_endpoints(target, [with_health(health)]) == (Endpoint("127.0.0.2", 21000, 1, healthy),)


@pytest.mark.parametrize(
    ("health", "weights", "weight", "healthy"),
    [
        (Health.PASSING, Weights(7, 3), 7, True),
        (Health.WARNING, Weights(7, 3), 3, True),
        (Health.PASSING, Weights(129, 1), 128, True),
        (Health.PASSING, Weights(0, 1), 1, False),
        (Health.WARNING, Weights(1, 0), 1, False),
    ],
)
def test_weights_are_those_of_the_state_and_within_what_envoy_takes(
    health: Health, weights: Weights, weight: int, *, healthy: bool
) -> None:
    assert build_endpoints(ADMIN, [with_health(health, weights)]) == (
        Endpoint("127.0.0.2", 21000, weight, healthy),
    )


def test_of_several_at_one_address_the_healthiest_is_taken() -> None:
    good, bad = with_health(Health.PASSING), with_health(Health.CRITICAL, Weights(100, 100))
    expected = (Endpoint("127.0.0.2", 21000),)
    assert build_endpoints(ADMIN, [good, bad]) == build_endpoints(ADMIN, [bad, good]) == expected
