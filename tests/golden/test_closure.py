"""Whatever a resource names is there too: Envoy never waits for something that will not come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xdsmesh.model.resource import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.golden.conftest import Case
    from xdsmesh.model.resource import ProxyView

    Decoded = dict[str, list[dict[str, Any]]]


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object inside a value, itself included."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def _named_clusters(value: Any) -> Iterator[str]:
    for each in _objects(value):
        if isinstance(cluster := each.get("cluster"), str):
            yield cluster
        for leg in each.get("weightedClusters", {}).get("clusters", ()):
            yield leg["name"]
        yield from each.get("clusterType", {}).get("typedConfig", {}).get("clusters", ())


def _names(resources: list[dict[str, Any]]) -> set[str]:
    return {each["name"] for each in resources}


def test_every_cluster_that_is_named_exists_and_none_is_left_over(decoded: Decoded) -> None:
    named = set(_named_clusters([decoded["listeners"], decoded["routes"], decoded["clusters"]]))
    assert named == _names(decoded["clusters"])


def test_every_route_configuration_that_is_named_exists(decoded: Decoded) -> None:
    named = {each["rds"]["routeConfigName"] for each in _objects(decoded["listeners"]) if "rds" in each}
    assert named == _names(decoded["routes"])


def test_every_cluster_that_takes_endpoints_has_them_and_no_other(view: ProxyView) -> None:
    assert {each.eds_name for each in view.clusters.values() if each.eds_name} == view.endpoints.keys()


def test_only_the_two_secrets_that_are_served_are_named(decoded: Decoded) -> None:
    named = {each["name"] for each in _objects(list(decoded.values())) if "sdsConfig" in each}
    assert named <= {"leaf", "roots"}


def test_every_mesh_cluster_accepts_one_identity_only(case: Case, decoded: Decoded) -> None:
    if case.is_gateway:
        return
    for cluster in decoded["clusters"]:
        if ".internal." in cluster["name"] and "clusterType" not in cluster:
            common = cluster["transportSocket"]["typedConfig"]["commonTlsContext"]
            validation = common["combinedValidationContext"]
            (accepted,) = validation["defaultValidationContext"]["matchTypedSubjectAltNames"]
            assert accepted["matcher"]["exact"].startswith("spiffe://")


def test_every_inbound_chain_demands_a_certificate(decoded: Decoded) -> None:
    for listener in decoded["listeners"]:
        if listener.get("trafficDirection") == "INBOUND":
            (chain,) = listener["filterChains"]
            assert chain["transportSocket"]["typedConfig"]["requireClientCertificate"] is True


def test_a_gateway_opens_no_tls_and_forwards_nothing_that_is_not_named(case: Case, decoded: Decoded) -> None:
    if not case.is_gateway:
        return
    assert not any("transportSocket" in each or "sdsConfig" in each for each in _objects([*decoded.values()]))
    for listener in decoded["listeners"]:
        assert "defaultFilterChain" not in listener
        for chain in listener["filterChains"]:
            assert chain["filterChainMatch"].keys() == {"serverNames"}
            assert all(chain["filterChainMatch"]["serverNames"])


def test_every_resource_lies_under_its_own_name(view: ProxyView) -> None:
    for type_url in TYPES:
        for name, resource in view.of(type_url).items():
            assert (resource.name, resource.type_url) == (name, type_url)
