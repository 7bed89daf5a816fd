"""Every command of the README does what it says."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent
HTTP = 'Kind = "proxy-defaults"\nName = "global"\nConfig { protocol = "http" }\n'
SUBSETS = (
    'Kind = "service-resolver"\nName = "admin"\nDefaultSubset = "v1"\nSubsets = { "v1" = {}, "v2" = {} }\n'
)

SERVERS = {"xdsmesh server --dev", "xdsmesh server --config-dir mesh --data-dir data"}
CLIENTS = (
    "xdsmesh services register web.hcl",
    "xdsmesh init compose --service web:8080 --service api:9090",
    "xdsmesh validate mesh splitter.hcl",
    "xdsmesh chain admin --files mesh --files splitter.hcl",
    "xdsmesh services list",
    "xdsmesh maint -enable -service web-1 -reason upgrade",
    "xdsmesh config write splitter.hcl",
    "xdsmesh config write --wait splitter.hcl",
    "xdsmesh chain admin",
    "xdsmesh intention create web db",
    "xdsmesh ca leaf web",
    "xdsmesh proxies",
    "xdsmesh dc status",
    "xdsmesh proxies show web-1-sidecar-proxy",
    "xdsmesh proxies config web-1-sidecar-proxy",
    "xdsmesh token create --service web --out web.token",
)
ENVOYS = {
    "xdsmesh envoy --sidecar-for web-1",
    "envoy -c envoy-bootstrap/sidecar.yaml --service-node web-1-sidecar-proxy --service-cluster web",
}
MAKE = {
    "make demo",
    "make test",
    ".venv/bin/xdsmesh demo --identity",
    ".venv/bin/xdsmesh demo --datacenters",
    "cd compose && docker compose up",
    "make bench",
}
"""All but the last are steps of ``.ci/run``; that is a matter of minutes."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the README shows."""
    splitter, service = re.findall(r"```hcl\n(.*?)```", README, re.DOTALL)
    for name, text in {"splitter.hcl": splitter, "web.hcl": service}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "mesh").mkdir()
    for name, text in {"http.hcl": HTTP, "subsets.hcl": SUBSETS}.items():
        (tmp_path / "mesh" / name).write_text(text)
    shutil.copytree(ROOT / "envoy-bootstrap", tmp_path / "envoy-bootstrap")
    return tmp_path


@pytest.fixture
def server(start: Callable[..., Any], folder: Path) -> Any:
    """The durable server, started as the README says, but on free ports."""
    flags = ("--config-dir", str(folder / "mesh"), "--data-dir", str(folder / "data"))
    return start(*flags)


def run(command: str, folder: Path, api: str) -> subprocess.CompletedProcess[str]:
    words = command.split()
    environment = {**os.environ, "XDSMESH_HTTP_ADDR": api}
    return subprocess.run(
        [BIN / words[0], *words[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_readme_shows_no_command_that_is_not_tried() -> None:
    fenced = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    quoted = re.findall(r"`((?:make|xdsmesh|envoy) [^`]+)`", README.replace("\n", " "))
    shown = {line for block in fenced for line in block.splitlines()} | set(quoted)
    assert shown == SERVERS | set(CLIENTS) | ENVOYS | MAKE


def test_the_commands_of_a_client_work_one_after_the_other(server: Any, folder: Path) -> None:
    for command in CLIENTS:
        result = run(command, folder, str(server.http.base_url))
        assert result.returncode == 0, result.stderr
    assert server.http.get("/v1/config/service-splitter/admin").json()["Splits"][0]["Weight"] == 10
    assert "web-1-sidecar-proxy" in server.http.get("/v1/agent/services").json()


@pytest.mark.envoy
@pytest.mark.parametrize("command", sorted(ENVOYS))
def test_an_envoy_joins(server: Any, folder: Path, command: str) -> None:
    api = str(server.http.base_url)
    assert run("xdsmesh services register web.hcl", folder, api).returncode == 0
    bootstrap = folder / "envoy-bootstrap" / "sidecar.yaml"
    bootstrap.write_text(
        bootstrap.read_text().replace("port_value: 8502", f"port_value: {server.xds.rpartition(':')[2]}")
    )
    words = command.split()
    if words[0] == "envoy":
        words.append(
            "--disable-hot-restart"
        )  # other Envoys may run on this machine, or have left their memory
    envoy = subprocess.Popen(
        [BIN / words[0], *words[1:]],
        cwd=folder,
        env={**os.environ, "XDSMESH_HTTP_ADDR": api},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:

        def synced() -> bool:
            connected = server.http.get("/v1/xdsmesh/proxies").json()["connected"]
            states = {each["type"]: each["state"] for proxy in connected for each in proxy["types"]}
            return states.get("LDS") == states.get("SDS") == "SYNCED"

        server.wait(synced, "the proxy is in sync")
    finally:
        envoy.kill()
        envoy.wait(20)
