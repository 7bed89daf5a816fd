"""What an Envoy dumps reads as what it was sent; shapes are those of Envoy 1.40."""

from typing import Any

import pytest

from xdsmesh.translate.dump import NotADumpError, read_dump, read_held

TYPE = "type.googleapis.com/envoy.config."


def endpoint(host: str, **fields: Any) -> dict[str, Any]:
    address = {"socket_address": {"address": host, "port_value": 80}}
    return {"endpoint": {"address": address, **fields.pop("more", {})}, **fields}


def dumped_endpoint(host: str) -> dict[str, Any]:
    return endpoint(host, health_status="HEALTHY", load_balancing_weight=1, more={"health_check_config": {}})


def assignment(name: str, *endpoints: dict[str, Any]) -> dict[str, Any]:
    locality = {"locality": {}, "lb_endpoints": list(endpoints), "load_balancing_weight": 0}
    config = {
        "@type": f"{TYPE}endpoint.v3.ClusterLoadAssignment",
        "cluster_name": name,
        "endpoints": [locality],
        "policy": {"overprovisioning_factor": 140},
    }
    return {"endpoint_config": config}


def cluster(name: str, **fields: Any) -> dict[str, Any]:
    return {"cluster": {"@type": f"{TYPE}cluster.v3.Cluster", "name": name, **fields}}


def listener(name: str) -> dict[str, Any]:
    return {"@type": f"{TYPE}listener.v3.Listener", "name": name}


DUMP = {
    "configs": [
        {"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": {}},
        {
            "static_clusters": [cluster("xdsmesh")],
            "dynamic_active_clusters": [cluster("a", type="EDS"), cluster("local_app", type="STATIC")],
            "dynamic_warming_clusters": [cluster("warm", type="EDS")],
        },
        {
            "dynamic_listeners": [
                {"name": "l", "active_state": {"version_info": "1", "listener": listener("l")}},
                {"name": "new", "warming_state": {"version_info": "1", "listener": listener("new")}},
            ]
        },
        {
            "dynamic_endpoint_configs": [
                assignment("a", dumped_endpoint("127.0.0.2"), dumped_endpoint("127.0.0.1")),
                assignment("local_app", dumped_endpoint("127.0.0.9")),
            ]
        },
    ]
}


def test_only_what_is_active_and_from_the_control_plane_is_read() -> None:
    config = read_dump(DUMP)
    assert {name: sorted(each) for name, each in config.items()} == {
        "clusters": ["a", "local_app"],
        "endpoints": ["a"],
        "listeners": ["l"],
        "routes": [],
        "secrets": [],
    }


def test_an_assignment_is_the_same_however_its_defaults_and_order_are_written() -> None:
    sent = {
        "cluster_name": "a",
        "endpoints": [
            {"lb_endpoints": [endpoint("127.0.0.1", health_status="HEALTHY", load_balancing_weight=1)]},
            {"lb_endpoints": [endpoint("127.0.0.2")]},
            {},
        ],
    }
    assert read_held({"endpoints": [sent]})["endpoints"] == read_dump(DUMP)["endpoints"]


@pytest.mark.parametrize(
    "changed",
    [
        endpoint("127.0.0.1", health_status="UNHEALTHY"),
        endpoint("127.0.0.1", load_balancing_weight=2),
        endpoint("127.0.0.3"),
    ],
)
def test_an_assignment_that_means_something_else_differs(changed: dict[str, Any]) -> None:
    sent = {"cluster_name": "a", "endpoints": [{"lb_endpoints": [changed, endpoint("127.0.0.2")]}]}
    assert read_held({"endpoints": [sent]})["endpoints"] != read_dump(DUMP)["endpoints"]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"configs": {}},
        {"configs": [{"dynamic_active_clusters": [cluster("a", colour="red")]}]},
        {"configs": [{"dynamic_active_clusters": [{"cluster": 1}]}]},
        {"configs": [{"dynamic_active_clusters": 1}]},
    ],
)
def test_what_is_no_dump_is_refused(answer: object) -> None:
    with pytest.raises(NotADumpError):
        read_dump(answer)
