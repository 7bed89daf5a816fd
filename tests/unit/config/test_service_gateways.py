from collections.abc import Callable
from typing import Any

import pytest

from xdsmesh.model.catalog import Instance, Kind, Proxy

Problems = Callable[..., list[str]]
Instances = Callable[..., tuple[Instance, ...]]

GATEWAYS = ("mesh-gateway", "terminating-gateway", "ingress-gateway", "api-gateway")


@pytest.mark.parametrize("kind", GATEWAYS)
def test_a_gateway_is_a_proxy_before_no_service(instances: Instances, kind: str) -> None:
    config = {"envoy_gateway_no_default_bind": True, "connect_timeout_ms": 1500, "Protocol": "HTTP"}
    (gateway,) = instances(Kind=kind, Name="edge", Port=8443, Proxy={"Config": config})

    assert (gateway.kind, gateway.service, gateway.port) == (Kind(kind), "edge", 8443)
    assert gateway.proxy == Proxy("", protocol="http", config=config)


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
