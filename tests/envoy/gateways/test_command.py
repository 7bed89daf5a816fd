"""One command registers a mesh gateway and runs its Envoy; a token of its own is all that it needs."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.envoy.gateways.conftest import PATIENCE

pytestmark = pytest.mark.envoy

COMMAND = (sys.executable, "-m", "xdsmesh", "envoy", "--gateway", "mesh")
Run = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def run(start: Callable[..., Any], tmp_path: Path) -> Iterator[tuple[Any, Run]]:
    """A server, and what runs the command with more arguments; it has ended after the test."""
    server = start("--dev")
    running: list[subprocess.Popen[bytes]] = []

    def run_one(*arguments: str) -> subprocess.Popen[bytes]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("XDSMESH_")}
        env = {**kept, "XDSMESH_HTTP_ADDR": str(server.http.base_url)}
        with (tmp_path / "envoy.log").open("ab") as output:
            running.append(subprocess.Popen([*COMMAND, *arguments], stdout=output, stderr=output, env=env))
        return running[-1]

    yield server, run_one
    for process in running:
        process.kill()
        process.wait(PATIENCE)


def place() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def streams(server: Any) -> list[dict[str, Any]]:
    """Who is connected."""
    found: list[dict[str, Any]] = server.http.get("/v1/xdsmesh/proxies").json()["connected"]
    return found


def connected(server: Any, proxy_id: str) -> bool:
    """Whether a gateway holds all that it should."""
    for each in streams(server):
        if each["proxy"] == proxy_id:
            return {status["type"] for status in each["types"] if status["state"] == "SYNCED"} >= {
                "CDS",
                "LDS",
            }
    return False


def test_a_gateway_is_registered_and_run_and_its_check_passes(run: tuple[Any, Run]) -> None:
    server, command = run
    api = {"Name": "api", "Port": 8080, "Connect": {"SidecarService": {}}}
    server.http.put("/v1/agent/service/register", json=api).raise_for_status()
    command("--register", "--service", "edge", "--address", place(), "--wan-address", "gw.example.com:443")
    server.wait(lambda: connected(server, "edge"), "the gateway is connected")

    listed = server.http.get("/v1/agent/service/edge").json()
    assert (listed["Kind"], listed["Service"]) == ("mesh-gateway", "edge")
    assert listed["TaggedAddresses"]["wan"] == {"Address": "gw.example.com", "Port": 443}
    path = "/v1/agent/health/service/id/edge?format=text"
    server.wait(lambda: server.http.get(path).text == "passing", "the gateway is found listening")
    held = server.http.get("/v1/xdsmesh/proxy-config/edge").json()["resources"]
    assert held["secrets"] == []


def test_a_gateway_shows_its_own_token_and_no_other_is_good(run: tuple[Any, Run], tmp_path: Path) -> None:
    server, command = run
    gateway = {"Kind": "mesh-gateway", "Name": "edge", "Address": "127.0.0.1", "Port": 8443}
    server.http.put("/v1/agent/service/register", json=gateway).raise_for_status()
    files = {}
    for name in ("edge", "other"):
        body = {"Gateway": "mesh", "Name": name}
        secret = server.http.post("/v1/xdsmesh/tokens", json=body).json()["SecretID"]
        files[name] = tmp_path / f"{name}.token"
        files[name].write_text(secret)

    command("--token-file", str(files["other"]), "--", "--use-dynamic-base-id")
    said = "the token is for the mesh gateway other"
    server.wait(lambda: said in server.http.get("/v1/xdsmesh/proxies").text, "the wrong token is refused")
    assert not streams(server)
    command("--token-file", str(files["edge"]), "--", "--use-dynamic-base-id")
    server.wait(lambda: [each["proxy"] for each in streams(server)] == ["edge"], "it is connected")


def test_a_gateway_of_another_kind_is_refused_in_words(run: tuple[Any, Run]) -> None:
    server, _ = run
    gateway = {"Kind": "terminating-gateway", "Name": "out", "Address": "127.0.0.1", "Port": 8443}
    server.http.put("/v1/agent/service/register", json=gateway).raise_for_status()
    by_id = [sys.executable, "-m", "xdsmesh", "envoy", "--proxy-id", "out"]
    env = {**os.environ, "XDSMESH_HTTP_ADDR": str(server.http.base_url)}
    refused = subprocess.run(by_id, capture_output=True, text=True, timeout=PATIENCE, check=False, env=env)
    assert refused.returncode == 1
    assert "terminating-gateway, which is not served yet" in refused.stderr
