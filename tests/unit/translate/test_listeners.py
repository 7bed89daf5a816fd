from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from xdsmesh.ir.normalization import EscapedSlashes, Normalization, Underscores
from xdsmesh.ir.types import (
    Direction,
    DownstreamTls,
    HttpManager,
    Listener,
    Protocol,
    TcpProxy,
)
from xdsmesh.translate.listeners import make_listener

PUBLIC = Listener(
    name="public_listener:127.0.0.2:21000",
    address="127.0.0.2",
    port=21000,
    direction=Direction.INBOUND,
    filter=HttpManager(
        "public_listener",
        Protocol.HTTP,
        "public_listener:web",
        authorizes=True,
        forward_client_cert=True,
        normalization=Normalization(),
    ),
    tls=DownstreamTls(("http/1.1",)),
)
UPSTREAM = Listener(
    name="web:127.0.0.1:9191",
    address="127.0.0.1",
    port=9191,
    direction=Direction.OUTBOUND,
    filter=HttpManager("upstream.web.default.default.dc1", Protocol.HTTP, "web"),
)


def made(listener: Listener) -> dict[str, Any]:
    return dict(MessageToDict(make_listener(listener)))


def chain(listener: Listener) -> dict[str, Any]:
    (only,) = made(listener)["filterChains"]
    return dict(only)


def filter_of(listener: Listener) -> dict[str, Any]:
    (only,) = chain(listener)["filters"]
    return dict(only)


def test_address_name_and_direction() -> None:
    listener = made(PUBLIC)
    assert listener["name"] == PUBLIC.name
    assert listener["address"] == {"socketAddress": {"address": "127.0.0.2", "portValue": 21000}}
    assert listener["trafficDirection"] == "INBOUND"
    assert made(UPSTREAM)["trafficDirection"] == "OUTBOUND"


def test_a_caller_of_the_mesh_must_show_a_certificate() -> None:
    socket = chain(PUBLIC)["transportSocket"]["typedConfig"]
    assert socket["requireClientCertificate"] is True
    ads = {"ads": {}, "resourceApiVersion": "V3"}
    assert socket["commonTlsContext"] == {
        "tlsParams": {
            "tlsMinimumProtocolVersion": "TLSv1_2",
            "tlsMaximumProtocolVersion": "TLSv1_3",
        },
        "tlsCertificateSdsSecretConfigs": [{"name": "leaf", "sdsConfig": ads}],
        "validationContextSdsSecretConfig": {"name": "roots", "sdsConfig": ads},
        "alpnProtocols": ["http/1.1"],
    }


def test_the_application_needs_no_certificate() -> None:
    assert "transportSocket" not in chain(UPSTREAM)


def test_what_a_caller_says_about_itself_is_replaced_by_its_certificate() -> None:
    manager = filter_of(PUBLIC)["typedConfig"]
    assert manager["forwardClientCertDetails"] == "SANITIZE_SET"
    assert manager["setCurrentClientCertDetails"] == {"subject": True, "dns": True, "uri": True}
    assert manager["normalizePath"] is True
    assert not manager.keys() & {"mergeSlashes", "pathWithEscapedSlashesAction", "commonHttpProtocolOptions"}


def test_nothing_of_that_where_the_application_calls() -> None:
    manager = filter_of(UPSTREAM)["typedConfig"]
    assert not manager.keys() & {"forwardClientCertDetails", "setCurrentClientCertDetails", "normalizePath"}


def test_routes_come_over_ads() -> None:
    assert filter_of(PUBLIC)["typedConfig"]["rds"]["routeConfigName"] == "public_listener:web"
    assert filter_of(UPSTREAM)["typedConfig"]["rds"] == {
        "routeConfigName": "web",
        "configSource": {"ads": {}, "resourceApiVersion": "V3"},
    }


def test_a_listener_without_its_routes_lets_nobody_by() -> None:
    decision, rbac, router = filter_of(PUBLIC)["typedConfig"]["httpFilters"]
    assert decision["name"] == "xdsmesh.decision"
    assert rbac["typedConfig"]["rules"] == {}, "an allow-list with nothing on it"
    assert router["name"] == "envoy.filters.http.router"


@pytest.mark.parametrize("listener", [PUBLIC, UPSTREAM])
def test_websockets_pass(listener: Listener) -> None:
    assert filter_of(listener)["typedConfig"]["upgradeConfigs"] == [{"upgradeType": "websocket"}]


@pytest.mark.parametrize(
    ("protocol", "filters", "http2"),
    [
        (Protocol.HTTP, ["router"], False),
        (Protocol.HTTP2, ["router"], True),
        (Protocol.GRPC, ["grpc_stats", "grpc_http1_bridge", "router"], True),
    ],
)
def test_filters_and_http2_by_protocol(protocol: Protocol, filters: list[str], *, http2: bool) -> None:
    manager = filter_of(replace(UPSTREAM, filter=HttpManager("s", protocol, "web")))["typedConfig"]
    names = [each["name"].removeprefix("envoy.filters.http.") for each in manager["httpFilters"]]
    assert names == filters
    assert ("http2ProtocolOptions" in manager) is http2


def test_a_tcp_listener_forwards_bytes() -> None:
    made_filter = filter_of(replace(UPSTREAM, filter=TcpProxy("upstream.db", "db")))
    assert made_filter["name"] == "envoy.filters.network.tcp_proxy"
    assert made_filter["typedConfig"]["cluster"] == "db"
    assert made_filter["typedConfig"]["statPrefix"] == "upstream.db"


def test_listeners_that_share_a_filter_chain_do_not_share_an_address() -> None:
    other = replace(PUBLIC, name="public_listener:127.0.0.3:21000", address="127.0.0.3")
    assert chain(PUBLIC) == chain(other)
    assert made(PUBLIC)["address"] != made(other)["address"]
    assert made(PUBLIC)["address"] == {"socketAddress": {"address": "127.0.0.2", "portValue": 21000}}


def test_bytes_of_one_address_can_be_kept_together() -> None:
    tcp = replace(UPSTREAM, filter=TcpProxy("p", "c", hash_source_ip=True))
    assert filter_of(tcp)["typedConfig"]["hashPolicy"] == [{"sourceIp": {}}]
    assert "hashPolicy" not in filter_of(replace(tcp, filter=TcpProxy("p", "c")))["typedConfig"]


def test_connections_are_counted_before_anything_is_done_with_them() -> None:
    first, second = chain(replace(PUBLIC, max_connections=7))["filters"]
    assert first["name"] == "envoy.filters.network.connection_limit"
    assert first["typedConfig"]["maxConnections"] == "7"
    assert first["typedConfig"]["statPrefix"] == "inbound_connection_limit"
    assert second == filter_of(PUBLIC)


def test_connections_are_balanced_only_where_that_is_wanted() -> None:
    assert made(replace(PUBLIC, exact_balance=True))["connectionBalanceConfig"] == {"exactBalance": {}}
    assert "connectionBalanceConfig" not in made(PUBLIC)


def test_the_size_of_headers_is_left_to_envoy_unless_it_is_said() -> None:
    large = replace(UPSTREAM, filter=HttpManager("p", Protocol.HTTP, "web", max_request_headers_kb=96))
    assert filter_of(large)["typedConfig"]["maxRequestHeadersKb"] == 96
    assert "maxRequestHeadersKb" not in filter_of(UPSTREAM)["typedConfig"]


def test_requests_are_normalised_as_is_said() -> None:
    said = Normalization(
        paths=False,
        merge_slashes=True,
        escaped_slashes=EscapedSlashes.REJECT,
        underscores=Underscores.DROP,
    )
    assert isinstance(PUBLIC.filter, HttpManager)
    manager = filter_of(replace(PUBLIC, filter=replace(PUBLIC.filter, normalization=said)))["typedConfig"]
    assert manager["normalizePath"] is False
    assert manager["mergeSlashes"] is True
    assert manager["pathWithEscapedSlashesAction"] == "REJECT_REQUEST"
    assert manager["commonHttpProtocolOptions"] == {"headersWithUnderscoresAction": "DROP_HEADER"}
