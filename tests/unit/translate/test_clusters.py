from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from xdsmesh.ir.types import (
    AggregateCluster,
    Balance,
    CircuitBreakers,
    EndpointTarget,
    LoadBalancing,
    LocalCluster,
    MeshCluster,
    OutlierDetection,
    Protocol,
    UpstreamTls,
)
from xdsmesh.model.duration import Duration
from xdsmesh.translate.clusters import make_aggregate_cluster, make_local_cluster, make_mesh_cluster

SNI = "admin.default.dc1.internal.example.consul"
SPIFFE_ID = "spiffe://example.consul/ns/default/dc/dc1/svc/admin"
MESH = MeshCluster(
    SNI, Protocol.HTTP, Duration.of(seconds=5), UpstreamTls(SNI, (SPIFFE_ID,)), EndpointTarget("admin", "dc1")
)
LOCAL = LocalCluster("local_app", "127.0.0.1", 8080, Protocol.HTTP, Duration.of(seconds=5))
OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def mesh(cluster: MeshCluster) -> dict[str, Any]:
    return dict(MessageToDict(make_mesh_cluster(cluster)))


def local(cluster: LocalCluster) -> dict[str, Any]:
    return dict(MessageToDict(make_local_cluster(cluster)))


def test_endpoints_come_over_ads_and_no_panic_sends_requests_to_the_unhealthy() -> None:
    made = mesh(MESH)
    assert made["type"] == "EDS"
    assert made["edsClusterConfig"] == {"edsConfig": {"ads": {}, "resourceApiVersion": "V3"}}
    assert made["commonLbConfig"] == {"healthyPanicThreshold": {}}
    assert made["outlierDetection"] == {}
    assert made["connectTimeout"] == "5s"


def test_the_other_side_must_be_the_service_itself() -> None:
    tls = mesh(MESH)["transportSocket"]["typedConfig"]
    assert tls["sni"] == SNI
    common = tls["commonTlsContext"]
    assert common["tlsParams"] == {
        "tlsMinimumProtocolVersion": "TLSv1_2",
        "tlsMaximumProtocolVersion": "TLSv1_3",
    }
    validation = common["combinedValidationContext"]
    assert validation["defaultValidationContext"]["matchTypedSubjectAltNames"] == [
        {"sanType": "URI", "matcher": {"exact": SPIFFE_ID}}
    ]
    assert validation["validationContextSdsSecretConfig"]["name"] == "roots"
    assert [secret["name"] for secret in common["tlsCertificateSdsSecretConfigs"]] == ["leaf"]


@pytest.mark.parametrize("accepted", [(), ("",)])
def test_ledger_02_a_cluster_that_would_accept_anybody_cannot_be_made(accepted: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="accepts no SPIFFE id"):
        UpstreamTls(SNI, accepted)


@pytest.mark.parametrize("protocol", [Protocol.HTTP2, Protocol.GRPC])
def test_http2_services_are_called_over_http2(protocol: Protocol) -> None:
    options = mesh(replace(MESH, protocol=protocol))["typedExtensionProtocolOptions"][OPTIONS]
    assert options["explicitHttpConfig"] == {"http2ProtocolOptions": {}}


@pytest.mark.parametrize("protocol", [Protocol.TCP, Protocol.HTTP])
def test_other_services_need_no_options(protocol: Protocol) -> None:
    assert "typedExtensionProtocolOptions" not in mesh(replace(MESH, protocol=protocol))
    assert "typedExtensionProtocolOptions" not in local(replace(LOCAL, protocol=protocol))


def test_limits_that_are_not_said_are_left_to_envoy_and_zero_is_said() -> None:
    limited = replace(MESH, circuit_breakers=CircuitBreakers(max_connections=5, max_requests=0))
    assert mesh(MESH)["circuitBreakers"] == {}
    assert mesh(limited)["circuitBreakers"] == {"thresholds": [{"maxConnections": 5, "maxRequests": 0}]}
    assert local(replace(LOCAL, circuit_breakers=CircuitBreakers(max_connections=7)))["circuitBreakers"] == {
        "thresholds": [{"maxConnections": 7}]
    }


def test_an_endpoint_that_fails_is_left_out_as_the_caller_wants() -> None:
    detection = OutlierDetection(Duration.of(seconds=1), 2, 0, 50, Duration.of(seconds=3), at_least_one=True)
    assert mesh(replace(MESH, outlier_detection=detection))["outlierDetection"] == {
        "interval": "1s",
        "consecutive5xx": 2,
        "enforcingConsecutive5xx": 0,
        "maxEjectionPercent": 50,
        "baseEjectionTime": "3s",
        "alwaysEjectOneHost": True,
    }


@pytest.mark.parametrize(
    ("balancing", "fields"),
    [
        (LoadBalancing(Balance.RANDOM), {"lbPolicy": "RANDOM"}),
        (LoadBalancing(Balance.MAGLEV), {"lbPolicy": "MAGLEV"}),
        (
            LoadBalancing(Balance.RING_HASH, 64, 512),
            {
                "lbPolicy": "RING_HASH",
                "ringHashLbConfig": {"minimumRingSize": "64", "maximumRingSize": "512"},
            },
        ),
        (
            LoadBalancing(Balance.LEAST_REQUEST, choice_count=5),
            {"lbPolicy": "LEAST_REQUEST", "leastRequestLbConfig": {"choiceCount": 5}},
        ),
    ],
)
def test_load_balancing(balancing: LoadBalancing, fields: dict[str, Any]) -> None:
    made = mesh(replace(MESH, load_balancing=balancing))
    said = {key for key in made if "lbPolicy" in key or "LbConfig" in key} - {"commonLbConfig"}
    assert {key: made[key] for key in said} == fields


def test_an_aggregate_has_members_in_order_and_balances_nothing_itself() -> None:
    made = MessageToDict(make_aggregate_cluster(AggregateCluster("web", ("b", "a"), Duration.of(seconds=2))))
    assert made["clusterType"]["name"] == "envoy.clusters.aggregate"
    assert made["clusterType"]["typedConfig"]["clusters"] == ["b", "a"]
    assert (made["lbPolicy"], made["connectTimeout"]) == ("CLUSTER_PROVIDED", "2s")
    assert not made.keys() & {"transportSocket", "edsClusterConfig", "outlierDetection", "type"}


def test_the_application_is_reached_in_plain_text_at_a_fixed_address() -> None:
    made = local(LOCAL)
    assert made["type"] == "STATIC"
    assert "transportSocket" not in made
    (locality,) = made["loadAssignment"]["endpoints"]
    (endpoint,) = locality["lbEndpoints"]
    assert endpoint["endpoint"]["address"]["socketAddress"] == {"address": "127.0.0.1", "portValue": 8080}


def test_an_http2_application_is_spoken_to_as_its_caller_speaks() -> None:
    options = local(replace(LOCAL, protocol=Protocol.GRPC))["typedExtensionProtocolOptions"][OPTIONS]
    assert options["useDownstreamProtocolConfig"] == {"httpProtocolOptions": {}, "http2ProtocolOptions": {}}
