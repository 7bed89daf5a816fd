import json
from typing import Any

import pytest

from xdsmesh.config.files import decode_service, parse_file
from xdsmesh.config.service import ServiceDefinition, expand
from xdsmesh.model.catalog import (
    Check,
    Health,
    Instance,
    Kind,
    Limits,
    Node,
    PassiveHealthCheck,
    Proxy,
    Upstream,
    UpstreamSettings,
    Weights,
)
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import RefusedError

NO_ADDRESS = "is not an IP address; host names are not built yet (write the address)"
NO_DESTINATION = 'DestinationServiceName is required (add DestinationServiceName = "...")'
NO_NAME = 'is not a service name: up to 128 letters, digits, "-" and "_" (rename the service)'
NO_PORT = "an upstream needs the LocalBindPort where the application finds it (add LocalBindPort)"
NO_PROTOCOL = "is not a protocol that is known (use one of tcp, http, http2, grpc)"

NODE = Node("n1", "10.0.0.1", "dc1")


def service(**fields: Any) -> ServiceDefinition:
    return decode_service(json.dumps(fields).encode())


def problems(**fields: Any) -> list[str]:
    with pytest.raises(RefusedError) as refused:
        service(**fields)
    return [str(problem) for problem in refused.value.problems]


def instances(definition: ServiceDefinition, port: int = 21000) -> tuple[Instance, ...]:
    return expand(definition, NODE, lambda _: port)


def test_a_service_of_a_name_only_has_defaults() -> None:
    assert instances(service(Name="web")) == (Instance(id="web", service="web", node=NODE),)


def test_an_instance_has_what_its_definition_says() -> None:
    definition = service(
        ID="web-1",
        Name="web",
        Tags=["a", "b"],
        Address="10.0.0.7",
        Port="8080",
        Meta={"version": 1},
        Weights={"Passing": 10, "Warning": 0},
        Check={"CheckID": "c1", "Name": "alive", "Status": "warning", "Notes": "by hand"},
    )

    assert instances(definition) == (
        Instance(
            id="web-1",
            service="web",
            node=NODE,
            address="10.0.0.7",
            port=8080,
            tags=("a", "b"),
            meta={"version": "1"},
            weights=Weights(10, 0),
            checks=(Check("c1", "alive", Health.WARNING, "by hand"),),
        ),
    )


def test_a_sidecar_takes_after_its_service() -> None:
    definition = service(
        ID="web-1",
        Name="web",
        Port=80,
        Address="10.0.0.7",
        Tags=["a"],
        Meta={"v": "1"},
        Connect={"SidecarService": {}},
    )

    _, sidecar = instances(definition, port=21007)

    assert sidecar == Instance(
        id="web-1-sidecar-proxy",
        service="web-sidecar-proxy",
        node=NODE,
        kind=Kind.CONNECT_PROXY,
        address="10.0.0.7",
        port=21007,
        tags=("a",),
        meta={"v": "1"},
        proxy=Proxy(destination_service_name="web", destination_service_id="web-1", local_service_port=80),
        sidecar_of="web-1",
    )
    assert definition.ids == ("web-1", "web-1-sidecar-proxy")


def test_a_sidecar_has_its_own_words_where_it_says_so() -> None:
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
        checks=(Check("service:web-sidecar-proxy", "Service 'web-proxy' check", Health.PASSING),),
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
        ),
        sidecar_of="web",
    )


def test_an_upstream_says_how_it_is_called() -> None:
    upstream = {
        "destination_name": "db",
        "local_bind_port": 9191,
        "mesh_gateway": {"mode": "local"},
        "config": {
            "Protocol": "GRPC",
            "connect_timeout_ms": "1500",
            "limits": {"max_connections": 0},
            "passive_health_check": {"interval": "5s", "enforcing_consecutive_5xx": 50},
            "mesh_gateway": {"mode": "remote"},
            "balance_outbound_connections": "exact_balance",
        },
    }
    definition = service(
        Name="web", Connect={"SidecarService": {"Port": 21000, "Proxy": {"Upstreams": [upstream]}}}
    )
    _, sidecar = instances(definition)
    assert sidecar.proxy is not None
    assert sidecar.proxy.upstreams[0].settings == UpstreamSettings(
        protocol="grpc",
        connect_timeout=Duration.of(milliseconds=1500),
        mesh_gateway="local",
        limits=Limits(max_connections=0),
        passive_health_check=PassiveHealthCheck(Duration.of(seconds=5), enforcing_consecutive_5xx=50),
        balance_outbound_connections="exact_balance",
    )


def test_a_port_is_asked_for_the_sidecar_that_has_none() -> None:
    asked: list[Instance] = []

    def port(sidecar: Instance) -> int:
        asked.append(sidecar)
        return 21001

    _, sidecar = expand(service(Name="web", Connect={"SidecarService": {}}), NODE, port)

    assert [(instance.id, instance.port) for instance in asked] == [("web-sidecar-proxy", 0)]
    assert sidecar.port == 21001


def test_a_proxy_that_is_registered_by_itself_belongs_to_nobody() -> None:
    definition = service(
        Kind="connect-proxy",
        Name="web-proxy",
        Port=20000,
        Proxy={"DestinationServiceName": "web", "DestinationServiceID": "web-1"},
    )

    (proxy,) = instances(definition)

    assert proxy.kind is Kind.CONNECT_PROXY
    assert proxy.proxy == Proxy(destination_service_name="web", destination_service_id="web-1")
    assert proxy.sidecar_of == ""


def test_checks_without_id_are_numbered() -> None:
    one = service(Name="web", Check={"Name": "a"})
    several = service(
        ID="web-1", Name="web", Check={"Name": "a"}, Checks=[{"ID": "mine", "Name": "b"}, {"Name": "c"}]
    )

    assert [check.id for check in instances(one)[0].checks] == ["service:web"]
    assert [check.id for check in instances(several)[0].checks] == [
        "service:web-1:1",
        "mine",
        "service:web-1:3",
    ]


def test_a_check_is_critical_until_somebody_says_otherwise() -> None:
    (instance,) = instances(service(Name="web", Checks=[{"Name": "a"}]))

    assert instance.checks == (Check("service:web", "a", Health.CRITICAL),)
    assert instance.health is Health.CRITICAL


def test_bodies_as_clients_send_them_are_taken() -> None:
    go = service(
        Name="web",
        Check=None,
        Checks=None,
        Tags=None,
        Meta=None,
        EnableTagOverride=False,
        Connect={
            "SidecarService": {
                "Name": "",
                "Check": None,
                "Checks": None,
                "Proxy": {
                    "Expose": {},
                    "MeshGateway": {},
                    "Mode": "",
                    "Upstreams": [
                        {
                            "DestinationType": "service",
                            "DestinationName": "api",
                            "Datacenter": "",
                            "DestinationPartition": "",
                            "LocalBindPort": 9000,
                            "MeshGateway": {},
                            "Config": {},
                        }
                    ],
                },
            }
        },
    )
    python = service(name="web", enable_tag_override=False, tags=[], check={}, WriteRequest={})

    assert instances(go)[1].proxy is not None
    assert instances(python) == (Instance(id="web", service="web", node=NODE),)
    assert service(Name="web", Proxy=None, Connect=None) == service(Name="web")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, 'Name: XM0301 Name is required (add Name = "...")'),
        ({"Name": "*"}, 'Name: XM0319 Name must be one service, not "*" (name a service)'),
        ({"Name": "web", "ID": "a\nb"}, "ID: XM0313 ID holds characters that can't be printed"),
        ({"Name": "web", "Port": 65536}, "Port: XM0307 Port must be between 0 and 65535, not 65536"),
        (
            {"Name": "web", "Address": "web.example.com"},
            f'Address: XM0314 Address "web.example.com" {NO_ADDRESS}',
        ),
        (
            {"Name": "web", "Address": "0.0.0.0"},
            "Address: XM0314 Address 0.0.0.0 is none that others can reach (leave it out to use the node's)",
        ),
        (
            {"Name": "web", "Address": "::"},
            "Address: XM0314 Address :: is none that others can reach (leave it out to use the node's)",
        ),
        (
            {"Name": "web", "Weights": {"Passing": 0}},
            "Weights.Passing: XM0307 Passing must be between 1 and 65535, not 0",
        ),
        (
            {"Name": "web", "Weights": {"Warning": 65536}},
            "Weights.Warning: XM0307 Warning must be between 0 and 65535, not 65536",
        ),
        (
            {"Name": "web", "Meta": {"a b": "x"}},
            (
                'Meta["a b"]: XM0302 the key "a b" of Meta holds other characters '
                'than letters, digits, "-" and "_"'
            ),
        ),
        (
            {"Name": "web", "Meta": {"consul-x": "x"}},
            'Meta["consul-x"]: XM0302 keys of Meta that begin with "consul-" are reserved',
        ),
        (
            {"Name": "web", "Check": {"Status": "fine"}},
            (
                'Check.Status: XM0303 "fine" is not the status of a check '
                "(use one of passing, warning, critical)"
            ),
        ),
        (
            {"Name": "web", "Checks": [{"ID": "a"}, {"CheckID": "a"}]},
            "Checks[1]: XM0306 the check a is given twice (keep one of them)",
        ),
        ({"Name": "web", "Check": {"TTL": "10s"}}, "Check.TTL: XM0206 TTL is not built yet (remove it)"),
        (
            {"Name": "web", "EnableTagOverride": True},
            "EnableTagOverride: XM0206 EnableTagOverride is not built yet (remove it)",
        ),
        (
            {"Name": "web", "Connect": {"Native": True}},
            "Connect.Native: XM0206 Native is not built yet (remove it)",
        ),
        ({"Name": "web", "Token": "x"}, "Token: XM0206 Token is not built yet (remove it)"),
        (
            {"Name": "web", "Namespace": "x"},
            "Namespace: XM0205 Namespace is a feature of Consul Enterprise, which this is not (remove it)",
        ),
        ({"Name": "web", "Prot": 1}, "Prot: XM0203 unknown key Prot (did you mean Port?)"),
        (
            {"Name": "web", "Kind": "mesh-gateway"},
            "Kind: XM0206 services of the kind mesh-gateway are not built yet",
        ),
        (
            {"Name": "web", "Kind": "database"},
            'Kind: XM0303 "database" is not a kind of service (leave it out, or use connect-proxy)',
        ),
        (
            {"Name": "web", "Proxy": {"LocalServicePort": 80}},
            (
                "Proxy: XM0304 Proxy is for services of the kind connect-proxy "
                "(move it into Connect.SidecarService)"
            ),
        ),
        (
            {"Name": "web-proxy", "Kind": "connect-proxy", "Port": 1},
            f"Proxy.DestinationServiceName: XM0301 {NO_DESTINATION}",
        ),
        (
            {"Name": "p", "Kind": "connect-proxy", "Port": 1, "Proxy": {"DestinationServiceName": "*"}},
            (
                "Proxy.DestinationServiceName: XM0319 "
                'DestinationServiceName must be one service, not "*" (name a service)'
            ),
        ),
        (
            {"Name": "p", "Kind": "connect-proxy", "Proxy": {"DestinationServiceName": "web"}},
            "Port: XM0301 a connect-proxy that is registered by itself needs a Port (add Port)",
        ),
        (
            {
                "Name": "p",
                "Kind": "connect-proxy",
                "Port": 1,
                "Proxy": {"DestinationServiceName": "web"},
                "Connect": {"SidecarService": {}},
            },
            "Connect.SidecarService: XM0304 a connect-proxy has no sidecar of its own (remove it)",
        ),
    ],
)
def test_a_definition_that_is_wrong_is_refused(fields: dict[str, Any], problem: str) -> None:
    assert problems(**fields) == [problem]


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
            {"Name": "a b"},
            f'.Name: XM0302 Name "a b" {NO_NAME}',
        ),
        (
            {"Address": "::"},
            ".Address: XM0314 Address :: is none that others can reach (leave it out to use the node's)",
        ),
        ({"Proxy": {"Mode": "transparent"}}, ".Proxy.Mode: XM0206 Mode is not built yet (remove it)"),
        (
            {"Proxy": {"Config": {"protocol": "udp"}}},
            f'.Proxy.Config.protocol: XM0303 "udp" {NO_PROTOCOL}',
        ),
        (
            {"Proxy": {"Config": {"bind_address": "here"}}},
            f'.Proxy.Config.bind_address: XM0314 bind_address "here" {NO_ADDRESS}',
        ),
    ],
)
def test_a_sidecar_that_is_wrong_is_refused(sidecar: dict[str, Any], problem: str) -> None:
    assert problems(Name="web", Connect={"SidecarService": sidecar}) == [f"Connect.SidecarService{problem}"]


@pytest.mark.parametrize(
    ("upstreams", "problem"),
    [
        (
            [{"LocalBindPort": 1}],
            '[0].DestinationName: XM0301 DestinationName is required (add DestinationName = "...")',
        ),
        (
            [{"DestinationName": "*", "LocalBindPort": 1}],
            '[0].DestinationName: XM0319 DestinationName must be one service, not "*" (name a service)',
        ),
        (
            [{"DestinationName": "api"}],
            f"[0]: XM0301 {NO_PORT}",
        ),
        (
            [{"DestinationName": "a", "LocalBindPort": 1, "DestinationType": "prepared_query"}],
            '[0].DestinationType: XM0206 prepared queries are not built yet (use "service")',
        ),
        (
            [{"DestinationName": "a", "LocalBindPort": 1, "DestinationType": "x"}],
            '[0].DestinationType: XM0303 DestinationType must be "service", not "x"',
        ),
        (
            [{"DestinationName": "a", "LocalBindPort": 1, "Datacenter": "dc2"}],
            "[0].Datacenter: XM0206 Datacenter is not built yet (remove it)",
        ),
        (
            [{"DestinationName": "a", "LocalBindPort": 1}, {"DestinationName": "a", "LocalBindPort": 2}],
            "[1]: XM0306 the upstream a is given twice (keep one of them)",
        ),
        (
            [
                {"DestinationName": "a", "LocalBindPort": 1},
                {"DestinationName": "b", "LocalBindPort": 1, "LocalBindAddress": "127.0.0.1"},
            ],
            "[1]: XM0306 b and a both bind 127.0.0.1:1 (give one of them another LocalBindPort)",
        ),
    ],
)
def test_an_upstream_that_is_wrong_is_refused(upstreams: list[dict[str, Any]], problem: str) -> None:
    found = problems(Name="web", Connect={"SidecarService": {"Proxy": {"Upstreams": upstreams}}})

    assert found == [f"Connect.SidecarService.Proxy.Upstreams{problem}"]


def test_all_mistakes_of_a_file_are_found_with_their_places() -> None:
    text = """
service {
  nme = "web"
  port = 80000
  check { tcp = "localhost:80", interval = "10s" }
  connect {
    sidecar_service {
      proxy {
        upstreams = [
          { destination_name = "api" },
        ]
      }
    }
  }
}
"""
    assert [str(problem) for problem in parse_file("web.hcl", text.encode()).problems] == [
        "web.hcl:3:3: XM0203 unknown key nme (did you mean name?)",
        "web.hcl:4:10: XM0307 Port must be between 0 and 65535, not 80000",
        "web.hcl:5:11: XM0206 tcp is not built yet (remove it)",
        "web.hcl:5:33: XM0206 interval is not built yet (remove it)",
        f"web.hcl:10:11: XM0301 {NO_PORT}",
    ]
