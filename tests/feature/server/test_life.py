"""Starting, stopping, and what is still there afterwards."""

import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ENTRY = {"Kind": "service-defaults", "Name": "web", "Protocol": "http"}
SERVICE = {"ID": "web-1", "Name": "web", "Port": 80, "Connect": {"SidecarService": {}}}


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "xdsmesh", "server", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def test_it_stops_in_good_order_on_sigterm(start: Callable[..., Any]) -> None:
    server = start("--dev")
    assert server.stop() == 0
    assert server.events("stopped")
    assert "Traceback" not in server.output()


def test_it_takes_as_many_files_as_it_is_allowed(start: Callable[..., Any]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        server = start("--dev")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)


def test_what_was_acknowledged_is_there_after_kill_9(start: Callable[..., Any], tmp_path: Path) -> None:
    data = ("--data-dir", str(tmp_path / "data"))
    first = start(*data)
    first.http.put("/v1/config", json=ENTRY).raise_for_status()
    first.http.put("/v1/agent/service/register", json=SERVICE).raise_for_status()
    sidecar = first.http.get("/v1/agent/service/web-1-sidecar-proxy").json()
    first.process.kill()
    first.process.wait(20)

    second = start(*data)
    assert second.http.get("/v1/config/service-defaults/web").json()["Protocol"] == "http"
    assert second.http.get("/v1/agent/service/web-1-sidecar-proxy").json() == sidecar


def test_two_servers_can_not_share_a_data_folder(start: Callable[..., Any], tmp_path: Path) -> None:
    data = ("--data-dir", str(tmp_path / "data"))
    start(*data)
    second = start(*data, ready=False)
    assert second.process.wait(20) == 1
    assert "in use" in second.output() or "another" in second.output()
    assert "Traceback" not in second.output()


def test_a_taken_port_is_said_and_nothing_is_left_running() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for flags in (
            ("--http-addr", address, "--xds-addr", "off"),
            ("--http-addr", "off", "--xds-addr", address),
        ):
            result = run("--dev", *flags)
            assert result.returncode == 1
            assert address in result.stderr
            assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), "--data-dir"),
        (("--dev", "--data-dir", "somewhere"), "--data-dir"),
        (("--dev", "--http-addr", "0.0.0.0:8500"), "--dev has no tokens"),
        (("--dev", "--xds-addr", "127.0.0.1"), "host:port"),
        (("--dev", "--config-dir", "/does/not/exist"), "is not a folder"),
        (("--dev", "--datacenter", "DC 1"), "--datacenter"),
    ],
)
def test_wrong_flags_are_wrong_usage(flags: tuple[str, ...], said: str) -> None:
    result = run(*flags)
    assert result.returncode == 2
    assert said in result.stderr


def test_all_flags_of_the_command_are_accepted(start: Callable[..., Any], tmp_path: Path) -> None:
    flags = ("--data-dir", str(tmp_path / "data"), "--https-addr", "off", "--xds-tls-addr", "off")
    more = ("--dns-addr", "127.0.0.1:0", "--datacenter", "east", "--trust-domain", "Corp.consul")
    server = start(*flags, *more, "--default-intention-policy", "deny", "--node", "n1")
    assert server.http.get("/v1/agent/self").json()["Config"]["Datacenter"] == "east"
    (told,) = server.events("calls that no intention decides")
    assert told["policy"] == "deny"
    check = "/v1/connect/intentions/check?source=web&destination=db"
    assert server.http.get(check).json() == {"Allowed": False}
    assert server.events("this listener is not built yet and stays off")[0]["flag"] == "--dns-addr"


def test_a_data_folder_is_of_one_datacenter_whatever_its_node_is_called(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    data = ("--data-dir", str(tmp_path / "data"))
    start(*data, "--datacenter", "east", "--node", "one").stop()
    again = start(*data, "--datacenter", "west", "--node", "two", ready=False)
    assert again.process.wait(20) == 1
    assert "--datacenter east" in again.output()
    assert start(*data, "--datacenter", "east", "--node", "two").http.get("/v1/agent/self").is_success


def test_a_data_folder_keeps_its_trust_domain(start: Callable[..., Any], tmp_path: Path) -> None:
    data = ("--data-dir", str(tmp_path / "data"))
    start(*data, "--trust-domain", "one.consul").stop()
    again = start(*data, "--trust-domain", "two.consul", ready=False)
    assert again.process.wait(20) == 1
    assert "one.consul" in again.output()
    assert "two.consul" in again.output()
