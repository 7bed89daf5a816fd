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
    """The command lines of the processes that name the demo's temporary folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if f"{tmp_path}/" in line:
                found.append(line)
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
