from dataclasses import replace

import pytest

from xdsmesh.config.kinds.proxy_defaults import ProxyConfig, ProxyDefaults
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.config.kinds.service_intentions import ServiceIntentions, SourceIntention
from xdsmesh.config.parts.permission import HTTPPermission, Permission
from xdsmesh.ir.intentions import build_authorization
from xdsmesh.ir.local import local_settings
from xdsmesh.ir.mesh import Incoming
from xdsmesh.ir.normalization import WHERE_PATHS_DECIDE, Normalization, refuse_unnormalized
from xdsmesh.ir.sidecar import build_sidecar, build_upstream_listener
from xdsmesh.ir.types import (
    Callers,
    Direction,
    DownstreamTls,
    HttpManager,
    Listener,
    LocalCluster,
    Protocol,
    RouteConfiguration,
    SidecarIR,
    TcpProxy,
    UpstreamIR,
)
from xdsmesh.model.catalog import Instance, Kind, Node, Proxy, Upstream
from xdsmesh.model.duration import Duration

PROXY = Proxy("web", "web-1", local_service_port=8080)
SIDECAR = Instance(
    id="web-1-sidecar-proxy",
    service="web-sidecar-proxy",
    node=Node("node-1", "127.0.0.9", "dc1"),
    kind=Kind.CONNECT_PROXY,
    address="127.0.0.2",
    port=21000,
    proxy=PROXY,
)
HTTP = ServiceDefaults(name="web", protocol="http")
SETTINGS = local_settings(PROXY, None, None)
OPEN = build_authorization(None, None, is_http=False, allow_by_default=True, trust_domain="corp.consul")


def sidecar(
    proxy: Proxy = PROXY, service: ServiceDefaults | None = None, every: ProxyConfig | None = None
) -> SidecarIR:
    defaults = ProxyDefaults(name="global", config=every) if every else None
    settings = local_settings(proxy, service, defaults)
    return build_sidecar(replace(SIDECAR, proxy=proxy), settings, OPEN)


def routes(ir: SidecarIR) -> RouteConfiguration:
    assert ir.routes is not None
    assert isinstance(ir.public_listener.filter, HttpManager)
    assert ir.public_listener.filter.routes == ir.routes.name
    return ir.routes


def public(ir: SidecarIR) -> Listener:
    return ir.public_listener


def test_the_public_listener_stands_where_the_sidecar_is_registered() -> None:
    listener = public(sidecar())
    assert (listener.name, listener.address, listener.port) == (
        "public_listener:127.0.0.2:21000",
        "127.0.0.2",
        21000,
    )
    assert listener.direction is Direction.INBOUND


def test_a_bind_address_wins_and_without_any_address_it_listens_on_all() -> None:
    bound = public(sidecar(replace(PROXY, bind_address="10.0.0.1", bind_port=1234)))
    assert bound.name == "public_listener:10.0.0.1:1234"
    anywhere = build_sidecar(replace(SIDECAR, address=""), SETTINGS, OPEN)
    assert public(anywhere).name == "public_listener:0.0.0.0:21000"


def test_the_application_is_reached_in_plain_text_at_its_own_port() -> None:
    assert sidecar().local_cluster == LocalCluster(
        "local_app", "127.0.0.1", 8080, Protocol.TCP, Duration.of(seconds=5)
    )


def test_a_tcp_service_forwards_bytes_and_demands_a_certificate() -> None:
    listener = public(sidecar())
    assert listener.filter == TcpProxy("public_listener", "local_app", after_handshake=True)
    assert listener.tls == DownstreamTls()


def test_an_http_service_tells_the_application_who_calls_and_normalises_paths() -> None:
    listener = public(sidecar(service=HTTP))
    assert isinstance(listener.filter, HttpManager)
    assert listener.filter.forward_client_cert
    assert listener.filter.normalization == Normalization()
    assert listener.tls == DownstreamTls(("http/1.1",))


@pytest.mark.parametrize("protocol", ["http2", "grpc"])
def test_http2_is_offered_where_the_service_speaks_it(protocol: str) -> None:
    assert public(sidecar(replace(PROXY, protocol=protocol))).tls == DownstreamTls(("h2", "http/1.1"))


@pytest.mark.parametrize(
    ("registered", "service", "every", "expected"),
    [
        ("", None, None, Protocol.TCP),
        ("", None, "http", Protocol.HTTP),
        ("", "grpc", "http", Protocol.GRPC),
        ("", "", "http", Protocol.TCP),
        ("http2", "grpc", "http", Protocol.HTTP2),
        ("HTTP", None, None, Protocol.HTTP),
        ("mongo", None, None, Protocol.TCP),
    ],
)
def test_the_protocol_is_that_of_the_registration_then_of_the_service_then_of_all_proxies(
    registered: str, service: str | None, every: str | None, expected: Protocol
) -> None:
    ir = sidecar(
        replace(PROXY, protocol=registered),
        None if service is None else ServiceDefaults(name="web", protocol=service),
        None if every is None else ProxyConfig(protocol=every),
    )
    assert ir.local_cluster.protocol is expected


@pytest.mark.parametrize(
    ("registered", "service", "every", "expected"),
    [
        (None, 0, None, 5000),
        (None, 0, 7, 7),
        (None, 8, 7, 8),
        (9, 8, 7, 9),
        (None, 0, 0, 5000),
        (None, -1, None, 5000),
    ],
)
def test_connect_timeout(registered: int | None, service: int, every: int | None, expected: int) -> None:
    written = None if registered is None else Duration.of(milliseconds=registered)
    ir = sidecar(
        replace(PROXY, local_connect_timeout=written),
        ServiceDefaults(name="web", local_connect_timeout_ms=service),
        ProxyConfig(local_connect_timeout_ms=every),
    )
    assert ir.local_cluster.connect_timeout == Duration.of(milliseconds=expected)


@pytest.mark.parametrize(
    ("registered", "service", "every", "expected"),
    [
        (None, 0, None, None),
        (None, 0, 0, 0),
        (None, 0, 7, 7),
        (None, 8, 7, 8),
        (0, 8, 7, 0),
        (9, 8, 7, 9),
        (-1, 0, None, 0),
    ],
)
def test_request_timeout_tells_unset_from_none_at_all(
    registered: int | None, service: int, every: int | None, expected: int | None
) -> None:
    written = None if registered is None else Duration.of(milliseconds=registered)
    ir = sidecar(
        replace(PROXY, protocol="http", local_request_timeout=written),
        ServiceDefaults(name="web", local_request_timeout_ms=service),
        ProxyConfig(local_request_timeout_ms=every),
    )
    timeout = routes(ir).routes[0].timeout
    assert timeout == (None if expected is None else Duration.of(milliseconds=expected))


@pytest.mark.parametrize(
    ("registered", "service", "every", "expected"),
    [(None, 0, None, 0), (None, 0, 3, 3), (None, 2, 3, 2), (1, 2, 3, 1), (0, 2, 3, 0)],
)
def test_connections_are_limited_at_the_door_and_to_the_application(
    registered: int | None, service: int, every: int | None, expected: int
) -> None:
    ir = sidecar(
        replace(PROXY, max_inbound_connections=registered),
        ServiceDefaults(name="web", max_inbound_connections=service),
        ProxyConfig(max_inbound_connections=every),
    )
    assert public(ir).max_connections == expected
    assert ir.local_cluster.circuit_breakers.max_connections == (expected or None)


@pytest.mark.parametrize(
    ("registered", "service", "every", "expected"),
    [(None, None, None, None), (None, None, 96, 96), (None, 80, 96, 80), (70, 80, 96, 70), (0, 80, 96, None)],
)
def test_the_size_of_headers(
    registered: int | None, service: int | None, every: int | None, expected: int | None
) -> None:
    defaults = ServiceDefaults(name="web", protocol="http", max_request_headers_kb=service)
    proxy = replace(PROXY, max_request_headers_kb=registered)
    manager = public(sidecar(proxy, defaults, ProxyConfig(max_request_headers_kb=every))).filter
    assert isinstance(manager, HttpManager)
    assert manager.max_request_headers_kb == expected


def test_envoy_takes_no_more_than_8192_kilobytes_of_headers() -> None:
    manager = public(sidecar(replace(PROXY, max_request_headers_kb=9000), HTTP)).filter
    assert isinstance(manager, HttpManager)
    assert manager.max_request_headers_kb == 8192


@pytest.mark.parametrize(("registered", "every", "expected"), [(None, None, None), (None, 0, 0), (5, 0, 5)])
def test_idle_timeout(registered: int | None, every: int | None, expected: int | None) -> None:
    own = None if registered is None else Duration.of(milliseconds=registered)
    ir = sidecar(replace(PROXY, local_idle_timeout=own), HTTP, ProxyConfig(local_idle_timeout_ms=every))
    wanted = None if expected is None else Duration.of(milliseconds=expected)
    assert routes(ir).routes[0].idle_timeout == wanted


@pytest.mark.parametrize(
    ("registered", "service", "every"),
    [("exact_balance", "", ""), ("", "exact_balance", ""), ("", "", "exact_balance")],
)
def test_connections_are_balanced_if_anybody_wants_it(registered: str, service: str, every: str) -> None:
    ir = sidecar(
        replace(PROXY, balance_inbound_connections=registered),
        ServiceDefaults(name="web", balance_inbound_connections=service),
        ProxyConfig(balance_inbound_connections=every),
    )
    assert public(ir).exact_balance
    assert not public(sidecar()).exact_balance


def test_an_upstream_listener_stands_where_the_registration_says() -> None:
    api = UpstreamIR("api", Protocol.TCP, (), TcpProxy("api", "api"), None)
    listener = build_upstream_listener(Upstream("api", 9191, "127.0.0.5"), api)
    assert listener.name == "api:127.0.0.5:9191"
    assert listener.direction is Direction.OUTBOUND
    assert listener.filter is api.filter
    assert listener.tls is None, "the application speaks plain text to its sidecar"


def test_an_instance_that_is_no_proxy_is_refused() -> None:
    with pytest.raises(ValueError, match="web-1-sidecar-proxy is not a proxy"):
        build_sidecar(replace(SIDECAR, proxy=None), SETTINGS, OPEN)


def test_slashes_are_brought_into_order_where_intentions_look_at_paths_or_as_the_mesh_says() -> None:
    permission = Permission("deny", HTTPPermission(path_prefix="/admin"))
    entry = ServiceIntentions(name="web", sources=[SourceIntention("*", permissions=[permission])])
    paths = build_authorization(entry, None, is_http=True, allow_by_default=True, trust_domain="corp.consul")
    settings = local_settings(PROXY, HTTP, None)

    ir = build_sidecar(SIDECAR, settings, paths)
    assert isinstance(ir.public_listener.filter, HttpManager)
    assert ir.public_listener.filter.normalization == WHERE_PATHS_DECIDE
    assert routes(ir).authorization == refuse_unnormalized(paths, WHERE_PATHS_DECIDE)

    ir = build_sidecar(SIDECAR, settings, paths, incoming=Incoming(normalization=Normalization(paths=False)))
    assert isinstance(ir.public_listener.filter, HttpManager)
    assert ir.public_listener.filter.normalization == Normalization(paths=False)
    assert routes(ir).authorization == paths


def test_of_too_many_callers_that_are_denied_one_by_one_the_handshake_leaves_all_to_rbac() -> None:
    def callers(count: int) -> Callers | None:
        sources = [SourceIntention(name=f"{number:020}", action="deny") for number in range(count)]
        denying = build_authorization(
            ServiceIntentions(name="web", sources=sources),
            None,
            is_http=False,
            allow_by_default=True,
            trust_domain="corp.consul",
        )
        listener = build_sidecar(SIDECAR, SETTINGS, denying).public_listener
        assert listener.authorization == denying
        assert listener.tls is not None
        return listener.tls.callers

    few = callers(800)
    assert few is not None
    assert len(few.services.names) == 800
    assert callers(3000) is None, "Envoy would refuse the whole listener"
