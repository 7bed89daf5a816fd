"""Tokens at the API: who may read, who may write, and who gets a key."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from xdsmesh.store.base import Txn

LEAF = "/v1/agent/connect/ca/leaf"
TOKENS = "/v1/xdsmesh/tokens"
UNKNOWN = {"X-Consul-Token": "e95b599e-166e-7d80-08ad-aee76e7ddf19"}


async def made(api: httpx.AsyncClient, **body: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """The header that shows a new token, and what was answered."""
    answer = await api.put(TOKENS, json=body)
    assert answer.status_code == 200, answer.text
    return {"X-Consul-Token": answer.json()["SecretID"]}, answer.json()


async def test_while_there_is_no_token_any_token_is_ignored(api: httpx.AsyncClient) -> None:
    assert (await api.get(f"{LEAF}/web", headers=UNKNOWN)).status_code == 200
    assert (await api.get("/v1/agent/services", headers=UNKNOWN)).status_code == 200


async def test_a_key_is_its_services_and_the_operators(api: httpx.AsyncClient) -> None:
    web, _ = await made(api, Service="web")
    admin, _ = await made(api, Service="admin")
    gateway, _ = await made(api, Gateway="ingress", Name="web")
    operator, _ = await made(api, Operator=True)
    bearer = {"Authorization": f"Bearer {web['X-Consul-Token']}"}
    for headers in (web, operator, bearer):
        assert "PRIVATE KEY" in (await api.get(f"{LEAF}/web", headers=headers)).text
    for headers, said in (
        ({}, "needs a token of it, or of an operator"),
        ({"X-Consul-Token": "-"}, "needs a token of it, or of an operator"),
        (admin, "the token is for the service admin, and the key is that of service web"),
        (gateway, "the token is for the ingress gateway web, and the key is that of service web"),
        (UNKNOWN, "ACL not found"),
    ):
        answer = await api.get(f"{LEAF}/web", headers=headers)
        assert answer.status_code == 403
        assert said in answer.text
        assert "PRIVATE KEY" not in answer.text


async def test_an_unknown_token_is_refused_also_from_this_machine(api: httpx.AsyncClient) -> None:
    _, shown = await made(api, Operator=True)
    for path in ("agent/services", "openapi.json", "agent/metrics", "status/leader", "xdsmesh/proxies"):
        answer = await api.get(f"/v1/{path}", headers=UNKNOWN)
        assert answer.status_code == 403, path
        assert answer.text.startswith("ACL not found")
        assert (await api.get(f"/v1/{path}")).status_code == 200
    assert (await api.delete(f"{TOKENS}/{shown['AccessorID']}")).status_code == 200
    assert (await api.get("/v1/agent/services", headers=UNKNOWN)).status_code == 200


READS: list[tuple[str, str, Any]] = [
    ("GET", "/v1/agent/services", None),
    ("GET", "/v1/connect/ca/roots", None),
    ("GET", "/v1/xdsmesh/proxies", None),
    ("POST", "/v1/discovery-chain/web", {"OverrideProtocol": "http"}),
    (
        "PUT",
        "/v1/agent/connect/authorize",
        {"Target": "web", "ClientCertURI": "spiffe://x/ns/default/dc/dc1/svc/a"},
    ),
]
WRITES: list[tuple[str, str, Any]] = [
    ("PUT", "/v1/agent/service/register", {"Name": "web"}),
    ("PUT", "/v1/config", {"Kind": "service-defaults", "Name": "web", "Protocol": "http"}),
    ("DELETE", "/v1/config/service-defaults/web", None),
    ("PUT", "/v1/catalog/register", {"Node": "n2", "Address": "10.0.0.1"}),
    ("PUT", "/v1/connect/intentions/exact?source=a&destination=b", {"Action": "allow"}),
    ("POST", "/v1/connect/intentions", {}),
    ("PUT", "/v1/connect/ca/configuration", {}),
    ("PUT", "/v1/agent/maintenance?enable=true", None),
    ("PUT", "/v1/agent/reload", None),
    ("GET", TOKENS, None),
    ("POST", TOKENS, {"Operator": True}),
    ("DELETE", f"{TOKENS}/x", None),
]


@pytest.mark.parametrize("body", [{"Service": "web"}, {"Gateway": "mesh", "Name": "gw"}])
async def test_a_service_or_a_gateway_reads_and_changes_nothing(
    api: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    headers, _ = await made(api, **body)
    for method, path, content in READS:
        answer = await api.request(method, path, json=content, headers=headers)
        assert answer.status_code == 200, (path, answer.text)
    for method, path, content in WRITES:
        answer = await api.request(method, path, json=content, headers=headers)
        assert answer.status_code == 403, path
        assert "needs one of an operator" in answer.text
        assert f"{method} {path.partition('?')[0][:10]}" in answer.text
    assert len((await api.get(TOKENS)).json()) == 1
    assert (await api.get("/v1/agent/services")).json() == {}


async def test_a_secret_is_shown_once_and_kept_nowhere(api: httpx.AsyncClient, parts: Any) -> None:
    headers, shown = await made(api, Service="web", Description="of the shop")
    secret = headers["X-Consul-Token"]
    (listed,) = (await api.get(TOKENS)).json()
    assert listed == {key: value for key, value in shown.items() if key != "SecretID"}
    assert (listed["Kind"], listed["Name"], listed["Description"]) == ("service", "web", "of the shop")
    _, records = await parts.repository.store.list("")
    assert not any(secret.encode() in record.value for record in records)
    (token,) = parts.feed.view.tokens.values()
    assert token.value.digest not in repr(token)
    assert secret not in repr(parts.tokens.find(secret))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "who the token is for is not said"),
        ({"Service": "web", "Operator": True}, "exclude each other"),
        ({"Gateway": "egress", "Name": "x"}, "use one of mesh, ingress, terminating, api"),
        ({"Gateway": "mesh"}, "Name is required"),
        ({"Service": "a/b", "Name": "x"}, "Name is that of a gateway"),
        ({"Service": "a/b", "Name": "x"}, "is not a service name"),
        ({"Servce": "web"}, "Service"),
        ({"Service": "web", "Description": "x" * 257}, "write 256 at most"),
    ],
)
async def test_a_token_for_nobody_is_refused_and_nothing_changes(
    api: httpx.AsyncClient, body: dict[str, Any], said: str
) -> None:
    answer = await api.post(TOKENS, json=body)
    assert answer.status_code == 400
    assert said in answer.text
    assert (await api.get(TOKENS)).json() == []


async def test_who_waits_for_a_key_as_its_token_goes_does_not_get_it(
    api: httpx.AsyncClient, held: Callable[..., Awaitable[None]]
) -> None:
    web, shown = await made(api, Service="web")
    await made(api, Service="other")
    index = (await api.get(f"{LEAF}/web", headers=web)).headers["X-Consul-Index"]
    waiting = asyncio.create_task(api.get(f"{LEAF}/web", params={"index": index, "wait": "1s"}, headers=web))
    await held()
    assert (await api.delete(f"{TOKENS}/{shown['AccessorID']}")).status_code == 200
    answer = await waiting
    assert answer.status_code == 403
    assert "PRIVATE KEY" not in answer.text


async def test_an_unknown_accessor_is_not_there(api: httpx.AsyncClient) -> None:
    answer = await api.delete(f"{TOKENS}/nobody")
    assert (answer.status_code, 'no token has the accessor "nobody"' in answer.text) == (404, True)


async def test_another_writer_of_the_store_is_seen(api: httpx.AsyncClient, parts: Any) -> None:
    _, shown = await made(api, Service="web")
    store = parts.repository.store
    (record,) = (await store.list("token/"))[1]
    await store.commit(Txn((), (record.key,)), record.origin)
    assert (await api.get(TOKENS)).json() == []
    assert (await api.get(f"{LEAF}/web")).status_code == 200
    assert shown["AccessorID"] in record.key
