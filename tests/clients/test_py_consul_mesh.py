"""py-consul's calls about the mesh: entries, intentions, certificates, chains; and what is not offered."""

from typing import Any

import consul
import pytest
from consul.exceptions import ACLDisabled, BadRequest, ConsulException, NotFound

ENTRIES: dict[tuple[str, str], dict[str, Any]] = {
    ("service-defaults", "web"): {"Protocol": "http"},
    ("proxy-defaults", "global"): {"Config": {"protocol": "http", "local_connect_timeout_ms": 1000}},
    ("service-resolver", "web"): {
        "DefaultSubset": "v1",
        "ConnectTimeout": "15s",
        "Subsets": {"v1": {"Filter": "Service.Meta.version == 1"}, "v2": {"OnlyPassing": True}},
    },
    ("service-splitter", "web"): {"Splits": [{"Weight": 100, "ServiceSubset": "v1"}]},
    ("service-router", "web"): {
        "Routes": [
            {
                "Match": {"HTTP": {"PathPrefix": "/admin"}},
                "Destination": {"Service": "admin", "NumRetries": 3},
            }
        ]
    },
    ("service-intentions", "web"): {"Sources": [{"Name": "api", "Action": "allow"}]},
    ("ingress-gateway", "in"): {
        "Listeners": [
            {"Port": 8080, "Protocol": "http", "Services": [{"Name": "web", "Hosts": ["w.example"]}]}
        ]
    },
    ("terminating-gateway", "out"): {"Services": [{"Name": "billing", "SNI": "billing.example"}]},
    ("mesh", "mesh"): {"TransparentProxy": {"MeshDestinationsOnly": True}},
    ("exported-services", "default"): {"Services": [{"Name": "web", "Consumers": [{"Peer": "east"}]}]},
}


def is_part_of(wanted: Any, found: Any) -> bool:
    """Whether all that was written is there; a server may add fields to it."""
    if isinstance(wanted, dict):
        return all(key in found and is_part_of(value, found[key]) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(wanted) == len(found) and all(map(is_part_of, wanted, found))
    return bool(wanted == found)


def test_entries_of_all_kinds_are_written_read_listed_and_deleted(client: consul.Consul) -> None:
    for (kind, name), body in ENTRIES.items():
        assert client.config.set(kind, name, body, token="ignored", dc="dc1") is True, kind
        entry = client.config.get(kind, name)
        assert is_part_of(body, entry), kind
        assert entry["Kind"] == kind
        assert entry["ModifyIndex"] >= entry["CreateIndex"] >= 1
        assert entry in client.config.list(kind, dc="dc1")
        # What was read can be written back, and changes nothing.
        assert client.config.set(kind, name, entry) is True, kind
        assert client.config.get(kind, name) == entry, kind
    for kind, name in reversed(ENTRIES):
        assert client.config.delete(kind, name) is True, kind
        assert client.config.get(kind, name) is None
        assert client.config.delete(kind, name) is True, "also when it is gone"
        assert client.config.list(kind) == []


def test_a_write_may_depend_on_what_is_there(client: consul.Consul) -> None:
    defaults = ("service-defaults", "cas")
    assert client.config.set(*defaults, {"Protocol": "http"}, cas=0) is True
    assert client.config.set(*defaults, {"Protocol": "tcp"}, cas=0) is False
    index = client.config.get(*defaults)["ModifyIndex"]
    assert client.config.set(*defaults, {"Protocol": "grpc"}, cas=index) is True
    assert client.config.set(*defaults, {"Protocol": "tcp"}, cas=index) is False
    assert client.config.delete(*defaults, cas=index) is False
    assert client.config.get(*defaults)["Protocol"] == "grpc"
    assert client.config.delete(*defaults, cas=client.config.get(*defaults)["ModifyIndex"]) is True
    assert client.config.delete(*defaults, cas=index) is True, "it is gone"


def test_entries_are_filtered(client: consul.Consul) -> None:
    client.config.set("service-defaults", "a", {"Protocol": "http"})
    client.config.set("service-defaults", "b", {"Protocol": "tcp"})
    found = client.config.list("service-defaults", filter_expr='Protocol == "http"')
    assert [each["Name"] for each in found] == ["a"]
    client.config.delete("service-defaults", "a")
    client.config.delete("service-defaults", "b")


def test_bad_entries_say_what_is_bad(client: consul.Consul) -> None:
    with pytest.raises(BadRequest, match="Protokol"):
        client.config.set("service-defaults", "web", {"Protokol": "http"})
    with pytest.raises(BadRequest, match="does not permit advanced routing"):
        client.config.set("service-splitter", "plain", {"Splits": [{"Weight": 100}]})
    with pytest.raises(BadRequest, match="nonsense"):
        client.config.list("nonsense")
    assert client.config.list("service-splitter") == []


def test_intentions_are_made_evaluated_and_removed(client: consul.Consul) -> None:
    intentions = client.connect.intentions
    assert intentions.list() == []
    assert intentions.check("api", "db", source_type="consul") is True, "the default"
    assert intentions.upsert("*", "db", action="deny", dc="dc1")
    assert intentions.upsert("api", "db", action="allow", description="it may", token="ignored")
    assert intentions.check("api", "db") is True
    assert intentions.check("web", "db") is False
    found = intentions.read("api", "db")
    assert (found["SourceName"], found["DestinationName"], found["SourceType"]) == ("api", "db", "consul")
    assert (found["Action"], found["Description"], found["Precedence"]) == ("allow", "it may", 9)
    assert found["ModifyIndex"] == client.config.get("service-intentions", "db")["ModifyIndex"]
    assert [each["SourceName"] for each in intentions.list(dc="dc1")] == ["api", "*"]
    assert intentions.list(filter_expr='SourceName == "api"') == [found]
    assert [each["SourceName"] for each in intentions.match("destination", "db")["db"]] == ["api", "*"]
    assert [each["DestinationName"] for each in intentions.match("source", "api")["api"]] == ["db", "db"]
    assert intentions.match("destination", "nobody") == {"nobody": None}
    for source in ("api", "*", "nobody"):
        assert intentions.delete(source, "db")
    assert intentions.read("api", "db") is None
    assert client.config.get("service-intentions", "db") is None


def test_an_intention_may_look_at_requests(client: consul.Consul) -> None:
    client.config.set("service-defaults", "l7", {"Protocol": "http"})
    permission = {"Action": "allow", "HTTP": {"PathPrefix": "/public", "Methods": ["GET"]}}
    assert client.connect.intentions.upsert("api", "l7", permissions=[permission])
    assert is_part_of([permission], client.connect.intentions.read("api", "l7")["Permissions"])
    assert client.connect.intentions.check("api", "l7") is False, "it depends on the request"
    client.connect.intentions.delete("api", "l7")
    # What Consul keeps beside an intention is the meta of the whole entry, and it refuses any other too.
    with pytest.raises(BadRequest, match="Meta"):
        client.connect.intentions.upsert("api", "l7", action="allow", meta={"team": "a"})
    client.config.delete("service-defaults", "l7")


def test_the_authority_is_shown_and_configured(client: consul.Consul) -> None:
    roots = client.connect.ca.roots(token="ignored")
    assert roots["Roots"][0]["RootCert"].startswith("-----BEGIN CERTIFICATE-----")
    # The answer is right, and PEM: it is the client that takes it for JSON.
    with pytest.raises(ConsulException, match="Failed to decode JSON: -----BEGIN CERTIFICATE-----"):
        client.connect.ca.roots(pem=True)
    found = client.connect.ca.configuration()
    assert (found["Provider"], found["Config"]["LeafCertTTL"]) == ("consul", "72h")
    changed = {**found["Config"], "LeafCertTTL": "48h"}
    assert client.connect.ca.update_configuration("consul", changed, force_without_cross_signing=True)
    assert client.connect.ca.configuration()["Config"]["LeafCertTTL"] == "48h"
    with pytest.raises(BadRequest, match="RootPKIPath is required"):
        client.connect.ca.update_configuration("vault", {})


def test_chains_are_compiled(client: consul.Consul) -> None:
    chain = client.discovery_chain.get("plain")["Chain"]
    assert (chain["ServiceName"], chain["Protocol"], chain["Default"]) == ("plain", "tcp", True)
    assert chain["StartNode"] in chain["Nodes"]
    target = chain["Nodes"][chain["StartNode"]]["Resolver"]["Target"]
    assert chain["Targets"][target]["SNI"].startswith("plain.default.dc1.internal.")
    overridden = client.discovery_chain.get(
        "plain",
        compile_dc="dc1",
        override_connect_timeout="9s",
        override_protocol="http",
        override_mesh_gateway_mode="local",
    )["Chain"]
    assert (overridden["Protocol"], len(overridden["CustomizationHash"])) == ("http", 8)
    assert overridden["Nodes"][overridden["StartNode"]]["Resolver"]["ConnectTimeout"] == "9s"
    assert overridden["Targets"][target]["MeshGateway"] == {"Mode": "local"}


def test_acls_are_off(client: consul.Consul) -> None:
    for call in (
        client.acl.token.list,
        client.acl.token.read_self,
        client.acl.policy.list,
        client.acl.role.list,
        client.acl.bootstrap,
    ):
        with pytest.raises(ACLDisabled, match="ACL support disabled"):
            call()


def test_what_is_not_offered_is_nothing_to_the_client_and_no_fault(client: consul.Consul) -> None:
    assert client.kv.get("a") == ("1", None)
    assert client.kv.get("a/", recurse=True, keys=True) == ("1", None)
    for nothing in (
        client.kv.put("a", "b"),
        client.kv.delete("a", recurse=True),
        client.session.create(),
        client.session.destroy("1"),
        client.event.fire("deploy"),
        client.coordinate.datacenters(),
        client.query.list(),
        client.operator.raft_config(),
        client.operator.autopilot_health(),
        client.txn.put([]),
    ):
        assert not nothing
    for read in (client.session.list, client.event.list, client.coordinate.nodes):
        assert read() == ("1", None)
    with pytest.raises(NotFound, match="snapshot is not offered by xdsmesh"):
        client.snapshot.save()
