"""The OpenAPI document as it is served, and real replies beside what it says of them."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator

from xdsmesh import __version__

SERVICES = (
    {
        "ID": "web-1",
        "Name": "web",
        "Tags": ["v1"],
        "Port": 80,
        "Meta": {"version": "1"},
        "Check": {"CheckID": "alive", "Status": "passing"},
        "Connect": {
            "SidecarService": {
                "Port": 1,  # nobody listens there, so that something is critical
                "Proxy": {"Upstreams": [{"DestinationName": "db", "LocalBindPort": 1}]},
            }
        },
    },
    {"ID": "db", "Name": "db"},
)
ENTRIES = (
    {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http", "mine": {"a": [1]}}},
    {"Kind": "terminating-gateway", "Name": "out", "Services": [{"Name": "db", "SNI": "db.example.com"}]},
    {"Kind": "mesh", "TLS": {"Incoming": {"TLSMinVersion": "TLSv1_2"}}},
    {
        "Kind": "service-resolver",
        "Name": "web",
        "ConnectTimeout": "2s",
        "Subsets": {"v1": {"Filter": "Service.Meta.version == 1"}},
        "Failover": {"*": {"Service": "db"}},
    },
    {
        "Kind": "service-splitter",
        "Name": "web",
        "Splits": [{"Weight": 99.5}, {"Weight": 0.5, "Service": "db"}],
    },
)
REPLIES = {
    "/v1/agent/self": "/v1/agent/self",
    "/v1/agent/version": "/v1/agent/version",
    "/v1/agent/services": "/v1/agent/services",
    "/v1/agent/service/{id}": "/v1/agent/service/web-1-sidecar-proxy",
    "/v1/catalog/datacenters": "/v1/catalog/datacenters",
    "/v1/catalog/services": "/v1/catalog/services",
    "/v1/catalog/service/{name}": "/v1/catalog/service/web",
    "/v1/config/{kind}": "/v1/config/service-splitter",
    "/v1/config/{kind}/{name}": "/v1/config/service-resolver/web",
    "/v1/discovery-chain/{service}": "/v1/discovery-chain/web",
    "/v1/agent/checks": "/v1/agent/checks",
    "/v1/agent/members": "/v1/agent/members",
    "/v1/catalog/nodes": "/v1/catalog/nodes",
    "/v1/catalog/connect/{name}": "/v1/catalog/connect/web",
    "/v1/catalog/node/{name}": "/v1/catalog/node/n1",
    "/v1/catalog/node-services/{name}": "/v1/catalog/node-services/n1",
    "/v1/catalog/gateway-services/{name}": "/v1/catalog/gateway-services/out",
    "/v1/health/checks/{name}": "/v1/health/checks/web-sidecar-proxy",
    "/v1/health/connect/{name}": "/v1/health/connect/web",
    "/v1/health/node/{name}": "/v1/health/node/n1",
    "/v1/health/service/{name}": "/v1/health/service/web-sidecar-proxy",
    "/v1/health/state/{status}": "/v1/health/state/critical",
    "/v1/openapi.json": "/v1/openapi.json",
    "/v1/status/leader": "/v1/status/leader",
    "/v1/status/peers": "/v1/status/peers",
    "/v1/xdsmesh/proxies": "/v1/xdsmesh/proxies",
    "/v1/xdsmesh/work": "/v1/xdsmesh/work",
}


@pytest.fixture
async def filled(api: httpx.AsyncClient) -> httpx.AsyncClient:
    for service in SERVICES:
        (await api.put("/v1/agent/service/register", json=service)).raise_for_status()
    for entry in ENTRIES:
        (await api.put("/v1/config", json=entry)).raise_for_status()
    return api


def check(document: Mapping[str, Any], path: str, answer: httpx.Response) -> None:
    """Compare an answer with what is documented of its status."""
    documented = document["paths"][path]["get"]["responses"][str(answer.status_code)]
    assert all(name in answer.headers for name in documented.get("headers", {}))
    schema = documented["content"]["application/json"]["schema"]
    OAS31Validator({**schema, "components": document["components"]}).validate(answer.json())


async def test_the_document_is_served_with_the_servers_own_version(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    document = answer.json()
    assert (document["openapi"], document["info"]["version"]) == ("3.1.0", __version__)
    assert document["components"]["parameters"]["dc"]["in"] == "query"


async def test_replies_are_as_documented(filled: httpx.AsyncClient) -> None:
    document = (await filled.get("/v1/openapi.json")).json()
    for path, url in REPLIES.items():
        answer = await filled.get(url)
        assert answer.status_code == 200, url
        assert answer.json(), url
        check(document, path, answer)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["Kind"])
async def test_an_entry_is_read_as_documented(filled: httpx.AsyncClient, entry: dict[str, Any]) -> None:
    document = (await filled.get("/v1/openapi.json")).json()
    url = f"/v1/config/{entry['Kind']}/{entry.get('Name', 'mesh')}"
    check(document, "/v1/config/{kind}/{name}", await filled.get(url))
