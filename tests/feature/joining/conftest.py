"""Datacenters as real servers, each behind a relay that stands in for its mesh gateway."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Server, StartServer

SECONDS = 60


class Relay:
    """Passes TCP connections on to a port of the loopback; ``cut`` ends them all, and takes no others."""

    def __init__(self) -> None:
        self.target = 0
        self._is_cut = False
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        for each in list(self._open):
            _end(each)

    def heal(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            try:
                called = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                _end(caller)
                continue
            called.settimeout(None)
            self._open |= {caller, called}
            if self._is_cut:
                self.cut()
            for pair in ((caller, called), (called, caller)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for each in (source, sink):
            self._open.discard(each)
            _end(each)


def _end(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


class Datacenter:
    """A server with a data folder, and the relay that is registered as its mesh gateway."""

    def __init__(self, name: str, folder: Path, start: StartServer, *flags: str) -> None:
        self.name = name
        self.folder = folder
        self.relay = Relay()
        self._start = start
        self._flags = flags
        self.server = self.start()

    def start(self, *flags: str) -> Server:
        """Start its server, also again."""
        given = ("--data-dir", str(self.folder), "--datacenter", self.name, *self._flags, *flags)
        self.server = self._start(*given)
        for serving in self.server.events("serving federation"):
            self.relay.target = int(serving["address"].rpartition(":")[2])
        return self.server

    def register_gateway(self) -> None:
        """Let the relay be its mesh gateway."""
        here = {"Address": "127.0.0.1", "Port": self.relay.port}
        body = {
            "Kind": "mesh-gateway",
            "Name": "mesh-gateway",
            "ID": f"gateway-{self.name}",
            **here,
            "TaggedAddresses": {"lan": here, "wan": here},
        }
        self.put("/v1/agent/service/register", body)

    def get(self, path: str) -> Any:
        """What its API answers."""
        answer = self.server.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, path: str, body: Any = None) -> Any:
        """Write through its API."""
        answer = self.server.http.put(path, json=body, timeout=SECONDS)
        assert answer.status_code == 200, answer.text
        return answer

    def command(self, *arguments: str, given: str | None = None) -> tuple[int, str]:
        """Run the command against it: the exit code, and all that it printed."""
        command = [sys.executable, "-m", "xdsmesh", *arguments]
        command += ["--http-addr", str(self.server.http.base_url)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, input=given
        )
        return done.returncode, done.stdout + done.stderr

    def token(self, **wanted: str) -> str:
        """A token to join it with."""
        made: str = self.put("/v1/xdsmesh/dc/token", wanted).json()["Token"]
        return made

    def join(self, token: str, *flags: str) -> tuple[int, str]:
        """Join with a token."""
        return self.command("dc", "join", "-", *flags, given=token)

    @property
    def trust_domain(self) -> str:
        """Of its mesh."""
        found: str = self.get("/v1/connect/ca/roots")["TrustDomain"]
        return found

    @property
    def active_root(self) -> str:
        """The id of the root that its leaves are below."""
        found: str = self.get("/v1/connect/ca/roots")["ActiveRootID"]
        return found

    @property
    def roots(self) -> set[str]:
        """The ids of the roots that it trusts."""
        return {each["ID"] for each in self.get("/v1/connect/ca/roots")["Roots"]}

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Return when the condition holds, within a bound."""
        self.server.wait(condition, what)


Datacenters = Callable[..., Datacenter]


@pytest.fixture
def datacenter(tmp_path: Path, start: StartServer) -> Iterator[Datacenters]:
    """Makes datacenters, with a gateway each."""
    made: list[Datacenter] = []

    def make(name: str, *flags: str, gateway: bool = True) -> Datacenter:
        folder = tmp_path / f"{name}-{len(made)}"
        made.append(Datacenter(name, folder, start, *flags))
        if gateway:
            made[-1].register_gateway()
        return made[-1]

    yield make
    for each in made:
        each.relay.close()


@pytest.fixture
def pair(datacenter: Datacenters) -> tuple[Datacenter, Datacenter]:
    """The datacenters dc1 and dc2, which know nothing of one another."""
    return datacenter("dc1"), datacenter("dc2")


@pytest.fixture
def joined(pair: tuple[Datacenter, Datacenter]) -> tuple[Datacenter, Datacenter]:
    """The datacenters dc1, the primary, and dc2, which has joined it."""
    primary, secondary = pair
    code, said = secondary.join(primary.token())
    assert code == 0, f"{said}\n{secondary.server.output()}\n{primary.server.output()}"
    return pair
