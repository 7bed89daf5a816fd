"""What other programs ask, and rely on: Prometheus, registrators, Terraform, and people with curl."""

import json
import shutil
import subprocess
from typing import Any

import httpx
import pytest


@pytest.fixture(scope="module")
def api(shared: Any) -> httpx.Client:
    api: httpx.Client = shared.http
    return api


def test_prometheus_finds_what_to_scrape(api: httpx.Client) -> None:
    body = {"ID": "db-1", "Name": "db", "Tags": ["sql"], "Port": 5432, "Meta": {"metrics": "9102"}}
    api.put("/v1/agent/service/register", json={**body, "Check": None, "Checks": None})
    own = api.get("/v1/agent/self").json()["Config"]
    stale = {"stale": "", "dc": own["Datacenter"]}
    services = api.get("/v1/catalog/services", params=stale)
    assert services.json()["db"] == ["sql"]
    (row,) = (found := api.get("/v1/health/service/db", params={**stale, "tag": "sql"})).json()
    assert row["Node"]["Datacenter"] == "dc1"
    assert (row["Node"]["Node"], row["Node"]["Address"]) == (own["NodeName"], "127.0.0.1")
    assert row["Service"]["Address"] == "", "then it takes the node's"
    assert (row["Service"]["Port"], row["Service"]["Meta"]) == (5432, {"metrics": "9102"})
    assert {each["Status"] for each in row["Checks"]} == {"passing"}
    # It takes any other index for a change, so nothing but a change may move it.
    for path, answer in (("/v1/catalog/services", services), ("/v1/health/service/db", found)):
        index = answer.headers["X-Consul-Index"]
        again = api.get(path, params={**stale, "index": index, "wait": "10ms"})
        assert again.headers["X-Consul-Index"] == index
        assert again.headers["X-Consul-Effective-Consistency"] == "stale"


def test_a_registrator_keeps_services_as_containers_come_and_go(api: httpx.Client) -> None:
    assert api.get("/v1/status/leader").json()
    # Its ids have colons, and the Go client sends null for what it has not.
    body = {"ID": "host:redis:6379", "Name": "redis", "Tags": None, "Port": 6379, "Address": "10.0.0.3"}
    check = {"TTL": "30s", "Status": "passing"}
    answer = api.put("/v1/agent/service/register", json={**body, "Check": check, "Checks": None})
    assert (answer.status_code, answer.content) == (200, b"")
    found = api.get("/v1/agent/services").json()["host:redis:6379"]
    assert {key: found[key] for key in ("Service", "Port", "Tags", "Address")} == {
        "Service": "redis",
        "Port": 6379,
        "Tags": [],
        "Address": "10.0.0.3",
    }
    assert api.put("/v1/agent/check/pass/service:host:redis:6379").status_code == 200
    assert api.put("/v1/agent/service/deregister/host:redis:6379").status_code == 200
    for path, text in (
        ("service/deregister/host:redis:6379", "Unknown service ID"),
        ("check/pass/service:host:redis:6379", "Unknown check ID"),
    ):
        answer = api.put(f"/v1/agent/{path}")
        assert answer.status_code == 404
        assert text in answer.text


def test_terraform_manages_nodes_and_services(api: httpx.Client) -> None:
    dc = {"dc": api.get("/v1/agent/self").json()["Config"]["Datacenter"]}
    unknown = api.get("/v1/catalog/node/tf", params=dc)
    assert (unknown.status_code, unknown.json()) == (200, None)
    definition = {"HTTP": "http://10.0.0.4/", "Interval": "30s", "Timeout": "5s"}
    check = {
        "Node": "tf",
        "CheckID": "web:up",
        "Name": "up",
        "Status": "passing",
        "Notes": "",
        "Output": "",
        "ServiceID": "web",
        "ServiceName": "",
        "ServiceTags": None,
        "Type": "",
        "ExposedPort": 0,
        "CreateIndex": 0,
        "ModifyIndex": 0,
        "Definition": definition,
    }
    body = {
        "ID": "",
        "Node": "tf",
        "Address": "10.0.0.4",
        "TaggedAddresses": None,
        "NodeMeta": {"rack": "7"},
        "Datacenter": "dc1",
        "Service": {
            "ID": "web",
            "Service": "web",
            "Tags": ["a"],
            "Meta": None,
            "Port": 80,
            "Address": "10.0.0.4",
            "Weights": {"Passing": 0, "Warning": 0},
            "EnableTagOverride": False,
            "CreateIndex": 0,
            "ModifyIndex": 0,
        },
        "Check": None,
        "Checks": [check],
        "SkipNodeUpdate": False,
    }
    assert api.put("/v1/catalog/register", params=dc, json=body).json() is True
    (row,) = api.get("/v1/catalog/service/web", params=dc).json()
    assert (row["Node"], row["ServiceID"], row["ServicePort"], row["NodeMeta"]) == (
        "tf",
        "web",
        80,
        {"rack": "7"},
    )
    (shown,) = api.get("/v1/health/checks/web", params=dc).json()
    assert shown["CheckID"] == "web:up"
    assert shown["Definition"].items() >= definition.items()
    gone = {"Node": "tf", "Address": "", "Datacenter": "dc1", "ServiceID": "web", "CheckID": ""}
    assert api.put("/v1/catalog/deregister", params=dc, json=gone).json() is True
    gone["ServiceID"] = ""
    assert api.put("/v1/catalog/deregister", params=dc, json=gone).json() is True
    assert api.get("/v1/catalog/node/tf", params=dc).json() is None


def test_terraform_reads_entries_as_it_wrote_them(api: httpx.Client) -> None:
    """It would see every field that a server adds as a change that somebody else has made."""
    bodies: list[dict[str, Any]] = [
        {"Kind": "service-defaults", "Name": "tf", "Protocol": "http"},
        {
            "Kind": "service-resolver",
            "Name": "tf",
            "ConnectTimeout": "5s",
            "Subsets": {"v1": {"Filter": "Service.Meta.version == v1"}},
        },
        {"Kind": "service-splitter", "Name": "tf", "Splits": [{"Weight": 100, "ServiceSubset": "v1"}]},
    ]
    for body in bodies:
        answer = api.put("/v1/config", params={"dc": "dc1"}, json=body)
        assert (answer.status_code, answer.text.strip()) == (200, "true")
        found = api.get(f"/v1/config/{body['Kind']}/tf", params={"dc": "dc1"}).json()
        assert found.pop("CreateIndex") <= found.pop("ModifyIndex")
        assert found == body
    for body in reversed(bodies):
        assert api.delete(f"/v1/config/{body['Kind']}/tf", params={"dc": "dc1"}).json() == {}
        assert api.get(f"/v1/config/{body['Kind']}/tf", params={"dc": "dc1"}).status_code == 404


def test_durations_come_as_nanoseconds_from_go(api: httpx.Client) -> None:
    entry = {"Kind": "service-resolver", "Name": "ns", "ConnectTimeout": 15_000_000_000, "RequestTimeout": 0}
    assert api.put("/v1/config", json=entry).json() is True
    assert api.get("/v1/config/service-resolver/ns").json()["ConnectTimeout"] == "15s"
    api.delete("/v1/config/service-resolver/ns")


def test_old_terraform_makes_intentions_with_ids(api: httpx.Client) -> None:
    intention = {
        "ID": "",
        "Description": "",
        "SourceNS": "default",
        "SourceName": "api",
        "DestinationNS": "default",
        "DestinationName": "tf-db",
        "SourceType": "consul",
        "Action": "allow",
        "Meta": None,
        "Precedence": 0,
        "CreatedAt": "0001-01-01T00:00:00Z",
        "UpdatedAt": "0001-01-01T00:00:00Z",
        "CreateIndex": 0,
        "ModifyIndex": 0,
    }
    answer = api.post("/v1/connect/intentions", params={"dc": "dc1"}, json=intention)
    assert answer.status_code == 200, answer.text
    path = f"/v1/connect/intentions/{answer.json()['ID']}"
    assert api.get(path).json()["SourceName"] == "api"
    assert api.delete(path).status_code == 200
    assert api.get(path).status_code == 404


def test_curl_is_all_that_a_person_needs(api: httpx.Client) -> None:
    curl = shutil.which("curl")
    if not curl:
        pytest.skip("there is no curl on PATH")

    def run(*arguments: str) -> str:
        command = [curl, "--silent", "--show-error", "--fail-with-body", "--noproxy", "*", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    url = str(api.base_url).rstrip("/") + "/v1"
    # curl says of such a body that it is a form; what it is decides.
    body = json.dumps({"name": "curled", "port": 80, "tagged_addresses": {}})
    assert run("-X", "PUT", "-d", body, f"{url}/agent/service/register") == ""
    (row,) = json.loads(run("--compressed", f"{url}/health/service/curled?passing"))
    assert row["Service"]["Port"] == 80
    pretty = run("-G", f"{url}/catalog/services?pretty", "--data-urlencode", "filter=ServiceName == curled")
    assert pretty == '{\n    "curled": []\n}\n'
    assert run("-X", "PUT", f"{url}/agent/service/deregister/curled") == ""
