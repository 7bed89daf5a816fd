from typing import Any

import msgspec

from xdsmesh.api.encode import agent_service, health_row, service_node
from xdsmesh.catalog.repository import Stored
from xdsmesh.model.catalog import Check, Health, Instance, Kind, Node, Proxy, Upstream, Weights
from xdsmesh.model.duration import Duration
from xdsmesh.model.origin import Origin, Source

NODE = Node("n1", "127.0.0.5", "dc1", {"rack": "3"})
WEB = Instance(
    "web-1",
    "web",
    NODE,
    port=80,
    tags=("v1",),
    weights=Weights(10, 2),
    checks=(Check("service:web-1", "alive", Health.WARNING, notes="n", output="slow"),),
)
SIDECAR = Instance(
    "web-1-sidecar-proxy",
    "web-sidecar-proxy",
    NODE,
    kind=Kind.CONNECT_PROXY,
    port=21000,
    proxy=Proxy(
        "web",
        "web-1",
        local_service_port=80,
        upstreams=(Upstream("db", 5432),),
        bind_port=20000,
        local_connect_timeout=Duration.of(milliseconds=1500),
        local_request_timeout=Duration(),
    ),
)


def body(value: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def stored(instance: Instance) -> Stored[Instance]:
    return Stored(instance, Origin(Source.API), 7, 9)


def test_a_check_tells_whose_it_is() -> None:
    (check,) = body(health_row(stored(WEB)))["Checks"]
    assert (check["Node"], check["ServiceID"], check["ServiceName"]) == ("n1", "web-1", "web")
    assert (check["CheckID"], check["Name"], check["Status"]) == ("service:web-1", "alive", "warning")
    assert (check["Notes"], check["Output"], check["ServiceTags"]) == ("n", "slow", ["v1"])


def test_the_settings_of_a_proxy_are_under_the_keys_of_its_config() -> None:
    proxy = body(agent_service(SIDECAR))["Proxy"]
    # A timeout of 0 is a setting, a timeout that is not set is none.
    assert proxy["Config"] == {
        "bind_port": 20000,
        "local_connect_timeout_ms": 1500,
        "local_request_timeout_ms": 0,
    }
    assert (proxy["LocalServiceAddress"], proxy["LocalServicePort"]) == ("127.0.0.1", 80)
    assert (proxy["MeshGateway"], proxy["Expose"]) == ({}, {})


def test_a_proxy_is_always_there_in_catalog_and_health_and_empty_on_plain_services() -> None:
    empty = {"Mode": "", "MeshGateway": {}, "Expose": {}}
    assert body(health_row(stored(WEB)))["Service"]["Proxy"] == empty
    assert body(service_node(stored(WEB)))["ServiceProxy"] == empty
    assert "Proxy" not in body(agent_service(WEB))


def test_rows_carry_weights_meta_and_revisions() -> None:
    row = body(health_row(stored(WEB)))
    assert row["Service"]["Weights"] == {"Passing": 10, "Warning": 2}
    assert row["Node"]["Meta"] == {"rack": "3"}
    assert (row["Service"]["CreateIndex"], row["Service"]["ModifyIndex"]) == (7, 9)
    flat = body(service_node(stored(WEB)))
    assert (flat["NodeMeta"], flat["ServiceWeights"]) == ({"rack": "3"}, {"Passing": 10, "Warning": 2})
    assert (flat["ServiceKind"], body(service_node(stored(SIDECAR)))["ServiceKind"]) == ("", "connect-proxy")
