"""Stock Envoys reach their control plane over TLS, and only the control plane."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from xdsmesh.bootstrap import find_envoy

pytestmark = pytest.mark.envoy

BOOTSTRAPS = Path(__file__).parents[2] / "envoy-bootstrap"
PROXY = "web-1-sidecar-proxy"
COMMAND = (sys.executable, "-m", "xdsmesh", "envoy", "--sidecar-for", "web-1")
ADS = "envoy.service.discovery.v3.AggregatedDiscoveryService"
OFF = ("--xds-addr", "off")
Run = Callable[..., subprocess.Popen[bytes]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture
def server(start: Callable[..., Any]) -> Any:
    """A server whose xDS speaks TLS alone, with one service and its sidecar."""
    server = start(
        "--dev", "--https-addr", "127.0.0.1:0", "--xds-tls-addr", "127.0.0.1:0", "--xds-addr", "off"
    )
    sidecar = {"Port": free_port(), "Proxy": {"Config": {"bind_address": "127.0.0.1"}}}
    body = {"ID": "web-1", "Name": "web", "Port": 80, "Connect": {"SidecarService": sidecar}}
    server.http.put("/v1/agent/service/register", json=body).raise_for_status()
    return server


def token(server: Any) -> str:
    """A token of the service: once it is there, streams must show one."""
    made: str = server.http.post("/v1/xdsmesh/tokens", json={"Service": "web"}).json()["SecretID"]
    return made


@pytest.fixture
def roots(server: Any, tmp_path: Path) -> Path:
    file = tmp_path / "roots.pem"
    file.write_text(server.http.get("/v1/connect/ca/roots?pem=true").text)
    return file


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "envoy.log"


@pytest.fixture
def run(log: Path) -> Iterator[Run]:
    """Run a program with variables in its environment; it has ended after the test."""
    running: list[subprocess.Popen[bytes]] = []

    def run_one(*command: str, **variables: str) -> subprocess.Popen[bytes]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("XDSMESH_")}
        with log.open("ab") as output:
            running.append(subprocess.Popen(command, stdout=output, stderr=output, env={**kept, **variables}))
        return running[-1]

    yield run_one
    for process in running:
        process.kill()
        process.wait(10)


def has_it_all(server: Any) -> bool:
    connected = server.http.get("/v1/xdsmesh/proxies").json()["connected"]
    synced = {each["type"] for proxy in connected for each in proxy["types"] if each["state"] == "SYNCED"}
    return {"LDS", "SDS"} <= synced


def stats(admin: str) -> dict[str, int]:
    """What an Envoy counts about TLS to its control plane; nothing before it is up."""
    try:
        text = httpx.get(f"http://{admin}/stats?filter=cluster.xdsmesh.ssl", trust_env=False).text
    except httpx.HTTPError:
        return {}
    pairs = (line.rpartition(": ") for line in text.splitlines())
    return {name.rpartition(".")[2]: int(value) for name, _, value in pairs if value.isdigit()}


def test_the_command_prefers_tls_and_trusts_the_roots_of_the_server(server: Any, run: Run) -> None:
    secret = token(server)
    run(*COMMAND, XDSMESH_HTTP_ADDR=str(server.http.base_url), XDSMESH_TOKEN=secret)
    server.wait(lambda: has_it_all(server), "the sidecar has its configuration")


def test_the_command_asks_and_connects_over_tls_with_one_file_of_roots(
    server: Any, roots: Path, run: Run
) -> None:
    secret = token(server)
    url = f"https://{server.events('serving HTTPS')[0]['address']}"
    run(*COMMAND, XDSMESH_HTTP_ADDR=url, XDSMESH_CACERT=str(roots), XDSMESH_TOKEN=secret)
    server.wait(lambda: has_it_all(server), "the sidecar has its configuration")


@pytest.fixture
def other_roots(start: Callable[..., Any]) -> str:
    """The roots of another mesh."""
    pem: str = start("--dev").http.get("/v1/connect/ca/roots?pem=true").text
    return pem


@pytest.fixture
def admin() -> str:
    """Where an Envoy has its admin interface."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def lines(server: Any, tmp_path: Path, admin: str) -> dict[str, tuple[str, ...]]:
    """How an Envoy is started: in the written files only the port and the folder of the roots are others."""
    port = server.events("serving xDS over TLS")[0]["address"].rpartition(":")[2]
    moved = {"/etc/xdsmesh": str(tmp_path), "port_value: 8503": f"port_value: {port}"}
    for name in ("sidecar-tls.yaml", "control-plane-ca.yaml"):
        text = (BOOTSTRAPS / name).read_text()
        for old, new in moved.items():
            text = text.replace(old, new)
        (tmp_path / name).write_text(text)
    host, _, number = admin.rpartition(":")
    more = f"admin: {{address: {{socket_address: {{address: {host}, port_value: {number}}}}}}}"
    node = ("--service-node", PROXY, "--service-cluster", "web", "--use-dynamic-base-id")
    return {
        "hand-written": (
            str(find_envoy()),
            *("-c", str(tmp_path / "sidecar-tls.yaml"), "--config-yaml", more),
            *node,
        ),
        "command": (*COMMAND, "--admin-bind", admin),
    }


@pytest.mark.parametrize("way", ["hand-written", "command"])
def test_roots_that_are_replaced_count_from_the_next_connection_on(  # noqa: PLR0913, PLR0917 - fixtures
    server: Any, roots: Path, other_roots: str, run: Run, admin: str, lines: dict[str, Any], way: str
) -> None:
    right = roots.read_text()
    roots.write_text(other_roots)
    here = {"XDSMESH_HTTP_ADDR": str(server.http.base_url), "XDSMESH_CACERT": str(roots)}
    run(*lines[way], XDSMESH_TOKEN=token(server), **here)
    server.wait(lambda: stats(admin).get("fail_verify_error"), "the server of other roots is refused")
    assert server.http.get("/v1/xdsmesh/proxies").json()["connected"] == []

    draft = roots.with_suffix(".new")
    draft.write_text(right)
    draft.replace(roots)
    server.wait(lambda: has_it_all(server), "the sidecar has its configuration")


def test_envoys_come_back_after_a_rotation_by_the_file_that_the_server_keeps(
    start: Callable[..., Any], run: Run, tmp_path: Path
) -> None:
    roots = tmp_path / "roots.pem"
    ports = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    data = ("--data-dir", str(tmp_path / "data"), "--roots-file", str(roots))
    flags = (*data, *OFF, "--http-addr", ports[0], "--xds-tls-addr", ports[1])
    server = start(*flags)
    body = {"ID": "web-1", "Name": "web", "Port": 80, "Connect": {"SidecarService": {"Port": free_port()}}}
    server.http.put("/v1/agent/service/register", json=body).raise_for_status()
    run(*COMMAND, XDSMESH_HTTP_ADDR=f"http://{ports[0]}", XDSMESH_CACERT=str(roots))
    server.wait(lambda: has_it_all(server), "the sidecar has its configuration")
    old = roots.read_text()
    server.http.put("/v1/xdsmesh/ca/rotate").raise_for_status()
    server.wait(lambda: old not in roots.read_text(), "the old root is not trusted any more")
    server.stop()
    again = start(*flags)
    again.wait(lambda: has_it_all(again), "the sidecar is connected again, and was not started again")


@pytest.fixture
def impostor(server: Any) -> Iterator[tuple[str, list[str]]]:
    """A control plane with the certificate of a service of the mesh; and who has opened a stream there."""
    leaf = server.http.get("/v1/agent/connect/ca/leaf/admin").json()
    visitors: list[str] = []

    def serve(_requests: Any, context: Any) -> None:
        visitors.append(context.peer())
        context.abort(grpc.StatusCode.UNAVAILABLE, "caught")

    handlers = {
        name: grpc.stream_stream_rpc_method_handler(serve)
        for name in ("DeltaAggregatedResources", "StreamAggregatedResources")
    }
    posing = grpc.server(ThreadPoolExecutor(2))
    posing.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(ADS, handlers),))
    pair = (leaf["PrivateKeyPEM"].encode(), leaf["CertPEM"].encode())
    port = posing.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    posing.start()
    yield f"https://127.0.0.1:{port}", visitors
    posing.stop(0).wait(10)


def test_ledger_07_a_service_that_poses_as_the_control_plane_is_refused(
    server: Any, impostor: tuple[str, list[str]], run: Run, admin: str
) -> None:
    address, visitors = impostor
    where = ("--xds-addr", address, "--admin-bind", admin)
    run(*COMMAND, *where, XDSMESH_HTTP_ADDR=str(server.http.base_url))
    server.wait(lambda: stats(admin).get("fail_verify_san"), "its name is looked at")
    assert stats(admin).get("fail_verify_error", 0) == 0, "it is of the right CA"
    assert visitors == [], "so it never sees a token"


def test_the_same_impostor_takes_in_who_does_not_look_at_the_name(
    server: Any, impostor: tuple[str, list[str]], run: Run, tmp_path: Path
) -> None:
    address, visitors = impostor
    variables = {"XDSMESH_HTTP_ADDR": str(server.http.base_url)}
    made = subprocess.run(
        (*COMMAND, "--xds-addr", address, "--bootstrap"),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={**os.environ, **variables},
    ).stdout
    assert '"match_typed_subject_alt_names"' in made
    file = tmp_path / "careless.json"
    file.write_text(
        made.replace('"DNS"', '"URI"').replace('"exact": "server.dc1.consul"', '"prefix": "spiffe://"')
    )
    run(str(find_envoy()), "-c", str(file), "--use-dynamic-base-id")
    server.wait(lambda: visitors, "the impostor has a visitor")
