"""Stock Envoys show their tokens, from a file or from the environment, and tell them to nobody else."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from xdsmesh.bootstrap import find_envoy

pytestmark = pytest.mark.envoy

SIDECAR = Path(__file__).parents[2] / "envoy-bootstrap" / "sidecar.yaml"
PROXY = "web-1-sidecar-proxy"
COMMAND = (sys.executable, "-m", "xdsmesh", "envoy", "--sidecar-for", "web-1")
Run = Callable[..., subprocess.Popen[bytes]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture
def server(start: Callable[..., Any]) -> Any:
    """A server with one service and its sidecar."""
    server = start("--dev")
    sidecar = {"Port": free_port(), "Proxy": {"Config": {"bind_address": "127.0.0.1"}}}
    body = {"ID": "web-1", "Name": "web", "Port": 80, "Connect": {"SidecarService": sidecar}}
    server.http.put("/v1/agent/service/register", json=body).raise_for_status()
    return server


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the Envoys write."""
    return tmp_path / "envoy.log"


@pytest.fixture
def run(server: Any, log: Path) -> Iterator[Run]:
    """Run a program with variables in its environment; it has ended after the test."""
    running: list[subprocess.Popen[bytes]] = []

    def run_one(*command: str, **variables: str) -> subprocess.Popen[bytes]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("XDSMESH_")}
        env = {**kept, "XDSMESH_HTTP_ADDR": str(server.http.base_url), **variables}
        with log.open("ab") as output:
            running.append(subprocess.Popen(command, stdout=output, stderr=output, env=env))
        return running[-1]

    yield run_one
    for process in running:
        process.kill()
        process.wait(10)


@pytest.fixture
def stock(server: Any, tmp_path: Path) -> tuple[str, ...]:
    """A stock Envoy with the hand-written bootstrap, of which only the port is another one."""
    file = tmp_path / "sidecar.yaml"
    written = SIDECAR.read_text().replace("port_value: 8502", f"port_value: {server.xds.rpartition(':')[2]}")
    file.write_text(written)
    node = ("--service-node", PROXY, "--service-cluster", "web")
    return (str(find_envoy()), "-c", str(file), *node, "--use-dynamic-base-id")


def make(server: Any, service: str = "web") -> str:
    secret: str = server.http.post("/v1/xdsmesh/tokens", json={"Service": service}).json()["SecretID"]
    return secret


def has_it_all(server: Any) -> bool:
    """Whether the sidecar is connected and holds its listeners and its leaf."""
    connected = server.http.get("/v1/xdsmesh/proxies").json()["connected"]
    synced = {each["type"] for proxy in connected for each in proxy["types"] if each["state"] == "SYNCED"}
    return {"LDS", "SDS"} <= synced


def refusals(server: Any) -> str:
    refused = server.http.get("/v1/xdsmesh/proxies").json()["refused"]
    return " ".join(each["reason"] for each in refused if each["proxy"] == PROXY)


@pytest.mark.parametrize("way", ["file", "variable", "flag", "file named by the environment"])
def test_an_envoy_with_a_token_gets_its_configuration_and_keeps_the_token_to_itself(
    server: Any, run: Run, log: Path, tmp_path: Path, way: str
) -> None:
    secret = make(server)
    file = tmp_path / "web.token"
    file.write_text(f"{secret}\n")
    flags, variables = {
        "file": (("--token-file", str(file)), {}),
        "variable": ((), {"XDSMESH_TOKEN": secret}),
        "flag": (("--token", secret), {}),
        "file named by the environment": ((), {"XDSMESH_TOKEN_FILE": str(file)}),
    }[way]
    admin = f"127.0.0.1:{free_port()}"
    process = run(*COMMAND, *flags, "--admin-bind", admin, **variables)
    server.wait(lambda: has_it_all(server), "the sidecar has its configuration")

    with httpx.Client(base_url=f"http://{admin}", trust_env=False) as client:
        for path in ("/config_dump?include_eds", "/server_info", "/certs", "/clusters", "/stats"):
            shown = client.get(path).raise_for_status().text
            assert secret not in shown, path
            assert "PRIVATE KEY" not in shown, path
    assert secret not in Path(f"/proc/{process.pid}/cmdline").read_text()
    held = server.http.get(f"/v1/xdsmesh/proxy-config/{PROXY}").text
    for text in (log.read_text(), server.output(), held):
        assert secret not in text
        assert "PRIVATE KEY" not in text


def test_the_hand_written_bootstrap_takes_a_token_from_the_environment(
    server: Any, run: Run, stock: tuple[str, ...], log: Path
) -> None:
    secret = make(server)
    run(*stock, XDSMESH_TOKEN=secret)
    server.wait(lambda: has_it_all(server), "the sidecar has its configuration")
    assert secret not in log.read_text()


def test_the_hand_written_bootstrap_works_without_tokens(
    server: Any, run: Run, stock: tuple[str, ...]
) -> None:
    run(*stock)
    server.wait(lambda: has_it_all(server), "the sidecar has its configuration")


def test_an_envoy_without_the_right_token_gets_nothing_and_is_told_why(
    server: Any, run: Run, stock: tuple[str, ...], log: Path
) -> None:
    admins = make(server, "admin")
    for variables, said in (
        ({}, "this stream shows no token"),
        ({"XDSMESH_TOKEN": "wrong"}, "is not known here"),
        ({"XDSMESH_TOKEN": admins}, "the token is for the service admin"),
    ):
        process = run(*stock, **variables)
        server.wait(lambda said=said: said in refusals(server), "the sidecar is refused")
        server.wait(lambda said=said: said in log.read_text(), "its log says why")
        process.kill()
        process.wait(10)
    assert server.http.get("/v1/xdsmesh/proxies").json()["connected"] == []


def test_a_bootstrap_that_is_printed_names_the_file_and_not_the_token(
    server: Any, run: Run, log: Path, tmp_path: Path
) -> None:
    file = tmp_path / "web.token"
    file.write_text(make(server))
    for flags in (("--token-file", str(file)), ("--token", file.read_text())):
        assert run(*COMMAND, *flags, "--bootstrap").wait(20) == 0
    assert str(file) in log.read_text()
    assert "%ENVIRONMENT(XDSMESH_TOKEN)%" in log.read_text()
    assert file.read_text() not in log.read_text()
