from dataclasses import replace
from datetime import UTC, datetime

import pytest
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from google.protobuf import any_pb2

from xdsmesh.ir.types import Endpoint, EndpointTarget, LoadAssignment, MeshCluster, Protocol, UpstreamTls
from xdsmesh.model import resource
from xdsmesh.model.duration import Duration
from xdsmesh.model.resource import EncodedResource
from xdsmesh.model.trust import Leaf, TrustBundle
from xdsmesh.translate.encode import encode

ASSIGNMENT = LoadAssignment("admin", (Endpoint("127.0.0.2", 21000),))
CLUSTER = MeshCluster(
    "admin",
    Protocol.GRPC,
    Duration.of(seconds=5),
    UpstreamTls("admin", ("spiffe://x",)),
    EndpointTarget("admin", "dc1"),
)
LEAF = Leaf(
    "spiffe://x",
    chain_pem="CHAIN\n",
    key_pem="KEY\n",
    not_before=datetime(2026, 1, 1, tzinfo=UTC),
    not_after=datetime(2026, 1, 4, tzinfo=UTC),
)
BUNDLE = TrustBundle("x", "ROOT\n")


def secret(encoded: EncodedResource) -> secret_pb2.Secret:
    packed = any_pb2.Any.FromString(encoded.any)
    return secret_pb2.Secret.FromString(packed.value)


def test_a_resource_says_its_type_and_name() -> None:
    encoded = encode(ASSIGNMENT)
    assert (encoded.type_url, encoded.name) == (resource.ENDPOINT, "admin")
    assert any_pb2.Any.FromString(encoded.any).type_url == resource.ENDPOINT


def test_equal_values_have_equal_bytes_and_versions() -> None:
    again = LoadAssignment("admin", (Endpoint("127.0.0.2", 21000),))
    assert encode(again) == encode(ASSIGNMENT)


def test_the_version_is_the_same_in_every_process() -> None:
    assert encode(ASSIGNMENT).version == "70cff4f8d66b88e2"


def test_another_content_has_another_version() -> None:
    changed = replace(ASSIGNMENT, endpoints=(Endpoint("127.0.0.2", 21000, healthy=False),))
    assert encode(changed).version != encode(ASSIGNMENT).version


def test_a_cluster_says_which_endpoints_must_follow_it() -> None:
    assert encode(CLUSTER).eds_name == "admin"
    assert encode(ASSIGNMENT).eds_name == ""


def test_the_endpoints_of_a_cluster_are_no_part_of_it() -> None:
    moved = replace(CLUSTER, target=EndpointTarget("admin", "dc1", "Service.Meta.version == 2"))
    assert encode(moved) == encode(CLUSTER)


def test_a_leaf_is_the_secret_that_clusters_and_listeners_name() -> None:
    encoded = encode(LEAF)
    assert (encoded.type_url, encoded.name) == (resource.SECRET, "leaf")
    certificate = secret(encoded).tls_certificate
    assert certificate.certificate_chain.inline_string == "CHAIN\n"
    assert certificate.private_key.inline_string == "KEY\n"


def test_the_roots_are_a_secret_too() -> None:
    encoded = encode(BUNDLE)
    assert (encoded.type_url, encoded.name) == (resource.SECRET, "roots")
    assert secret(encoded).validation_context.trusted_ca.inline_string == "ROOT\n"


@pytest.mark.parametrize("nothing", ["", "\n"])
def test_ledger_02_a_bundle_without_roots_is_refused_since_envoy_would_believe_anybody(nothing: str) -> None:
    with pytest.raises(ValueError, match="no root certificate"):
        encode(replace(BUNDLE, roots_pem=nothing))


def test_the_key_is_not_shown_where_a_secret_is_printed() -> None:
    assert "KEY" not in repr(encode(LEAF))
