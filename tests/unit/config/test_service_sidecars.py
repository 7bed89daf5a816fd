from collections.abc import Callable
from typing import Any

import pytest

from xdsmesh.config.service import ServiceDefinition, expand
from xdsmesh.model.catalog import Instance, Kind, Locality, Node, Proxy, ServiceAddress, Upstream, Weights
from xdsmesh.model.checks import Check, CheckType, Health, Probe
from xdsmesh.model.duration import Duration

Service = Callable[..., ServiceDefinition]
Problems = Callable[..., list[str]]
Instances = Callable[..., tuple[Instance, ...]]

NO_ADDRESS = "is not an IP address; host names are not built yet (write the address)"
NO_NAME = 'is not a service name: up to 128 letters, digits, "-" and "_" (rename the service)'
NO_PROTOCOL = "is not a protocol that is known (use one of tcp, http, http2, grpc)"

NODE = Node("n1", "10.0.0.1", "dc1")


def test_a_sidecar_takes_after_its_service(instances: Instances) -> None:
    _, sidecar = instances(
        ID="web-1",
        Name="web",
        Port=80,
        Address="10.0.0.7",
        Tags=["a"],
        Meta={"v": "1"},
        Locality={"Region": "eu"},
        Connect={"SidecarService": {}},
    )

    assert sidecar == Instance(
        id="web-1-sidecar-proxy",
        service="web-sidecar-proxy",
        node=NODE,
        kind=Kind.CONNECT_PROXY,
        address="10.0.0.7",
        port=21000,
        tags=("a",),
        meta={"v": "1"},
        proxy=Proxy(destination_service_name="web", destination_service_id="web-1", local_service_port=80),
        sidecar_of="web-1",
        locality=Locality("eu"),
        tagged_addresses={
            "lan_ipv4": ServiceAddress("10.0.0.7", 21000),
            "wan_ipv4": ServiceAddress("10.0.0.7", 21000),
        },
        checks=sidecar.checks,
    )


def test_a_sidecar_has_its_own_words_where_it_says_so(service: Service) -> None:
    definition = service(
        Name="web",
        Port=80,
        Tags=["a"],
        Meta={"v": "1"},
        Connect={
            "SidecarService": {
                "Name": "web-proxy",
                "Port": 20000,
                "Address": "10.0.0.8",
                "Tags": ["p"],
                "Meta": {"v": "2"},
                "Weights": {"Passing": 3},
                "Checks": [{"Status": "passing"}],
                "Proxy": {
                    "LocalServiceAddress": "127.0.0.2",
                    "LocalServicePort": 8080,
                    "Upstreams": [
                        {"DestinationName": "api", "LocalBindPort": 9000},
                        {"DestinationName": "db", "LocalBindAddress": "127.0.0.3", "LocalBindPort": 9000},
                    ],
                    "Config": {
                        "Protocol": "HTTP",
                        "bind_address": "0.0.0.0",
                        "bind_port": 20001,
                        "local_connect_timeout_ms": "1000",
                        "local_request_timeout_ms": 0,
                        "envoy_stats_tags": ["a=b"],
                    },
                },
            }
        },
    )

    def no_port(sidecar: Instance) -> int:
        raise AssertionError(f"{sidecar.id} has a port of its own")

    _, sidecar = expand(definition, NODE, no_port)

    assert sidecar == Instance(
        id="web-sidecar-proxy",
        service="web-proxy",
        node=NODE,
        kind=Kind.CONNECT_PROXY,
        address="10.0.0.8",
        port=20000,
        tags=("p",),
        meta={"v": "2"},
        weights=Weights(3, 1),
        checks=(
            Check(
                "service:web-sidecar-proxy",
                "Service 'web-proxy' check",
                Health.PASSING,
                service_id="web-sidecar-proxy",
            ),
        ),
        proxy=Proxy(
            destination_service_name="web",
            destination_service_id="web",
            local_service_address="127.0.0.2",
            local_service_port=8080,
            upstreams=(Upstream("api", 9000), Upstream("db", 9000, "127.0.0.3")),
            bind_address="0.0.0.0",
            bind_port=20001,
            protocol="http",
            local_connect_timeout=Duration.of(seconds=1),
            local_request_timeout=Duration(),
            config={
                "Protocol": "HTTP",
                "bind_address": "0.0.0.0",
                "bind_port": 20001,
                "local_connect_timeout_ms": "1000",
                "local_request_timeout_ms": 0,
                "envoy_stats_tags": ["a=b"],
            },
        ),
        tagged_addresses={
            "lan_ipv4": ServiceAddress("10.0.0.8", 20000),
            "wan_ipv4": ServiceAddress("10.0.0.8", 20000),
        },
        sidecar_of="web",
    )


def test_a_port_is_asked_for_the_sidecar_that_has_none(service: Service) -> None:
    asked: list[Instance] = []

    def port(sidecar: Instance) -> int:
        asked.append(sidecar)
        return 21001

    _, sidecar = expand(service(Name="web", Connect={"SidecarService": {}}), NODE, port)

    assert [(instance.id, instance.port) for instance in asked] == [("web-sidecar-proxy", 0)]
    assert sidecar.port == 21001
    assert [check.probe.target for check in sidecar.checks if check.probe] == ["127.0.0.1:21001", "web"]


def test_a_sidecar_without_checks_gets_the_usual_ones(instances: Instances) -> None:
    _, sidecar = instances(ID="web-1", Name="web", Address="::7", Connect={"SidecarService": {"Check": {}}})

    assert sidecar.checks == (
        Check(
            "service:web-1-sidecar-proxy:1",
            "Connect Sidecar Listening",
            service_id="web-1-sidecar-proxy",
            type=CheckType.TCP,
            probe=Probe("[::7]:21000", Duration.of(seconds=10), Duration.of(seconds=10)),
        ),
        Check(
            "service:web-1-sidecar-proxy:2",
            "Connect Sidecar Aliasing web-1",
            service_id="web-1-sidecar-proxy",
            type=CheckType.ALIAS,
            probe=Probe("web-1"),
        ),
    )
    assert sidecar.health is Health.CRITICAL


def test_a_sidecar_without_address_is_looked_for_where_it_finds_its_service(instances: Instances) -> None:
    proxy = {"LocalServiceAddress": "127.0.0.9"}
    _, sidecar = instances(Name="web", Connect={"SidecarService": {"Port": 20000, "Proxy": proxy}})

    assert sidecar.checks[0].probe is not None
    assert sidecar.checks[0].probe.target == "127.0.0.9:20000"


def test_the_ids_of_a_definition_are_those_of_its_instances(service: Service, instances: Instances) -> None:
    fields: dict[str, Any] = {"ID": "web-1", "Name": "web", "Connect": {"SidecarService": {}}}

    assert service(**fields).ids == tuple(instance.id for instance in instances(**fields))


def test_a_proxy_that_is_registered_by_itself_belongs_to_nobody(instances: Instances) -> None:
    (proxy,) = instances(
        Kind="connect-proxy",
        Name="web-proxy",
        Port=20000,
        Proxy={"DestinationServiceName": "web", "DestinationServiceID": "web-1"},
    )

    assert proxy.kind is Kind.CONNECT_PROXY
    assert proxy.proxy == Proxy(destination_service_name="web", destination_service_id="web-1")
    assert (proxy.sidecar_of, proxy.checks) == ("", ())


@pytest.mark.parametrize(
    ("sidecar", "problem"),
    [
        (
            {"ID": "x"},
            ".ID: XM0304 the ID of a sidecar is that of its service followed by -sidecar-proxy (remove it)",
        ),
        (
            {"Kind": "mesh-gateway"},
            '.Kind: XM0303 a sidecar is a connect-proxy, not "mesh-gateway" (remove it)',
        ),
        (
            {"Connect": {"SidecarService": {}}},
            ".Connect: XM0304 a sidecar has no sidecar of its own (remove it)",
        ),
        (
            {"Connect": {"Native": True}},
            (
                ".Connect.Native: XM0304 a sidecar is not Native: "
                "that is a service which needs no proxy (remove it)"
            ),
        ),
        (
            {"Name": "a b"},
            f'.Name: XM0302 Name "a b" {NO_NAME}',
        ),
        (
            {"Address": "::"},
            ".Address: XM0314 Address :: is none that others can reach (leave it out to use the node's)",
        ),
        ({"Proxy": {"Mode": "transparent"}}, ".Proxy.Mode: XM0206 Mode is not built yet (remove it)"),
        (
            {"Proxy": {"Config": {"protocol": "ftp"}}},
            f'.Proxy.Config.protocol: XM0303 "ftp" {NO_PROTOCOL}',
        ),
        (
            {"Proxy": {"Config": {"bind_address": "here"}}},
            f'.Proxy.Config.bind_address: XM0314 bind_address "here" {NO_ADDRESS}',
        ),
    ],
)
def test_a_sidecar_that_is_wrong_is_refused(
    problems: Problems, sidecar: dict[str, Any], problem: str
) -> None:
    assert problems(Name="web", Connect={"SidecarService": sidecar}) == [f"Connect.SidecarService{problem}"]
