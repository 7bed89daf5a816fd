"""Options of the whole suite, and what tests of several parts need."""

import asyncio
import gc
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.sealing import Sealer
from xdsmesh.catalog.announce import announce
from xdsmesh.model.catalog import Node
from xdsmesh.parts import Pick, ServerParts
from xdsmesh.settings import IntentionPolicy
from xdsmesh.store.base import Store


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew instead of comparing with them; read the diff before you commit it",
    )


def pytest_configure() -> None:
    """Let what tests start hear Ctrl-C: in the background of a shell it is ignored, and that is inherited."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell what tests have measured."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties if report.when == "call" else ():
                terminalreporter.write_line(f"measured: {name}: {value}")


def pytest_collection_finish() -> None:
    """Spare the collector what stays to the end: all that has been imported."""
    gc.collect()
    gc.freeze()


def _pair(name: str = "shop.example.com", dns_names: Sequence[str] = (), key: Any = None) -> tuple[str, str]:
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] if name else [])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    if dns_names:
        names = x509.SubjectAlternativeName([x509.DNSName(each) for each in dns_names])
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(key, SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM).decode(), pem.decode()


@pytest.fixture(scope="session")
def pair() -> Callable[..., tuple[str, str]]:
    """Makes a certificate and its key in PEM."""
    return _pair


AtWork = Callable[..., AbstractAsyncContextManager[ServerParts]]


@asynccontextmanager
async def _at_work(
    store: Store,
    node: Node,
    issuer: Issuer | None = None,
    pick: Pick = random.uniform,
    policy: IntentionPolicy = IntentionPolicy.ALLOW,
) -> AsyncIterator[ServerParts]:
    def now() -> datetime:
        return datetime.now(UTC)

    issuer = issuer or await Issuer.open(store, "corp.consul", now, Sealer.in_memory())
    parts = ServerParts.make(store, node, issuer, now, pick, policy=policy)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work) for work in parts.work().values()]
        await announce(store, node, lambda: "11111111-2222-3333-4444-555555555555")
        yield parts
        for task in running:
            task.cancel()


@pytest.fixture(scope="session")
def at_work() -> AtWork:
    """The parts of a server over a store, at work; as in the real one, the store is not empty."""
    return _at_work


SECONDS = 45


class Server:
    """The real command ``xdsmesh server`` as a process, on free ports of the loopback; and what it logs."""

    def __init__(self, log: Path, *flags: str) -> None:
        self._log = log
        command = [sys.executable, "-m", "xdsmesh", "server", "--log-format", "json"]
        command += ["--http-addr", "127.0.0.1:0", "--xds-addr", "127.0.0.1:0", *flags]
        with log.open("w") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        self.http = httpx.Client(timeout=SECONDS)

    def events(self, event: str) -> list[dict[str, Any]]:
        """What it has logged so far under a name."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def output(self) -> str:
        """All that it has written so far."""
        return self._log.read_text()

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Return when the condition holds, within a bound."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain until {what}:\n{self.output()}"
            time.sleep(0.02)

    def wait_ready(self) -> None:
        """Return once it serves."""
        self.wait(lambda: self.events("ready") or self.process.poll() is not None, "the server is ready")
        assert self.process.poll() is None, self.output()
        self.http.base_url = httpx.URL(f"http://{self.events('serving HTTP')[0]['address']}")

    @property
    def xds(self) -> str:
        """The address of the xDS server."""
        address: str = self.events("serving xDS")[0]["address"]
        return address

    def stop(self) -> int:
        """End it as an operator would; its exit code."""
        self.process.terminate()
        return self.process.wait(SECONDS)

    def close(self) -> None:
        """Leave nothing behind."""
        self.http.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(SECONDS)


StartServer = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    """Start servers with flags of one's own; all have ended after the test."""
    servers: list[Server] = []

    def start_one(*flags: str, ready: bool = True) -> Server:
        server = Server(tmp_path / f"server-{len(servers)}.log", *flags)
        servers.append(server)
        if ready:
            server.wait_ready()
        return server

    yield start_one
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a module."""
    server = Server(tmp_path_factory.mktemp("shared") / "server.log", "--dev")
    server.wait_ready()
    yield server
    server.close()
