"""The whole server and a scripted delta client: what a stream gets as the catalog changes under it."""

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import grpc
import pytest
from cryptography import x509
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.extensions.transport_sockets.tls.v3.secret_pb2 import Secret
from envoy.service.discovery.v3.ads_pb2_grpc import AggregatedDiscoveryServiceStub
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse

from xdsmesh.model.resource import CLUSTER, ENDPOINT, SECRET

SECONDS = 15


class Client:
    """One delta stream of a proxy, which acknowledges everything."""

    def __init__(self, address: str, proxy_id: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self._news: SimpleQueue[DeltaDiscoveryRequest | None] = SimpleQueue()
        self._proxy_id = proxy_id
        stub = AggregatedDiscoveryServiceStub(self._channel)
        self._responses = stub.DeltaAggregatedResources(iter(self._news.get, None), timeout=SECONDS)

    def ask(self, type_url: str, *names: str) -> None:
        request = DeltaDiscoveryRequest(type_url=type_url, resource_names_subscribe=names)
        request.node.id = self._proxy_id
        self._news.put(request)

    def receive(self, type_url: str) -> DeltaDiscoveryResponse:
        """The next response of a type."""
        for response in self._responses:
            self._news.put(DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce))
            if response.type_url == type_url:
                return response
        raise AssertionError("the stream has ended")

    def close(self) -> None:
        self._news.put(None)
        self._channel.close()


Connect = Callable[[Any, str], Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    clients: list[Client] = []

    def connect_one(server: Any, proxy_id: str) -> Client:
        clients.append(Client(server.xds, proxy_id))
        return clients[-1]

    yield connect_one
    for client in clients:
        client.close()


def register(server: Any, name: str, *upstreams: str, service_id: str = "") -> None:
    calls = [{"DestinationName": each, "LocalBindPort": 9000 + n} for n, each in enumerate(upstreams)]
    body = {"Name": name, "ID": service_id or f"{name}-1", "Port": 80}
    body["Connect"] = {"SidecarService": {"Proxy": {"Upstreams": calls}}}
    server.http.put("/v1/agent/service/register", json=body).raise_for_status()


def hosts(response: DeltaDiscoveryResponse) -> int:
    assignment = ClusterLoadAssignment.FromString(response.resources[0].resource.value)
    return sum(len(locality.lb_endpoints) for locality in assignment.endpoints)


def identity(response: DeltaDiscoveryResponse) -> str:
    secrets = (Secret.FromString(each.resource.value) for each in response.resources)
    (leaf,) = (each for each in secrets if each.name == "leaf")
    chain = leaf.tls_certificate.certificate_chain.inline_string.encode()
    names = x509.load_pem_x509_certificate(chain).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    (uri,) = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    return uri


def test_a_service_may_go_and_come_back_while_its_callers_are_connected(
    start: Callable[..., Any], connect: Connect
) -> None:
    server = start("--dev")
    register(server, "admin")
    register(server, "web", "admin")
    client = connect(server, "web-1-sidecar-proxy")
    client.ask(CLUSTER)
    names = [each.name for each in client.receive(CLUSTER).resources]
    (cluster,) = (name for name in names if name.startswith("admin."))
    client.ask(ENDPOINT, cluster)
    assert hosts(client.receive(ENDPOINT)) == 1

    server.http.put("/v1/agent/service/deregister/admin-1").raise_for_status()
    assert hosts(client.receive(ENDPOINT)) == 0

    register(server, "admin")
    assert hosts(client.receive(ENDPOINT)) == 1


def test_a_proxy_that_becomes_another_service_starts_anew_with_the_other_identity(
    start: Callable[..., Any], connect: Connect
) -> None:
    server = start("--dev")
    register(server, "web", service_id="one")
    client = connect(server, "one-sidecar-proxy")
    client.ask(SECRET, "leaf", "roots")
    assert identity(client.receive(SECRET)).endswith("/svc/web")

    register(server, "shop", service_id="one")
    with pytest.raises(grpc.RpcError) as ended:
        client.receive(SECRET)
    assert ended.value.code() is grpc.StatusCode.NOT_FOUND

    again = connect(server, "one-sidecar-proxy")
    again.ask(SECRET, "leaf", "roots")
    assert identity(again.receive(SECRET)).endswith("/svc/shop")
