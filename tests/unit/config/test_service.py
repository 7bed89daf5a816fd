from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from xdsmesh.config.codec import encode
from xdsmesh.config.files import decode_service, parse_file
from xdsmesh.config.service import ServiceDefinition, expand
from xdsmesh.model.catalog import Instance, Locality, Node, ServiceAddress, Weights
from xdsmesh.model.checks import Check, Health

Service = Callable[..., ServiceDefinition]
Problems = Callable[..., list[str]]
Instances = Callable[..., tuple[Instance, ...]]

NO_ADDRESS = "is not an IP address; host names are not built yet (write the address)"
NO_DESTINATION = 'DestinationServiceName is required (add DestinationServiceName = "...")'
NO_PORT = "an upstream needs the LocalBindPort where the application finds it (add LocalBindPort)"

NODE = Node("n1", "10.0.0.1", "dc1")


def test_a_service_of_a_name_only_has_defaults(instances: Instances) -> None:
    assert instances(Name="web") == (Instance(id="web", service="web", node=NODE),)


def test_an_instance_has_what_its_definition_says(instances: Instances) -> None:
    found = instances(
        ID="web-1",
        Name="web",
        Tags=["a", "b"],
        Address="10.0.0.7",
        Port="8080",
        Meta={"version": 1},
        Weights={"Passing": 10, "Warning": 0},
        Check={"CheckID": "c1", "Name": "alive", "Status": "warning", "Notes": "by hand"},
        TaggedAddresses={"wan": {"Address": "1.2.3.4", "Port": 8443}},
        EnableTagOverride=True,
        Locality={"Region": "eu", "Zone": "eu-1"},
    )

    assert found == (
        Instance(
            id="web-1",
            service="web",
            node=NODE,
            address="10.0.0.7",
            port=8080,
            tags=("a", "b"),
            meta={"version": "1"},
            weights=Weights(10, 0),
            checks=(Check("c1", "alive", Health.WARNING, "by hand", service_id="web-1"),),
            tagged_addresses={
                "wan": ServiceAddress("1.2.3.4", 8443),
                "lan_ipv4": ServiceAddress("10.0.0.7", 8080),
                "wan_ipv4": ServiceAddress("10.0.0.7", 8080),
            },
            enable_tag_override=True,
            locality=Locality("eu", "eu-1"),
        ),
    )


@pytest.mark.parametrize(
    ("address", "given", "tagged"),
    [
        ("", {}, {}),
        ("::1", {}, {"lan_ipv6": "::1", "wan_ipv6": "::1"}),
        (
            "10.0.0.7",
            {"wan_ipv4": {"Address": "1.2.3.4", "Port": 80}, "wan_ipv6": {"Address": "::2", "Port": 80}},
            {"lan_ipv4": "10.0.0.7", "wan_ipv4": "1.2.3.4", "wan_ipv6": "::2"},
        ),
        ("", {"of_the_house": {"Address": "web.example.com"}}, {"of_the_house": "web.example.com"}),
    ],
)
def test_addresses_of_a_family_follow_from_the_address(
    instances: Instances, address: str, given: dict[str, Any], tagged: dict[str, str]
) -> None:
    (instance,) = instances(Name="web", Port=80, Address=address, TaggedAddresses=given)

    assert {tag: each.address for tag, each in instance.tagged_addresses.items()} == tagged


def test_bodies_as_clients_send_them_are_taken(instances: Instances, service: Service) -> None:
    go = instances(
        Name="web",
        Check=None,
        Checks=None,
        Tags=None,
        Meta=None,
        TaggedAddresses=None,
        Weights=None,
        Proxy=None,
        Locality=None,
        EnableTagOverride=False,
        Connect={
            "Native": False,
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
            },
        },
    )
    python = instances(name="web", enable_tag_override=False, tags=[], check={}, WriteRequest={})

    assert go[1].proxy is not None
    assert python == (Instance(id="web", service="web", node=NODE),)
    assert service(Name="web", Proxy=None, Connect=None) == service(Name="web")


def test_keys_may_be_in_lower_case(instances: Instances) -> None:
    web, sidecar = instances(
        name="web",
        id="web-1",
        port=80,
        enabletagoverride=True,
        weights={"passing": 3, "warning": 1},
        check={
            "http": "http://127.0.0.1/health",
            "interval": "10s",
            "timeout": "1s",
            "deregistercriticalserviceafter": "5m",
            "header": {"x-probe": ["yes"]},
            "tlsskipverify": True,
        },
        connect={
            "sidecar_service": {
                "proxy": {"upstreams": [{"destination_name": "db", "local_bind_port": 9191}]},
            }
        },
    )

    assert (web.weights, web.enable_tag_override) == (Weights(3, 1), True)
    assert [check.type for check in web.checks] == ["http"]
    assert sidecar.proxy is not None
    assert [upstream.destination_name for upstream in sidecar.proxy.upstreams] == ["db"]


def test_a_token_is_taken_and_never_kept(service: Service) -> None:
    check = {"TTL": "10s", "Token": "s3cret"}
    definition = service(
        Name="web", Token="s3cret", Check=check, Connect={"SidecarService": {"Token": "s3cret"}}
    )

    assert b"s3cret" not in msgspec.json.encode(definition)


def test_definitions_and_instances_that_are_written_out_are_read_back(service: Service) -> None:
    definition = service(
        Name="web",
        Port=80,
        TaggedAddresses={"lan": {"Address": "10.0.0.1"}},
        Locality={"Region": "eu"},
        Checks=[
            {"HTTP": "http://localhost/", "Interval": "1m30s", "Header": {"a": ["b"]}},
            {"H2PING": "localhost:80", "H2PingUseTLS": False, "Interval": 10_000_000_000},
        ],
        Connect={
            "SidecarService": {
                "Proxy": {
                    "Config": {"Protocol": "http", "envoy_extra": {"a": [1, 2.5]}},
                    "Upstreams": [
                        {"DestinationName": "db", "LocalBindPort": 1, "Config": {"connect_timeout_ms": 1500}}
                    ],
                }
            }
        },
    )

    assert decode_service(msgspec.json.encode(encode(definition))) == definition
    for instance in expand(definition, NODE, lambda _: 21000):
        assert msgspec.json.decode(msgspec.json.encode(instance), type=Instance) == instance


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, 'Name: XM0301 Name is required (add Name = "...")'),
        ({"Name": "*"}, 'Name: XM0319 Name must be one service, not "*" (name a service)'),
        ({"Name": "web", "ID": "a\nb"}, "ID: XM0313 ID holds characters that can't be printed"),
        ({"Name": "web", "Port": 65536}, "Port: XM0307 Port must be between 0 and 65535, not 65536"),
        (
            {"Name": "web", "Address": "web.example.com", "Connect": {"SidecarService": {}}},
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
            {"Name": "web", "Ports": [{"Name": "http", "Port": 80}]},
            "Ports: XM0206 Ports is not built yet (remove it)",
        ),
        (
            {"Name": "web", "SocketPath": "/run/web.sock"},
            "SocketPath: XM0206 SocketPath is not built yet (remove it)",
        ),
        (
            {"Name": "web", "TaggedAddresses": {"lan": {"Address": "web.example.com"}}},
            f'TaggedAddresses["lan"].Address: XM0314 Address "web.example.com" {NO_ADDRESS}',
        ),
        (
            {"Name": "web", "TaggedAddresses": {"wan_ipv4": {"Address": "::1", "Port": 80}}},
            ('TaggedAddresses["wan_ipv4"].Address: XM0314 wan_ipv4 is an address of IPv4, which ::1 is not'),
        ),
        (
            {"Name": "web", "TaggedAddresses": {"lan_ipv6": {"Address": "10.0.0.1"}}},
            (
                'TaggedAddresses["lan_ipv6"].Address: XM0314 '
                "lan_ipv6 is an address of IPv6, which 10.0.0.1 is not"
            ),
        ),
        (
            {"Name": "web", "TaggedAddresses": {"public": {"Port": 80}}},
            'TaggedAddresses["public"].Address: XM0301 Address is required (add Address = "...")',
        ),
        (
            {"Name": "web", "Locality": {"Zone": "a"}},
            "Locality.Zone: XM0305 a Zone is one of a Region (add Region)",
        ),
        (
            {"Name": "web", "Namespace": "x"},
            "Namespace: XM0205 Namespace is a feature of Consul Enterprise, which this is not (remove it)",
        ),
        ({"Name": "web", "Prot": 1}, "Prot: XM0203 unknown key Prot (did you mean Port?)"),
        (
            {"Name": "web", "Kind": "database"},
            (
                'Kind: XM0303 "database" is not a kind of service (leave it out, or use one of '
                "connect-proxy, mesh-gateway, terminating-gateway, ingress-gateway, api-gateway)"
            ),
        ),
        (
            {"Name": "web", "Proxy": {"LocalServicePort": 80}},
            (
                "Proxy: XM0304 Proxy is for services of the kind connect-proxy, and for gateways "
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
def test_a_definition_that_is_wrong_is_refused(
    problems: Problems, fields: dict[str, Any], problem: str
) -> None:
    assert problems(**fields) == [problem]


def test_all_mistakes_of_a_file_are_found_with_their_places() -> None:
    text = """
service {
  nme = "web"
  port = 80000
  check { tcp = "localhost", intervall = "10s" }
  checks = [{ args = ["true"], interval = "10s" }]
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
        (
            'web.hcl:5:17: XM0314 TCP "localhost" is not a host and a port '
            "(write it as in localhost:80 or [::1]:80)"
        ),
        "web.hcl:5:30: XM0203 unknown key intervall (did you mean interval?)",
        (
            "web.hcl:6:15: XM0210 args is refused: this server runs no commands; "
            "it knows TTL, HTTP, TCP, UDP, GRPC, H2PING and aliases (remove it)"
        ),
        f"web.hcl:11:11: XM0301 {NO_PORT}",
    ]
