from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from xdsmesh.ir.types import EndpointTarget, LocalCluster, MeshCluster, Protocol, UpstreamTls
from xdsmesh.model.duration import Duration
from xdsmesh.translate.clusters import make_local_cluster, make_mesh_cluster

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
    assert common["tlsParams"] == {"tlsMinimumProtocolVersion": "TLSv1_2"}
    validation = common["combinedValidationContext"]
    assert validation["defaultValidationContext"]["matchTypedSubjectAltNames"] == [
        {"sanType": "URI", "matcher": {"exact": SPIFFE_ID}}
    ]
    assert validation["validationContextSdsSecretConfig"]["name"] == "roots"
    assert [secret["name"] for secret in common["tlsCertificateSdsSecretConfigs"]] == ["leaf"]


@pytest.mark.parametrize("accepted", [(), ("",)])
def test_a_cluster_that_would_accept_anybody_cannot_be_made(accepted: tuple[str, ...]) -> None:
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
