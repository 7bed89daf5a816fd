"""What the intentions say of a call or a request, asked over a real socket, with the rule that decides."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import decode_entry
from xdsmesh.model.origin import Origin, Source

Held = Callable[..., Awaitable[None]]
Json = dict[str, Any]

CHECK = "/v1/xdsmesh/intentions/check"
HTTP = {"Kind": "service-defaults", "Name": "db", "Protocol": "http"}
ENTRY = b"""{"Kind": "service-intentions", "Name": "db", "Sources": [{"Name": "web", "Permissions": [
    {"Action": "deny", "HTTP": {"PathPrefix": "/admin"}},
    {"Action": "allow", "HTTP": {"Methods": ["GET"], "Header": [{"Name": "x-team", "Exact": "a"}]}}]}]}"""


@pytest.fixture
async def permissions(api: httpx.AsyncClient, repository: Repository) -> None:
    """What web may ask of db, over HTTP, said by a file."""
    await api.put("/v1/config", json=HTTP)
    await repository.put_entry(decode_entry(ENTRY), Origin(Source.FILE, "config/db.hcl", 14, 1))


async def check(api: httpx.AsyncClient, **query: str | list[str]) -> Json:
    answer = await api.get(CHECK, params={"source": "web", "destination": "db", **query})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def register(api: httpx.AsyncClient, service_id: str, protocol: str) -> None:
    sidecar = {"Port": 20000, "Proxy": {"Config": {"protocol": protocol}}}
    body = {"Name": "db", "ID": service_id, "Port": 80, "Connect": {"SidecarService": sidecar}}
    answer = await api.put("/v1/agent/service/register", json=body)
    assert answer.status_code == 200, answer.text


async def test_a_connection_is_judged_by_the_intention_about_it(api: httpx.AsyncClient) -> None:
    assert await check(api) == {
        "Allowed": True,
        "Class": "default",
        "Reason": "web => db is allowed by the default policy, as no intention is about it",
        "DefaultPolicy": "allow",
        "Protocol": "tcp",
        "ProtocolReason": "no service-defaults or proxy-defaults set one",
    }
    await api.put("/v1/connect/intentions/exact?source=*&destination=db", json={"Action": "deny"})
    found = await check(api)
    assert (found["Allowed"], found["Class"], found["Rule"]) == (False, "intention", "* => db (deny)")
    assert (found["Origin"], found["Reason"]) == ("API", "web => db is denied by the intention * => db")


@pytest.mark.usefixtures("permissions")
async def test_a_request_is_judged_by_the_permission_about_it(api: httpx.AsyncClient) -> None:
    found = await check(api, method="get", path="/x?/admin", header=["X-Team: b", "x-team:a"])
    assert found == {
        "Allowed": True,
        "Class": "permission",
        "Reason": "web => db is allowed by permission 2 of the intention web => db (config/db.hcl:14)",
        "DefaultPolicy": "allow",
        "Protocol": "http",
        "ProtocolReason": 'service-defaults "db" says so',
        "Rule": "web => db (2 permissions)",
        "Permission": 1,
        "Origin": "config/db.hcl:14:1",
    }
    for path in ("/admin", "/x/../admin", "/%61dmin", "//admin", "/x%2f..%2Fadmin/y"):
        assert (await check(api, path=path))["Permission"] == 0
    assert (await check(api, method="POST"))["Class"] == "default"


@pytest.mark.usefixtures("permissions")
async def test_without_a_request_permissions_promise_nothing_as_in_consul(api: httpx.AsyncClient) -> None:
    found = await check(api)
    assert (found["Allowed"], found["Class"], "Permission" in found) == (False, "permission", False)
    assert "depends on the request" in found["Reason"]
    consuls = await api.get("/v1/connect/intentions/check?source=web&destination=db")
    assert consuls.json() == {"Allowed": False}


@pytest.mark.usefixtures("permissions")
async def test_the_protocol_is_that_of_the_sidecars_in_case_of_doubt_not_http(api: httpx.AsyncClient) -> None:
    await register(api, "db-1", "http2")
    found = await check(api, path="/admin")
    assert (found["Protocol"], found["Permission"]) == ("http2", 0)
    assert found["ProtocolReason"] == 'the registration of "db-1-sidecar-proxy" says so'
    await register(api, "db-2", "tcp")
    found = await check(api)
    assert (found["Protocol"], found["Class"], found["Allowed"]) == ("tcp", "intention", False)
    refused = await api.get(f"{CHECK}?source=web&destination=db&path=/admin")
    assert refused.status_code == 400
    assert 'db speaks tcp (the registration of "db-2-sidecar-proxy" says so)' in refused.text


async def test_a_check_waits_for_what_changes_the_verdict(api: httpx.AsyncClient, held: Held) -> None:
    known = await api.get(f"{CHECK}?source=web&destination=db")
    index = known.headers["X-Consul-Index"]
    query = f"?source=web&destination=db&index={index}&wait=60s"
    waiter = asyncio.create_task(api.get(CHECK + query))
    await held()
    await api.put("/v1/connect/intentions/exact?source=*&destination=*", json={"Action": "deny"})
    woken = await asyncio.wait_for(waiter, 5)
    assert woken.json()["Rule"] == "* => * (deny)"
    assert int(woken.headers["X-Consul-Index"]) > int(index)


async def normalize(api: httpx.AsyncClient, **block: str | bool) -> None:
    """Write a mesh entry; one without a block says nothing of how requests are normalized."""
    http = {"HTTP": {"Incoming": {"RequestNormalization": block}}} if block else {}
    answer = await api.put("/v1/config", json={"Kind": "mesh", **http})
    assert answer.status_code == 200, answer.text


@pytest.mark.usefixtures("permissions")
async def test_a_path_is_normalized_as_the_mesh_entry_says(api: httpx.AsyncClient) -> None:
    await normalize(api, PathWithEscapedSlashesAction="KEEP_UNCHANGED")
    assert (await check(api, path="/%2Fadmin", header="x-team:a"))["Permission"] == 1
    assert (await check(api, path="//admin", header="x-team:a"))["Permission"] == 1
    assert (await check(api, path="/x/../admin"))["Permission"] == 0
    await normalize(api, InsecureDisablePathNormalization=True, MergeSlashes=True)
    assert (await check(api, path="/x/../admin", header="x-team:a"))["Permission"] == 1
    assert (await check(api, path="//admin"))["Permission"] == 0
    await normalize(api)
    assert (await check(api, path="/%2Fadmin"))["Permission"] == 0


@pytest.mark.usefixtures("permissions")
async def test_people_are_told_that_envoy_refuses_a_path_or_redirects(api: httpx.AsyncClient) -> None:
    found = await check(api, path="/a%00")
    assert (found["Allowed"], found["Class"]) == (False, "request")
    assert found["Reason"] == "web => db is denied: Envoy answers 400, as a path holds no %00"
    await normalize(api, PathWithEscapedSlashesAction="REJECT_REQUEST")
    found = await check(api, path="/a%2Fb", header="x-team:a")
    assert (found["Allowed"], found["Class"]) == (False, "request")
    assert "Envoy answers 400, as the mesh entry rejects escaped slashes" in found["Reason"]
    await normalize(api, PathWithEscapedSlashesAction="UNESCAPE_AND_REDIRECT")
    found = await check(api, path="/a%2F..%2Fadmin")
    assert (found["Allowed"], found["Permission"]) == (False, 0)
    assert found["Reason"].startswith(
        "Envoy redirects to /admin, where web => db is denied by permission 1 of"
    )


@pytest.mark.usefixtures("permissions")
async def test_a_check_of_a_request_waits_for_the_mesh_entry(api: httpx.AsyncClient, held: Held) -> None:
    asked = f"{CHECK}?source=web&destination=db&path=/x/../admin"
    known = await api.get(asked)
    assert known.json()["Class"] == "permission"
    waiter = asyncio.create_task(api.get(f"{asked}&index={known.headers['X-Consul-Index']}&wait=60s"))
    await held()
    await normalize(api, InsecureDisablePathNormalization=True)
    assert (await asyncio.wait_for(waiter, 5)).json()["Class"] == "default"


async def test_nobody_in_a_peer_gets_in_and_consuls_own_check_is_as_consul_has_it(
    api: httpx.AsyncClient,
) -> None:
    sources = [{"Name": "web", "Peer": "east", "Action": "allow"}]
    entry = {"Kind": "service-intentions", "Name": "db", "Sources": sources}
    assert (await api.put("/v1/config", json=entry)).status_code == 200
    found = await check(api, source="peer:east/web")
    assert (found["Allowed"], found["Class"]) == (False, "default")
    assert "no peer's certificates are trusted yet" in found["Reason"]
    consuls = await api.get("/v1/connect/intentions/check?source=peer:east/web&destination=db")
    assert consuls.json() == {"Allowed": True}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("destination=db", "required query parameter 'source' not set"),
        ("source=web", "required query parameter 'destination' not set"),
        ("source=web&destination=db&path=admin", 'a path begins with "/"'),
        ("source=web&destination=db&path=", 'a path begins with "/"'),
        ("source=web&destination=db&header=x-team", "Invalid header: 'x-team' (write Name:Value"),
        ("source=web&destination=db&header=:a", "Invalid header: ':a'"),
        ("source=web&destination=db&header=x y:a", "'x y' is not the name of a header"),
        ("source=web&destination=db&method=G T", "Envoy takes no method G T"),
        ("source=web&destination=cache&path=/", "cache speaks tcp (no service-defaults or proxy-defaults"),
        ("source=web&destination=cache&method=GET", "cache speaks tcp"),
        ("source=web&destination=cache&header=a:b", "cache speaks tcp"),
    ],
)
async def test_wrong_parameters_are_named(api: httpx.AsyncClient, query: str, told: str) -> None:
    await api.put("/v1/config", json=HTTP)
    answer = await api.get(f"{CHECK}?{query}")
    assert answer.status_code == 400
    assert told in answer.text
