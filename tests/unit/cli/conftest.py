import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from xdsmesh.api.about import About
from xdsmesh.api.app import make_app
from xdsmesh.api.proxies import Proxies
from xdsmesh.api.queries import Queries
from xdsmesh.api.serve import HttpServer
from xdsmesh.api.wait_for_proxies import WaitForProxies
from xdsmesh.catalog.feed import batches
from xdsmesh.catalog.repository import Repository
from xdsmesh.cli import app
from xdsmesh.index.views import Index
from xdsmesh.loop import Loop
from xdsmesh.model.catalog import Node
from xdsmesh.model.facts import Fact
from xdsmesh.model.trust import TrustBundle
from xdsmesh.status import Registry
from xdsmesh.store.memory import MemoryStore

Run = Callable[..., subprocess.CompletedProcess[str]]

Call = Callable[..., Awaitable[Result]]

XDS_PORT = 18502


@pytest.fixture
def command() -> Path:
    """The installed command."""
    return Path(sys.executable).parent / "xdsmesh"


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment without what would steer the command, and without a terminal's width or colours."""
    dropped = ("XDSMESH_", "FORCE_COLOR", "COLUMNS")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return {**kept, "COLUMNS": "200", "TERM": "dumb"}


@pytest.fixture
def xdsmesh(command: Path, tmp_path: Path, environment: dict[str, str]) -> Run:
    """Run the installed command in an empty folder."""

    def run(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**environment, **variables},
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def registry() -> Registry:
    """The status of the mesh that the API shows."""
    return Registry()


@pytest.fixture
def index() -> Index:
    """What the server holds for proxies."""
    return Index()


@pytest.fixture
def loop(index: Index) -> Loop:
    """Where streams attach; its proxies trust a root that is none."""
    loop = Loop(index)
    loop.tell(Fact(("roots",), TrustBundle("corp.consul", "-----BEGIN CERTIFICATE-----\n")))
    return loop


@pytest.fixture
async def api(registry: Registry, index: Index, loop: Loop) -> AsyncIterator[str]:
    """The address of a real HTTP API over an empty catalog; its xDS port is 18502."""
    node = Node("node-1", "127.0.0.1", "dc1")
    store = MemoryStore()
    queries, repository = Queries(store), Repository(store, node)
    tasks = [asyncio.create_task(each) for each in (queries.run(), loop.run(), loop.feed(batches(store)))]
    about = About("0.1.0", node, "corp.consul", XDS_PORT)
    waits = WaitForProxies(loop, registry, queries.changes, Proxies(registry, index, repository))
    server = HttpServer(make_app(repository, registry, index, about, queries, waits))
    port = await server.start("127.0.0.1", 0)
    yield f"127.0.0.1:{port}"
    await server.stop()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@pytest.fixture
def call(api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Call:
    """Run a command in an empty folder, against the API that this test's event loop serves."""
    monkeypatch.chdir(tmp_path)

    async def run(*arguments: str, stdin: str = "") -> Result:
        env = {**environment, "XDSMESH_HTTP_ADDR": api}
        return await asyncio.to_thread(CliRunner().invoke, app, arguments, input=stdin, env=env)

    return run
