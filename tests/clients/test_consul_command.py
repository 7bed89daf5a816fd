"""What a stock ``consul connect envoy`` asks, in its order, read as strictly as the Go client reads it."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, TypeVar

import grpc
import httpx
import msgspec
import pytest
from envoy.service.discovery.v3.ads_pb2_grpc import AggregatedDiscoveryServiceStub
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest
from msgspec import Struct

from xdsmesh.model.resource import CLUSTER, LISTENER

T = TypeVar("T")


class GoUpstream(Struct):
    DestinationType: str
    DestinationName: str
    LocalBindAddress: str = ""
    LocalBindPort: int = 0
    Config: dict[str, Any] | None = None


class GoProxy(Struct):
    DestinationServiceName: str = ""
    DestinationServiceID: str = ""
    LocalServiceAddress: str = ""
    LocalServicePort: int = 0
    Mode: str = ""
    Config: dict[str, Any] | None = None
    Upstreams: list[GoUpstream] | None = None
    MeshGateway: dict[str, str] | None = None


class GoWeights(Struct):
    Passing: int
    Warning: int


class GoAddress(Struct):
    Address: str
    Port: int


class GoService(Struct):
    """The fields of a service whose types the Go client insists on."""

    ID: str
    Service: str
    Tags: list[str]
    Meta: dict[str, str]
    Port: int
    Address: str
    Weights: GoWeights
    EnableTagOverride: bool
    Kind: str = ""
    TaggedAddresses: dict[str, GoAddress] | None = None
    Proxy: GoProxy | None = None
    ContentHash: str = ""
    Datacenter: str = ""


class GoPorts(Struct):
    Plaintext: int
    TLS: int


class GoNodeServices(Struct):
    Node: dict[str, Any]
    Services: list[GoService]


def read(answer: httpx.Response, shape: type[T]) -> T:
    """The body as the Go client takes it: of status 200 only, and of these types only."""
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=shape)


def index_of(answer: httpx.Response) -> int:
    """The index; the Go client reads these headers in this order, and stops at the first that is wrong."""
    index = int(answer.headers["X-Consul-Index"])
    assert int(answer.headers["X-Consul-LastContact"]) == 0
    assert answer.headers["X-Consul-KnownLeader"] == "true"
    assert answer.headers["X-Consul-Default-ACL-Policy"] in ("allow", "deny")
    assert answer.headers["X-Consul-Effective-Consistency"] == "leader"
    return index


@pytest.fixture(scope="module")
def api(shared: Any) -> httpx.Client:
    """The client of a caller who has CONSUL_NAMESPACE and CONSUL_PARTITION set, and a token."""
    api: httpx.Client = shared.http
    api.params = httpx.QueryParams({"ns": "default", "partition": "default"})
    api.headers["X-Consul-Token"] = "ignored"
    return api


@pytest.fixture(scope="module")
def web(api: httpx.Client) -> str:
    """A service with a sidecar, as ``consul services register`` registers it; the id of the service."""
    upstream = {"DestinationName": "api", "LocalBindPort": 9191, "MeshGateway": {}}
    body = {
        "ID": "Web-1",
        "Name": "web",
        "Port": 8080,
        "Check": None,
        "Checks": None,
        "Connect": {
            "SidecarService": {
                "Check": None,
                "Checks": None,
                "Proxy": {"Upstreams": [upstream], "MeshGateway": {}, "Expose": {}},
            }
        },
    }
    answer = api.put("/v1/agent/service/register", json=body)
    assert (answer.status_code, answer.content) == (200, b"")
    return "Web-1"


def proxy_of(api: httpx.Client, service_id: str) -> str:
    """As ``-sidecar-for`` finds it."""
    services = read(api.get("/v1/agent/services"), dict[str, GoService])
    proxies = [
        each.ID
        for each in services.values()
        if each.Kind == "connect-proxy"
        and each.Proxy
        and each.Proxy.DestinationServiceID.lower() == service_id.lower()
    ]
    assert len(proxies) == 1
    return proxies[0]


def test_the_sidecar_is_found_by_its_service(api: httpx.Client, web: str) -> None:
    assert proxy_of(api, web.lower()) == "Web-1-sidecar-proxy"


def test_the_agent_tells_where_xds_is(api: httpx.Client, shared: Any) -> None:
    told = read(api.get("/v1/agent/self"), dict[str, dict[str, Any]])
    assert told["Config"]["BindAddr"] == "127.0.0.1"
    ports = msgspec.convert(told["xDS"]["Ports"], GoPorts)
    assert ports.TLS <= 0, "plaintext is taken only where there is no TLS"
    assert f"127.0.0.1:{ports.Plaintext}" == shared.xds


def test_acls_are_off_and_no_token_is_unknown(api: httpx.Client) -> None:
    answer = api.get("/v1/acl/token/self")
    assert answer.status_code == 401
    assert answer.text.startswith("ACL support disabled")
    assert "ACL not found" not in answer.text
    assert "Permission denied" not in answer.text


def test_the_proxy_is_read_with_what_is_configured_for_all(api: httpx.Client, web: str) -> None:
    proxy_id = proxy_of(api, web)
    missing = api.get("/v1/config/proxy-defaults/global")
    assert missing.status_code == 404
    assert missing.text.startswith("Config entry not found")
    assert index_of(missing) >= 1

    answer = api.get(f"/v1/agent/service/{proxy_id}")
    found = read(answer, GoService)
    assert found.Proxy
    assert found.Proxy.DestinationServiceName == "web"
    assert (found.Proxy.LocalServiceAddress, found.Proxy.LocalServicePort) == ("127.0.0.1", 8080)
    assert [each.DestinationType for each in found.Proxy.Upstreams or []] == ["service"]
    assert found.ContentHash == answer.headers["X-Consul-ContentHash"]

    bootstrap = {"envoy_prometheus_bind_addr": "127.0.0.1:9102", "envoy_stats_flush_interval": "10s"}
    entry = {"Kind": "proxy-defaults", "Name": "global", "Config": bootstrap, "MeshGateway": {}, "Expose": {}}
    assert "true" in api.put("/v1/config", json=entry).text
    merged = read(api.get(f"/v1/agent/service/{proxy_id}"), GoService)
    assert merged.Proxy
    assert (merged.Proxy.Config or {}).items() >= bootstrap.items()
    assert merged.ContentHash != found.ContentHash
    written = api.get("/v1/config/proxy-defaults/global")
    assert read(written, dict[str, Any])["Config"] == bootstrap
    assert index_of(written) == written.json()["ModifyIndex"]
    assert read(api.delete("/v1/config/proxy-defaults/global"), dict[str, Any]) == {}


def test_a_proxy_of_another_node_is_read_from_the_catalog(api: httpx.Client, web: str) -> None:
    node = api.get("/v1/agent/self").json()["Config"]["NodeName"]
    answer = api.get(
        f"/v1/catalog/node-services/{node}",
        params={"filter": f"ID == `{proxy_of(api, web)}`", "merge-central-config": ""},
    )
    found = read(answer, GoNodeServices)
    assert index_of(answer) >= 1
    assert found.Node["Node"] == node
    assert [each.Kind for each in found.Services] == ["connect-proxy"]


def test_a_gateway_is_looked_for_and_registered(api: httpx.Client) -> None:
    mesh_gateways = {"filter": "Kind == `mesh-gateway`"}
    assert read(api.get("/v1/agent/services", params=mesh_gateways), dict[str, GoService]) == {}
    lan, wan = {"Address": "10.0.0.1", "Port": 8443}, {"Address": "192.0.2.1", "Port": 443}
    body = {
        "Kind": "mesh-gateway",
        "ID": "mesh-gateway",
        "Name": "mesh-gateway",
        "Port": 8443,
        "Address": "10.0.0.1",
        "TaggedAddresses": {"lan": lan, "wan": wan},
        "Check": {
            "Name": "mesh-gateway listening",
            "Interval": "10s",
            "TCP": "10.0.0.1:8443",
            "DeregisterCriticalServiceAfter": "6h",
        },
        "Checks": None,
        "Proxy": {
            "Config": {
                "envoy_gateway_no_default_bind": True,
                "envoy_gateway_bind_addresses": {"public": {"Address": "0.0.0.0", "Port": 8443}},
            },
            "MeshGateway": {},
            "Expose": {},
        },
    }
    assert api.put("/v1/agent/service/register", json=body).status_code == 200
    found = read(api.get("/v1/agent/services", params=mesh_gateways), dict[str, GoService])
    assert found["mesh-gateway"].TaggedAddresses
    assert found["mesh-gateway"].TaggedAddresses["wan"] == GoAddress("192.0.2.1", 443)
    (check,) = read(api.get("/v1/health/checks/mesh-gateway"), list[dict[str, Any]])
    assert (check["Name"], check["Interval"]) == ("mesh-gateway listening", "10s")
    assert api.put("/v1/agent/service/deregister/mesh-gateway").status_code == 200


def test_the_envoy_that_it_starts_gets_what_it_asks_for(shared: Any, web: str) -> None:
    """As its bootstrap makes Envoy ask: by delta, with the node's metadata and an empty token."""

    def requests() -> Iterator[DeltaDiscoveryRequest]:
        first = DeltaDiscoveryRequest(type_url=CLUSTER)
        first.node.id, first.node.cluster = f"{web}-sidecar-proxy", "web"
        first.node.metadata.update({"namespace": "default", "partition": "default"})
        yield first
        yield DeltaDiscoveryRequest(type_url=LISTENER)

    with closing(grpc.insecure_channel(shared.xds)) as channel:
        stub = AggregatedDiscoveryServiceStub(channel)
        stream = stub.DeltaAggregatedResources(requests(), timeout=15, metadata=[("x-consul-token", "")])
        clusters = next(stream)
        stream.cancel()
    assert clusters.type_url == CLUSTER
    assert "local_app" in {each.name for each in clusters.resources}
