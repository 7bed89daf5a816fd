"""py-consul's calls of the catalog and of health, and its reads that wait."""

from collections.abc import Callable
from typing import Any

import consul
import consul.aio
import pytest
from consul import Check
from consul.exceptions import BadRequest, ConsulException

SHOP = {"Service": "shop", "ID": "shop-1", "Tags": ["Blue", "v1"], "Address": "10.0.0.10", "Port": 8000}
WELL = {"Node": "east", "CheckID": "shop", "Name": "Shop", "Status": "passing", "ServiceID": "shop-1"}

Wake = Callable[[Callable[[consul.Consul], Any], Callable[[consul.Consul], Any]], Any]


@pytest.fixture(scope="module")
def east(client: consul.Consul) -> consul.Consul:
    """A node that somebody else watches over, with a service and its check."""
    assert client.catalog.register(
        "east",
        "10.0.0.9",
        service=SHOP,
        check=WELL,
        dc="dc1",
        token="ignored",
        # It sends this as a parameter of the query, where Consul looks for none: the node has no meta.
        node_meta={"rack": "7"},
        tagged_addresses={"wan": "192.0.2.9"},
    )
    return client


def test_a_node_is_shown_as_it_was_registered(east: consul.Consul) -> None:
    nodes = {each["Node"]: each for each in east.catalog.nodes()[1]}
    assert nodes["east"]["Address"] == "10.0.0.9"
    assert nodes["east"]["TaggedAddresses"]["wan"] == "192.0.2.9"
    assert nodes["east"]["Datacenter"] == "dc1"
    assert len(nodes) == 2
    own = east.agent.self()["Config"]["NodeName"]
    asked = {"near": own, "consistency": "stale", "dc": "dc1", "filter_expr": 'Node != "nobody"'}
    assert [each["Node"] for each in east.catalog.nodes(**asked)[1]] == [own, "east"]
    assert east.catalog.nodes(node_meta={"rack": "7"})[1] == []
    assert east.catalog.datacenters() == ["dc1"]


def test_services_are_shown_with_their_tags(east: consul.Consul) -> None:
    _, services = east.catalog.services(consistency="consistent", dc="dc1")
    assert services == {"consul": [], "shop": ["Blue", "v1"]}
    assert east.catalog.services(filter_expr='ServiceName == "shop"')[1] == {"shop": ["Blue", "v1"]}
    assert east.catalog.services(node_meta={"rack": "7"})[1] == {}


def test_a_node_is_shown_with_what_is_on_it(east: consul.Consul) -> None:
    _, found = east.catalog.node("EAST")
    assert found["Node"]["Node"] == "east"
    shop = found["Services"]["shop-1"]
    assert (shop["Service"], shop["Address"], shop["Port"]) == ("shop", "10.0.0.10", 8000)
    assert east.catalog.node("east", filter_expr="Port == 1")[1]["Services"] == {}
    index, nothing = east.catalog.node("nowhere")
    assert int(index) >= 1
    assert nothing is None


def test_instances_are_shown_flat(east: consul.Consul) -> None:
    _, (row,) = east.catalog.service("Shop", tag="blue", near="_agent", dc="dc1", merge_central_config=True)
    assert (row["Node"], row["Address"]) == ("east", "10.0.0.9")
    assert (row["ServiceID"], row["ServiceName"], row["ServiceTags"]) == ("shop-1", "shop", ["Blue", "v1"])
    assert (row["ServiceAddress"], row["ServicePort"], row["ServiceMeta"]) == ("10.0.0.10", 8000, {})
    assert row["ServiceWeights"] == {"Passing": 1, "Warning": 1}
    assert east.catalog.service("shop", tag="v2")[1] == []
    assert east.catalog.service("shop", filter_expr="ServicePort == 1")[1] == []
    assert east.catalog.service("nobody")[1] == []


def test_sidecars_and_gateways_are_found_by_what_they_are_for(client: consul.Consul) -> None:
    client.agent.service.register("api", port=80, connect={"sidecar_service": {}})
    for found in (client.catalog.connect("api"), client.catalog.connect("api", dc="dc1")):
        assert [each["ServiceID"] for each in found[1]] == ["api-sidecar-proxy"]
    _, (row,) = client.health.connect("api")
    assert row["Service"]["Proxy"]["DestinationServiceName"] == "api"
    client.agent.service.register("out", kind="terminating-gateway", port=8443)
    # Without links this is null, as in Consul; its index is not read by this client.
    assert client.catalog.gateway_services("out") is None
    client.config.set("terminating-gateway", "out", {"Services": [{"Name": "shop"}]})
    (link,) = client.catalog.gateway_services("out", dc="dc1")
    assert (link["Gateway"]["Name"], link["Service"]["Name"]) == ("out", "shop")
    assert link["GatewayKind"] == "terminating-gateway"
    client.config.delete("terminating-gateway", "out")
    client.agent.service.deregister("out")
    client.agent.service.deregister("api")


def test_health_tells_an_instance_with_its_node_and_checks(east: consul.Consul) -> None:
    _, (row,) = east.health.service("shop", tag=["blue", "V1"], near="_agent", dc="dc1")
    assert (row["Node"]["Node"], row["Node"]["Address"]) == ("east", "10.0.0.9")
    assert (row["Service"]["ID"], row["Service"]["Tags"]) == ("shop-1", ["Blue", "v1"])
    assert [(each["CheckID"], each["Status"]) for each in row["Checks"]] == [("shop", "passing")]
    assert east.health.service("shop", tag=["blue", "v2"])[1] == []
    assert east.health.service("shop", node_meta={"rack": "7"})[1] == []
    assert east.health.service("shop", filter_expr='Checks.Status == "critical"')[1] == []
    assert east.health.service("nobody")[1] == []


def test_checks_are_listed_by_service_node_and_status(east: consul.Consul) -> None:
    def ids(answer: tuple[str, list[dict[str, Any]]]) -> set[str]:
        return {each["CheckID"] for each in answer[1]}

    assert ids(east.health.checks("shop", near="_agent")) == {"shop"}
    assert ids(east.health.node("east", dc="dc1")) == {"shop"}
    assert ids(east.health.node("east", filter_expr='Status == "critical"')) == set()
    assert ids(east.health.state("passing")) == {"shop", "serfHealth"}
    assert ids(east.health.state("any", filter_expr="ServiceName != ``")) == {"shop"}
    for status in ("warning", "critical", "unknown"):
        assert ids(east.health.state(status)) == set()
    assert east.health.checks("nobody")[1] == []
    assert east.health.ingress("shop")[1] == []


def test_only_those_that_pass_all_checks_are_passing(east: consul.Consul) -> None:
    assert len(east.health.service("shop", passing=True)[1]) == 1
    bad_disk = {"Node": "east", "Name": "disk", "Status": "warning"}
    assert east.catalog.register("east", "10.0.0.9", check=bad_disk, skip_node_update=True)
    assert east.health.service("shop", passing=True)[1] == []
    assert east.catalog.deregister("east", check_id="disk")
    assert len(east.health.service("shop", passing=True)[1]) == 1


def test_what_is_deregistered_is_gone_and_may_be_so_already(client: consul.Consul) -> None:
    service = {"Service": "gone", "Port": 1}
    assert client.catalog.register("west", "10.0.0.8", service=service)
    assert client.catalog.deregister("west", service_id="gone", token="ignored", dc="dc1")
    assert client.catalog.node("west")[1]["Services"] == {}
    assert client.catalog.deregister("west")
    assert client.catalog.node("west")[1] is None
    assert client.catalog.deregister("west")


def test_another_datacenter_and_a_bad_filter_are_refused(client: consul.Consul) -> None:
    with pytest.raises(ConsulException, match="500 No path to datacenter 'dc9'"):  # as of Consul
        client.catalog.services(dc="dc9")
    with pytest.raises(BadRequest, match="Colour"):
        client.catalog.nodes(filter_expr="Colour == red")
    assert client.catalog.service("shop", peer="other")[1] == []


READS: list[Callable[..., Any]] = [
    lambda client, **wait: client.catalog.nodes(**wait),
    lambda client, **wait: client.catalog.services(**wait),
    lambda client, **wait: client.catalog.node("late", **wait),
    lambda client, **wait: client.catalog.service("late", **wait),
    lambda client, **wait: client.health.service("late", **wait),
    lambda client, **wait: client.health.checks("late", **wait),
    lambda client, **wait: client.health.node("late", **wait),
    lambda client, **wait: client.health.state("any", **wait),
]


@pytest.mark.parametrize("read", READS)
def test_a_read_waits_for_what_is_not_there_yet(
    client: consul.Consul, woken: Wake, read: Callable[..., Any]
) -> None:
    index, before = read(client)
    assert read(client, index=index, wait="10ms") == (index, before), "nothing has changed"
    check = {"Node": "late", "Name": "late", "Status": "passing", "ServiceID": "late"}
    newer, after = woken(
        lambda waiter: read(waiter, index=index, wait="20s"),
        lambda writer: writer.catalog.register("late", "10.0.0.7", service={"Service": "late"}, check=check),
    )
    assert int(newer) > int(index)
    assert after != before
    client.catalog.deregister("late")
    latest, left = read(client)
    assert int(latest) > int(newer), "also when it is gone"
    assert left == before


def test_a_read_of_health_waits_for_a_check(client: consul.Consul, woken: Wake) -> None:
    client.agent.service.register("ready", check=Check.ttl("1h"))
    index, nothing = client.health.service("ready", passing=True)
    assert nothing == []
    _, (row,) = woken(
        lambda waiter: waiter.health.service("ready", passing=True, index=index, wait="20s"),
        lambda writer: writer.agent.check.ttl_pass("service:ready", notes="at last"),
    )
    assert row["Checks"][-1]["Output"] == "at last"
    client.agent.service.deregister("ready")


# The client gives its session an argument that aiohttp would rather have under another name.
@pytest.mark.filterwarnings("ignore:ssl_context is deprecated:DeprecationWarning")
async def test_the_asynchronous_client_works_too(port: int) -> None:
    async with consul.aio.Consul(port=port) as client, consul.aio.Consul(port=port) as waiter:
        assert await client.agent.service.register("aio", port=80, check=Check.ttl("1h"))
        index, (row,) = await client.health.service("aio")
        assert row["Service"]["Port"] == 80
        waiting = waiter.health.service("aio", index=index, wait="20s")
        assert await client.agent.check.ttl_pass("service:aio")
        _, (row,) = await waiting
        assert row["Checks"][-1]["Status"] == "passing"
        assert await client.config.set("service-defaults", "aio", {"Protocol": "grpc"})
        assert (await client.discovery_chain.get("aio"))["Chain"]["Protocol"] == "grpc"
        assert await client.config.delete("service-defaults", "aio")
        assert await client.agent.service.deregister("aio")
        assert (await client.kv.get("aio"))[1] is None
