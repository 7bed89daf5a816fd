from typing import Any, TypeVar

import msgspec

from xdsmesh.api.encode import agent_service, health_row, service_node
from xdsmesh.catalog.stored import Stored
from xdsmesh.model.catalog import Instance, Kind, Node, Proxy, Upstream, Weights
from xdsmesh.model.checks import Check, Health
from xdsmesh.model.origin import Origin, Source

T = TypeVar("T")

NODE = Node("n1", "127.0.0.5", "dc1", {"rack": "3"})
WEB = Instance(
    "web-1",
    "web",
    NODE,
    port=80,
    tags=("v1",),
    weights=Weights(10, 2),
    checks=(Check("service:web-1", "alive", Health.WARNING, "n", "slow", service_id="web-1", node="n1"),),
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
        config={"bind_port": 20000, "local_connect_timeout_ms": 1500, "local_request_timeout_ms": 0},
    ),
)


def body(value: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def stored(value: T) -> Stored[T]:
    return Stored(value, Origin(Source.API), 7, 9)


def row(instance: Instance) -> Any:
    return body(health_row(stored(instance), stored(NODE), [stored(each) for each in instance.checks]))


def test_a_check_tells_whose_it_is() -> None:
    (check,) = row(WEB)["Checks"]
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
    assert row(WEB)["Service"]["Proxy"] == empty
    assert body(service_node(stored(WEB)))["ServiceProxy"] == empty
    assert "Proxy" not in body(agent_service(WEB))


def test_rows_carry_weights_meta_and_revisions() -> None:
    shown = row(WEB)
    assert shown["Service"]["Weights"] == {"Passing": 10, "Warning": 2}
    assert shown["Node"]["Meta"] == {"rack": "3"}
    assert (shown["Service"]["CreateIndex"], shown["Service"]["ModifyIndex"]) == (7, 9)
    flat = body(service_node(stored(WEB)))
    assert (flat["NodeMeta"], flat["ServiceWeights"]) == ({"rack": "3"}, {"Passing": 10, "Warning": 2})
    assert (flat["ServiceKind"], body(service_node(stored(SIDECAR)))["ServiceKind"]) == ("", "connect-proxy")
