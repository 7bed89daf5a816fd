from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from xdsmesh.api.about import About
from xdsmesh.api.serve import HttpServer
from xdsmesh.cli import app
from xdsmesh.index.views import Index
from xdsmesh.loop import Loop
from xdsmesh.model.catalog import Node
from xdsmesh.parts import ServerParts
from xdsmesh.status import Registry
from xdsmesh.store.memory import MemoryStore

if TYPE_CHECKING:
    from tests.conftest import AtWork

Run = Callable[..., subprocess.CompletedProcess[str]]
Call = Callable[..., Awaitable[Result]]

XDS_PORT = 18502
NODE = Node("node-1", "127.0.0.1", "dc1")


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
async def parts(at_work: AtWork) -> AsyncIterator[ServerParts]:
    """The parts of a server over an empty catalog, at work."""
    async with at_work(MemoryStore(), NODE) as parts:
        yield parts


@pytest.fixture
def registry(parts: ServerParts) -> Registry:
    """The status of the mesh that the API shows."""
    return parts.registry


@pytest.fixture
def index(parts: ServerParts) -> Index:
    """What the server holds for proxies."""
    return parts.index


@pytest.fixture
def loop(parts: ServerParts) -> Loop:
    """Where streams attach."""
    return parts.loop


@pytest.fixture
async def api(parts: ServerParts) -> AsyncIterator[str]:
    """The address of a real HTTP API over an empty catalog; its xDS port is 18502."""
    server = HttpServer(parts.app(About("0.1.0", NODE, "corp.consul", XDS_PORT)))
    port = await server.start("127.0.0.1", 0)
    yield f"127.0.0.1:{port}"
    parts.close()
    await server.stop()


@pytest.fixture
def call(api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Call:
    """Run a command in an empty folder, against the API that this test's event loop serves."""
    monkeypatch.chdir(tmp_path)

    async def run(*arguments: str, stdin: str = "") -> Result:
        env = {**environment, "XDSMESH_HTTP_ADDR": api}
        return await asyncio.to_thread(CliRunner().invoke, app, arguments, input=stdin, env=env)

    return run
