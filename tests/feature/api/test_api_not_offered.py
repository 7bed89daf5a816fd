"""The parts of Consul's API that are not offered: a clear status, and a sentence about what and why."""

import httpx
import pytest

MISSING = {
    "kv": ("kv", "kv/config/web", "kv/a/b/"),
    "session": ("session/create", "session/list", "session/info/1"),
    "txn": ("txn",),
    "event": ("event/fire/deploy", "event/list"),
    "coordinate": ("coordinate/nodes",),
    "query": ("query", "query/1/execute"),
    "operator": ("operator/raft/configuration",),
    "snapshot": ("snapshot",),
    "peering": ("peering/token", "peerings", "peering/east"),
    "internal": ("internal/ui/services",),
    "agent/host": ("agent/host",),
}
REFUSED = {
    "agent/join": ("agent/join/10.0.0.1",),
    "agent/leave": ("agent/leave",),
    "agent/force-leave": ("agent/force-leave/n2",),
    "agent/monitor": ("agent/monitor",),
}
"""Clients take 404 for a command that had nothing to do."""


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
async def test_what_is_not_offered_is_named(api: httpx.AsyncClient, method: str) -> None:
    for area, paths in (MISSING | REFUSED).items():
        for path in paths:
            answer = await api.request(method, f"/v1/{path}", content=b"\xff" if method == "PUT" else None)
            assert answer.status_code == (400 if area in REFUSED else 404), path
            assert answer.text.startswith(f"{area} is not offered by xdsmesh: "), path
            assert answer.headers["Content-Type"].startswith("text/plain"), path
            assert answer.text.isprintable(), path


@pytest.mark.parametrize(
    "path",
    ["kv/config/web?recurse", "session/list", "event/list", "coordinate/nodes"],
)
async def test_what_is_read_by_index_has_one_also_when_there_is_nothing(
    api: httpx.AsyncClient, path: str
) -> None:
    assert (await api.get(f"/v1/{path}")).headers["X-Consul-Index"] == "1"


@pytest.mark.parametrize(
    "path", ["acl/token/self", "acl/tokens", "acl/login", "acl/bootstrap", "agent/token/default"]
)
async def test_there_are_no_acls(api: httpx.AsyncClient, path: str) -> None:
    for method in ("GET", "PUT", "POST", "DELETE"):
        answer = await api.request(method, f"/v1/{path}")
        assert answer.status_code == 401
        assert answer.text.startswith("ACL support disabled")


async def test_an_unknown_path_and_a_wrong_method_are_still_told_as_such(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v1/kvs")).text == "Invalid URL path: /v1/kvs is not part of the API"
    assert (await api.get("/v1/agent/reload")).status_code == 405


async def test_a_reload_is_accepted(api: httpx.AsyncClient) -> None:
    answer = await api.put("/v1/agent/reload")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_the_version_is_told(api: httpx.AsyncClient) -> None:
    version = (await api.get("/v1/agent/version")).json()
    assert version == {"SHA": "", "BuildDate": "", "HumanVersion": "0.1.0", "FIPS": ""}
