"""The demo as a person runs it: the installed command, real Envoys, real requests."""

import json
import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

pytestmark = pytest.mark.envoy

XDSMESH = Path(sysconfig.get_path("scripts"), "xdsmesh")


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def demo(tmp_path: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A demo whose temporary folder, and so its processes, can be told from all others."""
    with subprocess.Popen(
        [XDSMESH, "demo", *options],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def processes_of(tmp_path: Path) -> list[str]:
    """The command lines of the processes whose output goes to the demo's temporary folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "fd" / "1").readlink().is_relative_to(tmp_path):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return found


def folders(tmp_path: Path) -> list[Path]:
    return list(tmp_path.iterdir())


def holds(output: str) -> None:
    """Assert what the demo promises in its JSON."""
    found = json.loads(output)
    assert found["requests"] == 1000
    assert found["failed"] == 0
    assert found["by_version"]["v1"] + found["by_version"]["v2"] == 1000
    assert 40 < found["by_version"]["v2"] < 170
    assert found["peer_spiffe"].startswith("spiffe://")
    assert found["peer_spiffe"].endswith(".consul/ns/default/dc/dc1/svc/client")
    assert found["shift"]["failed"] == 0
    assert 0 < found["shift"]["ack_ms"] < 10_000


VERDICTS = {
    ("api", "db", "http"): "allowed",
    ("api", "db /v1/admin", "http"): "denied",
    ("web", "db", "http"): "denied",
    ("api", "db", "tcp"): "allowed",
    ("web", "db", "tcp"): "denied",
    ("api", "ledger", "tcp"): "allowed",
    ("web", "ledger", "tcp"): "denied",
    ("a client with api's certificate", "db", "http"): "allowed",
    ("a client with api's certificate", "ledger", "tcp"): "allowed",
    ("a client without a certificate", "db", "http"): "denied",
    ("a client without a certificate", "ledger", "tcp"): "denied",
    ("a client with a certificate of another root", "db", "http"): "denied",
    ("a client with a certificate of another root", "ledger", "tcp"): "denied",
    ("a client with an expired certificate of api", "db", "http"): "denied",
    ("a client with an expired certificate of api", "ledger", "tcp"): "denied",
    ("web posing as api", "db", "http"): "denied",
}
"""What the demo of identities expects, and observes."""


CROSSING = {
    ("api", "db", "http"): "allowed",
    ("web", "db", "http"): "denied",
    ("api", "ledger", "tcp"): "allowed",
    ("web", "ledger", "tcp"): "denied",
    ("a stranger who asks for db", "db", "tls"): "denied",
    ("a stranger who asks for payroll", "gateway-dc2", "tls"): "denied",
    ("a stranger who asks for nobody", "gateway-dc2", "tls"): "denied",
    ("api, the control plane gone", "db", "http"): "allowed",
    ("api, the control plane gone", "ledger", "tcp"): "allowed",
}
"""The same of the demo of datacenters."""


def first_with(stream: IO[str] | None, text: str) -> str:
    """Wait for a line with this text."""
    assert stream
    return next((line for line in stream if text in line), "")


def test_two_demos_at_once_both_hold_and_leave_nothing(tmp_path: Path) -> None:
    kept, other = tmp_path / "kept", tmp_path / "other"
    kept.mkdir()
    other.mkdir()

    with demo(kept, "--keep", "--format", "json") as first, demo(other, "--format", "json") as second:
        output, diagnostics = second.communicate(timeout=100)
        assert second.returncode == 0, diagnostics
        holds(output)

        holds(first_with(first.stdout, "{"))
        url = first_with(first.stderr, "curl").split()[-1]
        assert httpx.get(url).json()["service"] == "admin"
        first.send_signal(signal.SIGINT)
        assert first.wait(timeout=20) == 0

    for folder in (kept, other):
        assert processes_of(folder) == []
        assert folders(folder) == []


def test_who_may_not_call_is_denied_and_nothing_is_left(tmp_path: Path) -> None:
    with demo(tmp_path, "--identity", "--format", "json") as process:
        output, diagnostics = process.communicate(timeout=100)

    assert process.returncode == 0, diagnostics
    found = json.loads(output)
    keys = ("from", "to", "protocol")
    for verdict in ("expected", "observed"):
        assert {tuple(each[key] for key in keys): each[verdict] for each in found["verdicts"]} == VERDICTS
    assert len(found["verdicts"]) == len(VERDICTS)
    assert found["peer_spiffe"].endswith(".consul/ns/default/dc/dc1/svc/api")
    assert found["requests"] > 100
    assert found["failed"] == found["shift"]["failed"] == 0
    assert 0 < found["shift"]["ack_ms"] < 10_000
    assert "the token is for the service web" in diagnostics
    assert processes_of(tmp_path) == []
    assert folders(tmp_path) == []


def test_the_mesh_of_identities_can_be_kept_and_tried(tmp_path: Path) -> None:
    with demo(tmp_path, "--identity", "--keep") as process:
        statuses = [httpx.get(first_with(process.stdout, "curl").split()[-1]).status_code for _ in range(3)]
        assert statuses == [200, 403, 403]

        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=20) == 0
    assert processes_of(tmp_path) == []
    assert folders(tmp_path) == []


def test_calls_cross_datacenters_unread_and_the_kept_mesh_can_be_tried(tmp_path: Path) -> None:
    with demo(tmp_path, "--datacenters", "--keep", "--format", "json") as process:
        found = json.loads(first_with(process.stdout, "{"))
        keys = ("from", "to", "protocol")
        for verdict in ("expected", "observed"):
            assert {tuple(each[key] for key in keys): each[verdict] for each in found["verdicts"]} == CROSSING
        assert len(found["verdicts"]) == len(CROSSING)
        assert found["peer_spiffe"].endswith(".consul/ns/default/dc/dc1/svc/api")
        assert found["failed"] == found["shift"]["failed"] == 0 < found["requests"]
        names = {name.split(".internal.")[0] for name in found["spy"]["server_names"]}
        assert names == {"db.default.dc2", "ledger.default.dc2", "server.dc1.consul", "server.dc2.consul"}
        assert found["spy"]["readable"] == found["gateway_keys"] == 0
        assert found["spy"]["bytes"] > 10_000
        assert found["beside_api"]["readable"] == 4

        statuses = [httpx.get(first_with(process.stderr, "curl").split()[-1]).status_code for _ in range(2)]
        assert statuses == [200, 403]

        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=20) == 0
    assert processes_of(tmp_path) == []
    assert folders(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "done"), [(signal.SIGTERM, "start the control plane"), (signal.SIGINT, "start 6 Envoys")]
)
def test_a_demo_that_is_stopped_in_the_middle_leaves_nothing(
    tmp_path: Path, number: signal.Signals, done: str
) -> None:
    with demo(tmp_path) as process:
        assert first_with(process.stdout, done)
        assert processes_of(tmp_path)

        process.send_signal(number)

        _, diagnostics = process.communicate(timeout=20)
    assert process.returncode == 1
    assert diagnostics == ""
    assert processes_of(tmp_path) == []
    assert folders(tmp_path) == []


def test_a_demo_that_is_killed_hard_takes_its_processes_along(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        assert first_with(process.stdout, "start 6 Envoys")

        process.kill()
        process.communicate(timeout=20)

    assert wait_until(lambda: not processes_of(tmp_path), 10)
