from collections.abc import Callable
from typing import Any

import pytest

from xdsmesh.model.catalog import Bind, GatewaySettings, Instance, Kind, Proxy
from xdsmesh.model.duration import Duration

Problems = Callable[..., list[str]]
Instances = Callable[..., tuple[Instance, ...]]

GATEWAYS = ("mesh-gateway", "terminating-gateway", "ingress-gateway", "api-gateway")


@pytest.mark.parametrize("kind", GATEWAYS)
def test_a_gateway_is_a_proxy_before_no_service(instances: Instances, kind: str) -> None:
    config = {"envoy_gateway_no_default_bind": True, "connect_timeout_ms": 1500, "Protocol": "HTTP"}
    (gateway,) = instances(Kind=kind, Name="edge", Port=8443, Proxy={"Config": config})

    assert (gateway.kind, gateway.service, gateway.port) == (Kind(kind), "edge", 8443)
    settings = GatewaySettings(no_default=True, connect_timeout=Duration.of(milliseconds=1500))
    assert gateway.proxy == Proxy("", protocol="http", gateway=settings, config=config)


@pytest.mark.parametrize("prefix", ["envoy_gateway_", "envoy_mesh_gateway_"])
def test_a_gateway_may_listen_in_several_places(instances: Instances, prefix: str) -> None:
    config = {
        f"{prefix}no_default_bind": "true",
        f"{prefix}bind_tagged_addresses": True,
        f"{prefix}bind_addresses": {
            "out": {"address": "192.0.2.7", "port": 443},
            "in": {"Address": "10.0.0.7", "Port": "8443"},
        },
    }
    (gateway,) = instances(Kind="mesh-gateway", Name="edge", Port=8443, Proxy={"Config": config})

    assert gateway.proxy
    assert gateway.proxy.gateway == GatewaySettings(
        no_default=True, tagged=True, binds=(Bind("in", "10.0.0.7", 8443), Bind("out", "192.0.2.7", 443))
    )


def test_of_two_spellings_of_a_gateways_setting_the_newer_one_counts(instances: Instances) -> None:
    config = {"envoy_mesh_gateway_no_default_bind": True, "envoy_gateway_no_default_bind": False}
    (gateway,) = instances(Kind="mesh-gateway", Name="edge", Port=8443, Proxy={"Config": config})

    assert gateway.proxy
    assert gateway.proxy.gateway == GatewaySettings()


def test_a_wan_address_may_be_a_host_name(instances: Instances) -> None:
    tagged = {"lan": {"Address": "10.0.0.7", "Port": 8443}, "wan": {"Address": "gw.example.com", "Port": 443}}
    (gateway,) = instances(Kind="mesh-gateway", Name="edge", Port=8443, TaggedAddresses=tagged)

    assert gateway.place("lan") == ("10.0.0.7", 8443)
    assert gateway.place("wan") == ("gw.example.com", 443)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (
            {"envoy_gateway_no_default_bind": "perhaps"},
            (
                "envoy_gateway_no_default_bind: XM0207 "
                'envoy_gateway_no_default_bind must be true or false, not "perhaps"'
            ),
        ),
        (
            {"connect_timeout_ms": "soon"},
            'connect_timeout_ms: XM0207 connect_timeout_ms must be a whole number, not "soon"',
        ),
        (
            {"envoy_gateway_bind_addresses": {"out": {"address": "gw.test"}}},
            (
                'envoy_gateway_bind_addresses["out"].Address: XM0314 Address "gw.test" is not an IP '
                "address; host names are not built yet (write the address)"
            ),
        ),
        (
            {"envoy_gateway_bind_adresses": {"out": {"address": "192.0.2.7"}}},
            (
                "envoy_gateway_bind_adresses: XM0203 no gateway has the setting "
                '"envoy_gateway_bind_adresses" '
                "(did you mean envoy_gateway_bind_addresses?)"
            ),
        ),
    ],
)
def test_a_setting_that_would_bind_nothing_is_refused(
    problems: Problems, config: dict[str, Any], problem: str
) -> None:
    assert problems(Kind="mesh-gateway", Name="edge", Port=8443, Proxy={"Config": config}) == [
        f"Proxy.Config.{problem}"
    ]


@pytest.mark.parametrize("kind", ["ingress-gateway", "api-gateway"])
def test_the_ports_of_some_gateways_are_in_their_entries(instances: Instances, kind: str) -> None:
    (gateway,) = instances(Kind=kind, Name="edge")

    assert (gateway.port, gateway.proxy) == (0, Proxy(""))


def test_a_mesh_gateway_may_say_that_it_joins_datacenters(instances: Instances, problems: Problems) -> None:
    fields: dict[str, Any] = {"Name": "edge", "Port": 8443, "Meta": {"consul-wan-federation": "1"}}
    (gateway,) = instances(Kind="mesh-gateway", **fields)

    assert gateway.meta == fields["Meta"]
    assert problems(Kind="terminating-gateway", **fields) == [
        'Meta["consul-wan-federation"]: XM0302 keys of Meta that begin with "consul-" are reserved'
    ]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"Port": 0}, "Port: XM0301 a mesh-gateway that is registered by itself needs a Port (add Port)"),
        (
            {"Connect": {"SidecarService": {}}},
            "Connect.SidecarService: XM0304 a mesh-gateway has no sidecar of its own (remove it)",
        ),
        (
            {"Kind": "api-gateway", "Connect": {"SidecarService": {}}},
            "Connect.SidecarService: XM0304 an api-gateway has no sidecar of its own (remove it)",
        ),
        (
            {"Connect": {"Native": True}},
            (
                "Connect.Native: XM0304 a mesh-gateway is not Native: that is a service "
                "which needs no proxy (remove it)"
            ),
        ),
        *(
            (
                {"Proxy": {label: value}},
                (
                    f"Proxy.{label}: XM0304 {label} is not for gateways, which stand before "
                    "no single service (remove it)"
                ),
            )
            for label, value in (
                ("DestinationServiceName", "web"),
                ("DestinationServiceID", "web-1"),
                ("LocalServiceAddress", "127.0.0.1"),
                ("LocalServicePort", 80),
                ("Upstreams", [{"DestinationName": "api", "LocalBindPort": 9000}]),
            )
        ),
    ],
)
def test_a_gateway_that_is_wrong_is_refused(problems: Problems, fields: dict[str, Any], problem: str) -> None:
    assert problems(**{"Kind": "mesh-gateway", "Name": "edge", "Port": 8443, **fields}) == [problem]


def test_a_native_service_needs_no_proxy(instances: Instances) -> None:
    (instance,) = instances(Name="web", Port=80, Connect={"Native": True})

    assert (instance.native, instance.kind, instance.proxy) == (True, Kind.TYPICAL, None)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "Port: XM0301 a service that is native to the mesh needs a Port (add Port)"),
        (
            {"Kind": "connect-proxy", "Port": 1, "Proxy": {"DestinationServiceName": "web"}},
            (
                "Connect.Native: XM0304 a connect-proxy is not Native: that is a service "
                "which needs no proxy (remove it)"
            ),
        ),
    ],
)
def test_a_native_service_that_is_wrong_is_refused(
    problems: Problems, fields: dict[str, Any], problem: str
) -> None:
    assert problems(Name="web", Connect={"Native": True}, **fields) == [problem]
