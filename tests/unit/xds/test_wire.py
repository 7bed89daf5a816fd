"""The bytes of requests and responses, read and checked with Envoy's own messages."""

from typing import Any

import pytest
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf.any_pb2 import Any as AnyMessage

from xdsmesh.model.resource import CLUSTER, ENDPOINT, EncodedResource
from xdsmesh.xds.messages import DeltaRequest, Response, SotwRequest
from xdsmesh.xds.wire import DELTA, SOTW, BadRequestError


def envoy_node() -> dict[str, Any]:
    return {
        "id": "web-1",
        "user_agent_build_version": {"version": {"major_number": 1, "minor_number": 40, "patch": 2}},
        "extensions": [{"name": f"envoy.filters.{n}", "category": "x" * 100} for n in range(500)],
    }


def assignment(name: str, size: int = 0) -> EncodedResource:
    packed = AnyMessage()
    packed.Pack(endpoint_pb2.ClusterLoadAssignment(cluster_name=name + "é" * size))
    return EncodedResource(ENDPOINT, name, f"v-{name}", packed.SerializeToString())


def test_a_delta_request_is_read_whatever_its_node() -> None:
    message = discovery_pb2.DeltaDiscoveryRequest(
        node=envoy_node(),
        type_url=ENDPOINT,
        resource_names_subscribe=["a", "b"],
        resource_names_unsubscribe=["c"],
        initial_resource_versions={"a": "1"},
        response_nonce="7",
    )
    expected = DeltaRequest(ENDPOINT, "7", None, ("a", "b"), ("c",), {"a": "1"})
    assert DELTA.parse(message.SerializeToString()) == expected
    message.ClearField("node")
    assert DELTA.parse(message.SerializeToString()) == expected


def test_a_sotw_request_is_read_whatever_its_node_and_version() -> None:
    message = discovery_pb2.DiscoveryRequest(
        node=envoy_node(), type_url=CLUSTER, resource_names=["a"], version_info="v", response_nonce="7"
    )
    assert SOTW.parse(message.SerializeToString()) == SotwRequest(CLUSTER, "7", None, ("a",), "v")
    message.ClearField("version_info")
    assert SOTW.parse(message.SerializeToString()) == SotwRequest(CLUSTER, "7", None, ("a",), "")
    message.ClearField("node")
    assert SOTW.parse(message.SerializeToString()) == SotwRequest(CLUSTER, "7", None, ("a",), "")


def test_a_node_behind_the_other_fields_does_no_harm() -> None:
    node = discovery_pb2.DeltaDiscoveryRequest(node=envoy_node()).SerializeToString()
    rest = discovery_pb2.DeltaDiscoveryRequest(type_url=CLUSTER).SerializeToString()
    assert DELTA.parse(rest + node) == DeltaRequest(CLUSTER)


@pytest.mark.parametrize(("detail", "error"), [({"message": "bad"}, "bad"), ({}, "")])
def test_an_error_makes_a_nack_even_without_a_text(detail: dict[str, str], error: str) -> None:
    delta = discovery_pb2.DeltaDiscoveryRequest(type_url=CLUSTER, error_detail=detail)
    sotw = discovery_pb2.DiscoveryRequest(type_url=CLUSTER, error_detail=detail)
    assert DELTA.parse(delta.SerializeToString()).error == error
    assert SOTW.parse(sotw.SerializeToString()).error == error


@pytest.mark.parametrize(
    "data", [b"\xff", b"\x0a\x7f", b"\x0a\xff\xff\xff", b"\x22\x02\xff\xff", b"\x12\x05ab"]
)
def test_bytes_that_are_no_request_are_refused(data: bytes) -> None:
    for variant in (DELTA, SOTW):
        with pytest.raises(BadRequestError, match="discovery service"):
            variant.parse_node(data)
        with pytest.raises(BadRequestError, match="discovery service"):
            variant.parse(data)


def test_a_name_without_bounds_is_refused() -> None:
    message = discovery_pb2.DeltaDiscoveryRequest(type_url=ENDPOINT, resource_names_subscribe=["x" * 5000])
    with pytest.raises(BadRequestError, match="4096"):
        DELTA.parse(message.SerializeToString())


def test_the_node_says_who_asks_and_with_which_envoy() -> None:
    message = discovery_pb2.DeltaDiscoveryRequest(node=envoy_node())
    node = DELTA.parse_node(message.SerializeToString())
    assert (node.id, node.envoy_version) == ("web-1", "1.40.2")
    foreign = discovery_pb2.DiscoveryRequest(node={"id": "g", "user_agent_version": "grpc 1.85"})
    assert SOTW.parse_node(foreign.SerializeToString()).envoy_version == "grpc 1.85"


@pytest.mark.parametrize("size", [0, 50, 10_000])
def test_a_delta_response_decodes_as_envoy_would(size: int) -> None:
    resources = (assignment("a", size), assignment("ü" * 70))
    data = DELTA.encode(Response(ENDPOINT, "12", "v", resources, ("gone", "x" * 200)))
    message = discovery_pb2.DeltaDiscoveryResponse.FromString(data)
    assert (message.type_url, message.nonce, message.system_version_info) == (ENDPOINT, "12", "v")
    assert list(message.removed_resources) == ["gone", "x" * 200]
    for resource, sent in zip(resources, message.resources, strict=True):
        assert (sent.name, sent.version) == (resource.name, resource.version)
        assert sent.resource.SerializeToString() == resource.any
        assert sent.resource.type_url == ENDPOINT


def test_a_sotw_response_decodes_as_envoy_would() -> None:
    resources = (assignment("a", 50), assignment("b"))
    data = SOTW.encode(Response(ENDPOINT, "12", "v", resources, ("known to be gone",)))
    message = discovery_pb2.DiscoveryResponse.FromString(data)
    assert (message.type_url, message.nonce, message.version_info) == (ENDPOINT, "12", "v")
    assert [sent.SerializeToString() for sent in message.resources] == [it.any for it in resources]
