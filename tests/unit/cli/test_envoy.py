import json
from typing import Any

import pytest
from msgspec.structs import replace

from xdsmesh.cli.answers import AgentService
from xdsmesh.cli.errors import CommandError
from xdsmesh.cli.gateways import Registration, check_id, find_gateway
from xdsmesh.cli.whose import find_proxy, find_sidecar
from xdsmesh.config.files import decode_service
from xdsmesh.config.service import expand
from xdsmesh.model.catalog import Bind, GatewaySettings, Node


def service(service_id: str, stands_before: str = "") -> AgentService:
    name = service_id.partition("-")[0]
    proxy = {"DestinationServiceID": stands_before, "DestinationServiceName": name} if stands_before else None
    return AgentService(
        id=service_id, service=name, address="", port=0, tags=[], meta={}, weights={}, proxy=proxy
    )


def catalog(*services: AgentService) -> dict[str, AgentService]:
    return {each.id: each for each in services}


WEB = catalog(service("web-1"), service("web-1-sidecar-proxy", "web-1"), service("db-1"))


def test_the_sidecar_is_found_by_the_instance_that_it_stands_before() -> None:
    sidecar = find_sidecar(WEB, "WEB-1")
    assert (sidecar.id, sidecar.destination) == ("web-1-sidecar-proxy", "web")


@pytest.mark.parametrize(
    ("services", "wanted", "said"),
    [
        (WEB, "api-1", "no service with the id 'api-1' is registered; there are sidecars for web-1"),
        ({}, "api-1", "xdsmesh services register FILE"),
        (WEB, "", "no service with the id ''"),
        (WEB, "db-1", "service 'db-1' has no sidecar.*sidecar_service"),
        (WEB, "web-1-sidecar-proxy", "is itself a sidecar: use --sidecar-for web-1"),
        (
            {**WEB, **catalog(service("web-edge", "web-1"))},
            "web-1",
            "several sidecars.*web-1-sidecar-proxy, web-edge",
        ),
    ],
)
def test_without_one_sidecar_the_error_says_what_there_is_and_what_to_do(
    services: dict[str, AgentService], wanted: str, said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        find_sidecar(services, wanted)


def gateway(proxy_id: str, kind: str = "mesh-gateway", name: str = "gateway") -> AgentService:
    return AgentService(
        kind=kind, id=proxy_id, service=name, address="", port=8443, tags=[], meta={}, weights={}
    )


def test_the_one_gateway_is_found_and_of_several_the_named_one() -> None:
    assert find_gateway(catalog(gateway("g-1"), service("web-1")), "mesh-gateway").id == "g-1"
    both = catalog(gateway("g-1"), gateway("e-1", name="edge"))
    assert find_gateway(both, "mesh-gateway", "edge").id == "e-1"
    assert find_proxy(both, "g-1").id == "g-1"


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ({}, "no mesh-gateway is registered.*--register --address IP:PORT"),
        (catalog(gateway("t-1", "terminating-gateway")), "no mesh-gateway is registered"),
        (
            catalog(gateway("g-2"), gateway("g-1")),
            "several are registered as mesh-gateway: g-1, g-2.*--proxy-id",
        ),
    ],
)
def test_without_one_gateway_the_error_says_what_to_do(services: dict[str, AgentService], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        find_gateway(services, "mesh-gateway")


def test_a_gateway_that_has_no_envoy_yet_is_refused() -> None:
    with pytest.raises(CommandError, match="terminating-gateway, which is not served yet"):
        find_proxy(catalog(gateway("t-1", "terminating-gateway")), "t-1")


def registered(**fields: Any) -> Any:
    """The instance that is registered with flags."""
    given = {"service": "", "proxy_id": "", "wan_address": "", "bind_addresses": []}
    body = Registration(kind="mesh-gateway", **{**given, **fields}).body()
    (instance,) = expand(decode_service(body), Node("node-1", "127.0.0.1", "dc1"), lambda _: 0)
    return instance, json.loads(body)


MORE = Registration("mesh-gateway", "", "g-1", "10.0.1.9:8443", "", [])


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (
            gateway("g-1"),
            "registered at 10.0.1.8:8443 already .one more needs an id.*--proxy-id.*deregister g-1",
        ),
        (service("g-1"), "the id 'g-1' is that of a service .*--proxy-id"),
    ],
)
def test_a_gateway_does_not_take_the_place_of_another(there: AgentService, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        check_id(catalog(replace(there, address="10.0.1.8")), MORE)


def test_a_gateway_is_registered_again_where_it_was() -> None:
    check_id(catalog(replace(gateway("g-1"), address="10.0.1.9")), MORE)
    check_id({}, MORE)


def test_a_gateway_is_registered_with_both_addresses_and_a_check() -> None:
    found, body = registered(address="10.0.1.9:8443", wan_address="gw.example.com:443", service="edge")

    assert (found.id, found.service, found.address, found.port) == ("edge", "edge", "10.0.1.9", 8443)
    assert (found.place("lan"), found.place("wan")) == (("10.0.1.9", 8443), ("gw.example.com", 443))
    assert found.proxy.gateway == GatewaySettings()
    assert body["Check"]["TCP"] == "10.0.1.9:8443"
    assert [check.name for check in found.checks] == ["mesh-gateway listening"]


def test_a_gateway_listens_at_its_outer_address_too_if_the_machine_has_it() -> None:
    found, _ = registered(address="127.0.0.1:8443", wan_address="127.0.0.2:443")
    assert found.proxy.gateway == GatewaySettings(no_default=True, tagged=True)


def test_a_gateway_listens_where_it_is_told() -> None:
    found, _ = registered(address="10.0.1.9:8443", bind_addresses=["out=192.0.2.9:443", "in=10.0.1.9:8443"])
    binds = (Bind("in", "10.0.1.9", 8443), Bind("out", "192.0.2.9", 443))
    assert found.proxy.gateway == GatewaySettings(no_default=True, binds=binds)
