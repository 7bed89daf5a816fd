"""The whole server and a scripted delta client: what a stream gets as the catalog changes under it."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from cryptography import x509
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.extensions.transport_sockets.tls.v3.secret_pb2 import Secret
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryResponse

from xdsmesh.model.resource import CLUSTER, ENDPOINT, SECRET

Connect = Callable[..., Any]


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
