"""py-consul's calls of the agent: services, checks, certificates, and what it tells about itself."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import consul
import pytest
from consul import Check
from consul.exceptions import ACLDisabled, BadRequest
from cryptography import x509


class Healthy(BaseHTTPRequestHandler):
    """Is well, if it is asked with the right header."""

    def do_GET(self) -> None:
        self.send_response(200 if self.headers["X-Key"] == "open" else 403)
        self.end_headers()
        self.wfile.write(b"fine")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def healthy() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        serving = Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def test_a_service_is_shown_as_it_was_registered(client: consul.Consul) -> None:
    assert client.agent.service.register(
        "shop",
        service_id="shop:1/a b",
        address="127.0.0.1",
        port=8080,
        tags=["v1", "Blue"],
        meta={"version": "1"},
        weights={"Passing": 5, "Warning": 2},
        # py-consul's documentation gives these as strings, but Consul knows them as objects only.
        tagged_addresses={"lan": {"address": "10.0.0.1", "port": 80}},
        enable_tag_override=True,
        locality={"Region": "eu", "Zone": "eu-1"},
        token="ignored",
    )
    shown = client.agent.service_definition("shop:1/a b")
    assert shown["ContentHash"]
    assert shown == {
        "ID": "shop:1/a b",
        "Service": "shop",
        "Tags": ["v1", "Blue"],
        "Meta": {"version": "1"},
        "Port": 8080,
        "Address": "127.0.0.1",
        "Weights": {"Passing": 5, "Warning": 2},
        "EnableTagOverride": True,
        "Datacenter": "dc1",
        "Locality": {"Region": "eu", "Zone": "eu-1"},
        "TaggedAddresses": {
            "lan": {"Address": "10.0.0.1", "Port": 80},
            "lan_ipv4": {"Address": "127.0.0.1", "Port": 8080},
            "wan_ipv4": {"Address": "127.0.0.1", "Port": 8080},
        },
        "ContentHash": shown["ContentHash"],
    }
    assert client.agent.services(filter_expr='Service == "shop"').keys() == {"shop:1/a b"}
    assert client.agent.service.deregister("shop:1/a b")
    assert client.agent.service_definition("shop:1/a b") is None
    assert client.agent.service.deregister("shop:1/a b") is False


def test_a_sidecar_comes_and_goes_with_its_service(client: consul.Consul) -> None:
    sidecar = {"proxy": {"upstreams": [{"destination_name": "api", "local_bind_port": 9191}]}}
    web = {"name": "web", "service_id": "web-1", "port": 80, "connect": {"sidecar_service": sidecar}}
    assert client.agent.service.register(**web)
    proxy = client.agent.services()["web-1-sidecar-proxy"]
    assert (proxy["Kind"], proxy["Service"]) == ("connect-proxy", "web-sidecar-proxy")
    assert 21000 <= proxy["Port"] <= 21255
    assert proxy["Proxy"]["DestinationServiceName"] == "web"
    assert proxy["Proxy"]["DestinationServiceID"] == "web-1"
    assert (proxy["Proxy"]["LocalServiceAddress"], proxy["Proxy"]["LocalServicePort"]) == ("127.0.0.1", 80)
    assert proxy["Proxy"]["Upstreams"][0]["DestinationName"] == "api"
    assert proxy["Proxy"]["Upstreams"][0]["LocalBindPort"] == 9191
    checks = client.agent.checks(filter_expr='ServiceID == "web-1-sidecar-proxy"')
    assert {each["CheckID"]: each["Name"] for each in checks.values()} == {
        "service:web-1-sidecar-proxy:1": "Connect Sidecar Listening",
        "service:web-1-sidecar-proxy:2": "Connect Sidecar Aliasing web-1",
    }
    assert client.agent.service.register(**web, tags=["v2"])
    assert client.agent.services()["web-1-sidecar-proxy"]["Port"] == proxy["Port"]
    assert client.agent.service.deregister("web-1")
    assert not client.agent.services().keys() & {"web-1", "web-1-sidecar-proxy"}


def test_proxies_and_gateways_can_be_registered_by_kind(client: consul.Consul) -> None:
    proxy = {"DestinationServiceName": "web", "LocalServicePort": 8080}
    assert client.agent.service.register("px", kind="connect-proxy", port=20000, proxy=proxy)
    assert client.agent.services()["px"]["Proxy"]["DestinationServiceName"] == "web"
    for kind in ("mesh-gateway", "terminating-gateway", "ingress-gateway"):
        assert client.agent.service.register(kind, kind=kind, port=8443)
        assert client.agent.services()[kind]["Kind"] == kind


def test_bad_registrations_say_what_is_bad(client: consul.Consul) -> None:
    with pytest.raises(BadRequest, match="runs no commands"):
        client.agent.service.register("bad", check=Check.script(["true"], "10s"))
    with pytest.raises(BadRequest, match="runs no commands"):
        client.agent.service.register("bad", check=Check.docker("id", "sh", "true", "10s"))
    with pytest.raises(BadRequest, match=r"Weights\.Passing"):
        client.agent.service.register("bad", weights={"Passing": 0, "Warning": 1})
    with pytest.raises(BadRequest, match="DestinationServiceName"):
        client.agent.service.register("bad", kind="connect-proxy", port=1, proxy={"LocalServicePort": 1})
    assert "bad" not in client.agent.services()


def test_checks_are_probed(client: consul.Consul, shared: Any) -> None:
    with healthy() as port:
        url, closed = f"http://127.0.0.1:{port}/", f"127.0.0.1:{closed_port()}"
        assert client.agent.service.register(
            "probed",
            check=Check.http(url, "10s", timeout="2s", deregister="90m", header={"X-Key": ["open"]}),
            extra_checks=[
                Check.http(url, "10s"),
                Check.tcp("127.0.0.1", port, "10s", timeout="2s", deregister="90m"),
                Check.grpc(closed, "10s", use_tls=False, tls_skip_verify=True, timeout="2s"),
            ],
        )
        ids = [f"service:probed:{number}" for number in (1, 2, 3, 4)]
        shared.wait(lambda: all(client.agent.checks()[each]["Output"] for each in ids), "all are probed")
        checks = client.agent.checks()
    shown = {each: (checks[each]["Type"], checks[each]["Status"]) for each in ids}
    assert shown == {
        "service:probed:1": ("http", "passing"),
        "service:probed:2": ("http", "critical"),
        "service:probed:3": ("tcp", "passing"),
        "service:probed:4": ("grpc", "critical"),
    }
    assert checks[ids[0]]["Output"] == f"HTTP GET {url}: 200 OK Output: fine"
    assert (checks[ids[0]]["Interval"], checks[ids[0]]["Timeout"]) == ("10s", "2s")
    assert checks[ids[2]]["Output"] == f"TCP connect 127.0.0.1:{port}: Success"


def test_a_ttl_check_says_what_it_is_told(client: consul.Consul) -> None:
    assert client.agent.service.register("told", check=Check.ttl("1h"))
    assert client.agent.checks()["service:told"]["Status"] == "critical"
    for call, status in (
        (client.agent.check.ttl_pass, "passing"),
        (client.agent.check.ttl_warn, "warning"),
        (client.agent.check.ttl_fail, "critical"),
    ):
        assert call("service:told", notes=f"now {status} & so on")
        check = client.agent.checks()["service:told"]
        assert (check["Status"], check["Output"]) == (status, f"now {status} & so on")
        assert client.health.service("told")[1][0]["Checks"][-1]["Output"] == check["Output"]
    assert client.agent.check.ttl_pass("nobody") is False


def test_checks_are_registered_on_their_own(client: consul.Consul) -> None:
    client.agent.service.register("watched")
    assert client.agent.check.register(
        "slow", Check.ttl("1h"), check_id="slow-1", notes="as of now", service_id="watched"
    )
    check = client.agent.checks()["slow-1"]
    assert (check["Name"], check["Notes"], check["ServiceName"]) == ("slow", "as of now", "watched")
    client.agent.check.ttl_pass("slow-1")
    client.agent.check.register("slow", Check.ttl("1h"), check_id="slow-1", service_id="watched")
    assert client.agent.checks()["slow-1"]["Status"] == "passing", "who registers again changes no status"
    assert client.agent.check.register("disk", ttl="1h"), "by arguments of earlier versions"
    assert client.agent.checks()["disk"]["ServiceID"] == ""
    assert client.agent.check.deregister("disk")
    assert client.agent.check.deregister("disk") is False
    assert client.agent.check.register("lost", Check.ttl("1h"), service_id="nobody") is False


def test_checks_are_replaced_if_asked_for(client: consul.Consul) -> None:
    client.agent.service.register("changed", check=Check.ttl("1h"), extra_checks=[Check.ttl("2h")])
    client.agent.service.register("changed")
    assert client.agent.checks().keys() >= {"service:changed:1", "service:changed:2"}
    client.agent.service.register("changed", check=Check.ttl("1h"), replace_existing_checks=True)
    left = client.agent.checks(filter_expr='ServiceName == "changed"')
    assert left.keys() == {"service:changed"}


def test_services_of_earlier_versions_of_the_client(client: consul.Consul) -> None:
    assert client.agent.service.register("early", ttl="1h")
    assert client.agent.checks()["service:early"]["Type"] == "ttl"
    assert client.agent.service.register("later", http="http://127.0.0.1:1", interval="10s", timeout="1s")
    assert client.agent.checks()["service:later"]["Type"] == "http"


def test_maintenance_takes_a_service_out_and_back(client: consul.Consul) -> None:
    client.agent.service.register("paused")
    assert client.agent.service.maintenance("paused", enable=True, reason="new disk")
    check = client.agent.checks()["_service_maintenance:paused"]
    assert (check["Status"], check["Notes"], check["Type"]) == ("critical", "new disk", "maintenance")
    assert client.health.service("paused", passing=True)[1] == []
    assert client.agent.service.maintenance("paused", enable=False)
    assert len(client.health.service("paused", passing=True)[1]) == 1
    assert client.agent.service.maintenance("nobody", enable=True) is False


def test_maintenance_of_the_node_is_of_all_on_it(client: consul.Consul) -> None:
    client.agent.service.register("resting")
    assert client.agent.maintenance(enable=True, reason="moving")
    assert client.agent.checks()["_node_maintenance"]["Notes"] == "moving"
    assert client.health.service("resting", passing=True)[1] == []
    assert client.agent.maintenance(enable=False)
    assert "_node_maintenance" not in client.agent.checks()


def test_the_agent_tells_about_itself(client: consul.Consul) -> None:
    told = client.agent.self()
    assert all(isinstance(section, dict) for section in told.values())
    assert told["Config"]["Datacenter"] == "dc1"
    assert re.match(r"1\.\d+\.\d+\b", told["Config"]["Version"]), "some do not speak with older ones"
    (member,) = client.agent.members()
    assert member == told["Member"]
    assert client.agent.members(wan=True)[0]["Name"] == f"{member['Name']}.dc1"
    assert (member["Name"], member["Status"]) == (told["Config"]["NodeName"], 1)
    assert re.fullmatch(r"127\.0\.0\.1:\d+", client.status.leader())
    assert client.status.peers() == [client.status.leader()] == [told["Stats"]["consul"]["leader_addr"]]
    assert client.agent.reload()


def test_the_agent_tells_figures(client: consul.Consul) -> None:
    figures = client.agent.metrics()
    assert figures["Gauges"]
    name = figures["Gauges"][0]["Name"].replace(".", "_")
    assert name in client.agent.metrics(format_prometheus=True)


def test_a_leaf_is_from_the_roots_and_stays(client: consul.Consul) -> None:
    roots = client.agent.connect.ca.roots()
    assert roots == client.connect.ca.roots()
    (root,) = [each for each in roots["Roots"] if each["Active"]]
    assert root["ID"] == roots["ActiveRootID"]
    leaf = client.agent.connect.ca.leaf("web")
    assert leaf == client.agent.connect.ca.leaf("web")
    assert leaf["ServiceURI"] == f"spiffe://{roots['TrustDomain']}/ns/default/dc/dc1/svc/web"
    certificate, intermediate = x509.load_pem_x509_certificates(leaf["CertPEM"].encode())
    certificate.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(x509.load_pem_x509_certificate(root["RootCert"].encode()))
    assert "PRIVATE KEY" in leaf["PrivateKeyPEM"]


def test_who_connects_is_authorized_by_the_intentions(client: consul.Consul) -> None:
    leaf = client.agent.connect.ca.leaf("caller")
    # It sends a PUT, which Consul refuses with 405: it is accepted here.
    asked = ("called", leaf["ServiceURI"], leaf["SerialNumber"])
    assert client.agent.connect.authorize(*asked)["Authorized"] is True
    client.connect.intentions.upsert("caller", "called", action="deny")
    answer = client.agent.connect.authorize(*asked)
    assert answer["Authorized"] is False
    assert answer["Reason"]


def test_there_is_no_cluster_and_there_are_no_tokens(client: consul.Consul) -> None:
    for command in (
        partial(client.agent.join, "10.0.0.1"),
        partial(client.agent.force_leave, "n2", prune=True),
        client.agent.leave,
        client.agent.monitor,
    ):
        with pytest.raises(BadRequest, match="is not offered by xdsmesh"):
            command()
    with pytest.raises(ACLDisabled):
        client.agent.token.set_default("secret")
