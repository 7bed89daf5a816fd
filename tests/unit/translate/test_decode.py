"""Resources as people and Envoys read them, and what nobody may read."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2, config_source_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2, tls_pb2
from google.protobuf.any_pb2 import Any as AnyMessage

from xdsmesh.ir.types import Endpoint, LoadAssignment
from xdsmesh.model.trust import Leaf
from xdsmesh.translate.decode import as_json, decode
from xdsmesh.translate.encode import encode

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
Pair = Callable[..., tuple[str, str]]


def source(text: str) -> base_pb2.DataSource:
    return base_pb2.DataSource(inline_string=text)


def test_a_resource_is_shown_under_the_names_of_its_fields() -> None:
    shown = decode(encode(LoadAssignment("admin", (Endpoint("127.0.0.2", 21000, 7),))))
    (endpoint,) = shown["endpoints"][0]["lb_endpoints"]
    assert shown["cluster_name"] == "admin"
    assert endpoint["endpoint"]["address"]["socket_address"] == {"address": "127.0.0.2", "port_value": 21000}


def test_a_leaf_is_shown_without_its_key(pair: Pair) -> None:
    chain, key = pair()
    shown = decode(encode(Leaf("spiffe://c/ns/default/dc/dc1/svc/web", chain, key, NOON, NOON)))
    assert shown["tls_certificate"] == {
        "certificate_chain": {"inline_string": chain},
        "private_key": {"inline_string": "[redacted]"},
    }


def test_all_that_is_sensitive_is_redacted_in_any_field() -> None:
    certificate = common_pb2.TlsCertificate(
        password=source("s3cret"),
        pkcs12=base_pb2.DataSource(inline_bytes=b"s3cret"),
        private_key_provider=common_pb2.PrivateKeyProvider(provider_name="hsm", typed_config=AnyMessage()),
    )
    tickets = common_pb2.TlsSessionTicketKeys(keys=[source("s3cret"), source("s3cret")])
    generic = secret_pb2.GenericSecret(secret=source("s3cret"), secrets={"a": source("s3cret")})
    for secret in (
        secret_pb2.Secret(tls_certificate=certificate),
        secret_pb2.Secret(session_ticket_keys=tickets),
        secret_pb2.Secret(generic_secret=generic),
    ):
        shown = json.dumps(as_json(secret))
        assert "s3cret" not in shown
        assert "czNjcmV0" not in shown, "in base64"
        assert "[redacted]" in shown or "W3JlZGFjdGVkXQ==" in shown


def test_a_key_deep_inside_of_a_resource_is_redacted(pair: Pair) -> None:
    _, key = pair()
    certificate = common_pb2.TlsCertificate(private_key=source(key))
    context = tls_pb2.UpstreamTlsContext(
        common_tls_context=tls_pb2.CommonTlsContext(tls_certificates=[certificate])
    )
    packed = AnyMessage()
    packed.Pack(context)
    cluster = cluster_pb2.Cluster(
        name="a", transport_socket=base_pb2.TransportSocket(name="tls", typed_config=packed)
    )
    shown = as_json(cluster)
    assert "PRIVATE KEY" not in json.dumps(shown)
    tls = shown["transport_socket"]["typed_config"]
    assert tls["common_tls_context"]["tls_certificates"] == [{"private_key": {"inline_string": "[redacted]"}}]


def test_a_key_where_none_should_be_is_redacted_too(pair: Pair) -> None:
    _, key = pair()
    cluster = cluster_pb2.Cluster(name="a", alt_stat_name=f"x {key}")
    cluster.eds_cluster_config.eds_config.CopyFrom(config_source_pb2.ConfigSource(path=key))
    assert "PRIVATE KEY" not in json.dumps(as_json(cluster))
