"""A machine with nothing on its loopback, so that files and commands can be taken as they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import httpx
import pytest

from tests.namespaces.namespaces import PREFIX, Namespace, delete, why_not

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS: Final = 60
BIN: Final = Path(sys.executable).parent


class Machine:
    """A context: a network namespace, and the processes that were started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._network = Namespace(f"{PREFIX}-{os.getpid()}-init")
        self._running: list[subprocess.Popen[bytes]] = []
        self._environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._running:
            os.killpg(each.pid, signal.SIGKILL)
            each.wait(SECONDS)
        self._network.close()
        delete(self._network.name)

    def start(self, *command: str) -> None:
        """Start a process that runs until the end."""
        with self._log(len(self._running)).open("w") as log:
            self._running.append(
                subprocess.Popen(
                    self._inside(command),
                    cwd=self.folder,
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self._inside(command),
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )

    def get(self, url: str) -> httpx.Response | None:
        """The answer to a request from here, or None."""
        try:
            return self._network.submit(httpx.get, url, timeout=5, trust_env=False).result(SECONDS)
        except httpx.TransportError:
            return None

    def wait(self, condition: Callable[[], Any], what: str) -> None:
        """Return when the condition holds, within a bound."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain until {what}:\n{self._tails()}"
            time.sleep(0.2)

    def _inside(self, command: tuple[str, ...]) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self._network.name, *command)

    def _log(self, number: int) -> Path:
        return self.folder / f"{number}.log"

    def _tails(self) -> str:
        return "\n".join(self._log(each).read_text()[-1500:] for each in range(len(self._running)))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    if reason := why_not():
        pytest.skip(f"left out: files and commands as they are, on a loopback with nothing else; {reason}")
    with Machine(tmp_path) as machine:
        yield machine
