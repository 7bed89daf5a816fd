"""Checks over the life of a real server: restarts, other names, older data, and files beside the API."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Put, Txn
from xdsmesh.store.sqlite import SQLiteStore

TTL = {"TTL": "1h"}
FILE = """\
service {
  id = "web-1"
  name = "web"
  port = 80
  check { ttl = "1h" }
  connect { sidecar_service {} }
}

check {
  id = "beside"
  name = "beside"
  service_id = "web-1"
  ttl = "1h"
}
"""


@pytest.fixture
def backend() -> Iterator[int]:
    """A port where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def put(server: Any, path: str, body: object = None, **params: str) -> Any:
    return server.http.put(f"/v1/agent/{path}", json=body, params=params)


def said(server: Any) -> dict[str, str]:
    checks = server.http.get("/v1/agent/checks").json()
    return {check_id: check["Status"] for check_id, check in checks.items()}


def test_what_checks_said_holds_after_kill_9_and_under_another_name(
    start: Callable[..., Any], tmp_path: Path, backend: int
) -> None:
    data = ("--data-dir", str(tmp_path / "data"))
    first = start(*data, "--node", "a")
    checks = [TTL, {"TCP": f"127.0.0.1:{backend}", "Interval": "1h"}]
    body = {"Name": "web", "Port": 80, "Checks": checks, "Connect": {"SidecarService": {"Checks": [TTL]}}}
    assert put(first, "service/register", body).status_code == 200
    assert put(first, "check/register", {"Name": "disk", **TTL}).status_code == 200
    for check_id, word in (
        ("service:web:1", "pass"),
        ("disk", "warn"),
        ("service:web-sidecar-proxy", "pass"),
    ):
        assert put(first, f"check/{word}/{check_id}", note="so it is").status_code == 200
    everything = {
        "service:web:1": "passing",
        "service:web:2": "passing",
        "service:web-sidecar-proxy": "passing",
        "disk": "warning",
    }
    first.wait(lambda: said(first) == everything, "the server has found out the rest")
    first.process.kill()
    first.process.wait(20)

    second = start(*data, "--node", "a")
    assert said(second) == everything
    assert second.http.get("/v1/agent/checks").json()["disk"]["Output"] == "so it is"
    put(second, "check/pass/disk")
    second.process.kill()
    second.process.wait(20)

    renamed = start(*data, "--node", "b")
    everything["disk"] = "passing"
    assert said(renamed) == everything
    assert {each["Node"] for each in renamed.http.get("/v1/agent/checks").json().values()} == {"b"}
    assert set(renamed.http.get("/v1/agent/services").json()) == {"web", "web-sidecar-proxy"}
    assert [each["Node"] for each in renamed.http.get("/v1/catalog/nodes").json()] == ["b"]
    (row,) = renamed.http.get("/v1/health/service/web", params={"passing": "1"}).json()
    assert row["Node"]["Node"] == "b"
    assert put(renamed, "check/fail/service:web:1").status_code == 200
    assert put(renamed, "service/deregister/web").status_code == 200
    assert said(renamed) == {"disk": "passing"}


def test_a_file_and_the_api_share_a_service(start: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "web.hcl").write_text(FILE)
    server = start("--dev", "--config-dir", str(folder))
    own = {"service:web-1", "beside", "service:web-1-sidecar-proxy:1", "service:web-1-sidecar-proxy:2"}
    assert set(said(server)) == own

    for path, body, line in (
        ("service/register", {"ID": "web-1", "Name": "web"}, 1),
        ("service/deregister/web-1", None, 1),
        ("service/deregister/web-1-sidecar-proxy", None, 1),
        ("check/register", {"Name": "c", "ID": "service:web-1", **TTL}, 1),
        ("check/deregister/service:web-1", None, 1),
        ("check/register", {"Name": "beside", **TTL}, 9),
        ("check/deregister/beside", None, 9),
    ):
        answer = put(server, path, body)
        assert answer.status_code == 409, path
        assert f"{folder}/web.hcl:{line}:1" in answer.text

    for check_id in ("service:web-1", "beside"):
        assert put(server, f"check/pass/{check_id}").status_code == 200
        assert said(server)[check_id] == "passing"
    assert put(server, "service/maintenance/web-1", enable="true").status_code == 200
    assert said(server)["_service_maintenance:web-1"] == "critical"
    assert put(server, "service/maintenance/web-1", enable="false").status_code == 200
    assert set(said(server)) == own

    assert put(server, "service/maintenance/web-1", enable="true").status_code == 200
    assert put(server, "check/register", {"Name": "ours", "ServiceID": "web-1", **TTL}).status_code == 200
    assert put(server, "check/register", {"Name": "disk", **TTL}).status_code == 200
    (folder / "web.hcl").write_text(FILE.replace('ttl = "1h"', 'ttl = "2h"'))
    # Another service tells that the edit is in force.
    (folder / "db.hcl").write_text('service { name = "db" }\n')
    server.wait(lambda: "db" in server.http.get("/v1/agent/services").json(), "the edit is in force")
    assert {each: said(server)[each] for each in ("service:web-1", "beside")} == {
        "service:web-1": "passing",
        "beside": "passing",
    }
    assert set(said(server)) == own | {"ours", "disk", "_service_maintenance:web-1"}

    (folder / "web.hcl").unlink()
    server.wait(lambda: set(said(server)) == {"disk"}, "all checks of the service are gone")
    assert set(server.http.get("/v1/agent/services").json()) == {"db"}


def test_a_check_of_a_service_that_no_file_declares_is_refused(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "check.hcl").write_text(FILE[FILE.index("check {\n") :])
    server = start("--dev", "--config-dir", str(folder), ready=False)
    assert server.process.wait(20) == 1
    assert f"{folder}/check.hcl:1:1: XM0305 the check beside is of " in server.output()


def test_data_of_the_format_before_is_read(start: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "data"
    old = {
        "id": "web",
        "service": "web",
        "node": {"name": "whatever", "address": "127.0.0.1", "datacenter": "dc1"},
        "port": 80,
        "checks": [{"id": "service:web", "name": "c", "status": "passing", "output": "fine"}],
    }

    async def prepare() -> None:
        store = await SQLiteStore.open(folder / "state.db")
        put = Put("instance/web", msgspec.json.encode(old))
        await store.commit(Txn((put,)), Origin(Source.API, "127.0.0.1"))
        await store.close()

    asyncio.run(prepare())
    server = start("--data-dir", str(folder), "--node", "n1")
    check = server.http.get("/v1/agent/checks").json()["service:web"]
    assert (check["Status"], check["Output"], check["Node"]) == ("passing", "fine", "n1")
    assert server.http.get("/v1/agent/services").json()["web"]["Port"] == 80
    assert put(server, "service/deregister/web").status_code == 200
    assert said(server) == {}
