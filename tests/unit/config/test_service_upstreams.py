from collections.abc import Callable
from typing import Any

import pytest

from xdsmesh.model.catalog import Instance, Limits, PassiveHealthCheck, UpstreamSettings
from xdsmesh.model.duration import Duration

Problems = Callable[..., list[str]]
Instances = Callable[..., tuple[Instance, ...]]

NO_PORT = "an upstream needs the LocalBindPort where the application finds it (add LocalBindPort)"


def test_an_upstream_says_how_it_is_called(instances: Instances) -> None:
    upstream: dict[str, Any] = {
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
    _, sidecar = instances(Name="web", Connect={"SidecarService": {"Proxy": {"Upstreams": [upstream]}}})
    assert sidecar.proxy is not None
    assert sidecar.proxy.upstreams[0].settings == UpstreamSettings(
        protocol="grpc",
        connect_timeout=Duration.of(milliseconds=1500),
        mesh_gateway="local",
        limits=Limits(max_connections=0),
        passive_health_check=PassiveHealthCheck(Duration.of(seconds=5), enforcing_consecutive_5xx=50),
        balance_outbound_connections="exact_balance",
    )
    assert sidecar.proxy.upstreams[0].config == upstream["config"]


def test_the_same_service_is_called_in_several_datacenters(instances: Instances) -> None:
    upstreams = [
        {"DestinationName": "db", "LocalBindPort": 1},
        {"DestinationName": "db", "LocalBindPort": 2, "Datacenter": "dc2"},
    ]
    _, sidecar = instances(Name="web", Connect={"SidecarService": {"Proxy": {"Upstreams": upstreams}}})
    assert sidecar.proxy is not None
    assert [each.called for each in sidecar.proxy.upstreams] == ["db", "db?dc=dc2"]


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
            [{"DestinationName": "a", "LocalBindPort": each, "Datacenter": "dc2"} for each in (1, 2)],
            "[1]: XM0306 the upstream a?dc=dc2 is given twice (keep one of them)",
        ),
        (
            [{"DestinationName": "a", "LocalBindPort": 1, "DestinationPeer": "cloud"}],
            "[0].DestinationPeer: XM0206 DestinationPeer is not built yet (remove it)",
        ),
        (
            [{"DestinationName": "a", "LocalBindPort": 1, "Config": {"protocl": "http"}}],
            "[0].Config.protocl: XM0203 unknown key protocl (did you mean protocol?)",
        ),
        (
            [{"DestinationName": "a", "LocalBindPort": 1, "Config": {"connect_timeout_ms": "soon"}}],
            '[0].Config.ConnectTimeoutMs: XM0207 ConnectTimeoutMs must be a whole number, not "soon"',
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
def test_an_upstream_that_is_wrong_is_refused(
    problems: Problems, upstreams: list[dict[str, Any]], problem: str
) -> None:
    found = problems(Name="web", Connect={"SidecarService": {"Proxy": {"Upstreams": upstreams}}})

    assert found == [f"Connect.SidecarService.Proxy.Upstreams{problem}"]
