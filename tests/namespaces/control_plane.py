"""The control plane of a datacenter: a real server on its host, and an operator who asks it from there."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import httpx

from xdsmesh.model.token import HEADER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.namespaces.hosts import Host
    from xdsmesh.demo.processes import Child

XDSMESH: Final = (sys.executable, "-m", "xdsmesh")
PORT: Final = 8500
PATIENCE: Final = 60.0
"""Seconds that anything may take to come about on a busy machine."""


class ControlPlane:
    """``xdsmesh server`` of one datacenter. Other machines reach it, so it wants tokens."""

    server: Child

    def __init__(self, datacenter: str, host: Host, folder: Path) -> None:
        self.datacenter = datacenter
        self.url = f"http://{host.address}:{PORT}"
        self.host = host
        self._data = folder / datacenter
        self._operator = folder / f"{datacenter}-operator.token"
        self._http = host.http(f"http://127.0.0.1:{PORT}")

    async def start(self) -> None:
        """Run it on the data that it has, if any; return when it answers."""
        if not self._operator.exists():
            words = ("token", "create", "--operator", "--data-dir", str(self._data))
            await self.command(*words, "--out", str(self._operator))
        self.server = await self.host.run(
            "server",
            *(*XDSMESH, "server", "--log-format", "json", "--datacenter", self.datacenter),
            *("--node", f"control-plane-{self.datacenter}", "--data-dir", str(self._data)),
            *("--http-addr", f"0.0.0.0:{PORT}", "--xds-addr", "0.0.0.0:8502"),
            *("--federation-addr", "0.0.0.0:8503", "--advertise-addr", self.host.address),
        )
        await until(self.answers, f"the control plane of {self.datacenter} answers")

    async def kill(self) -> None:
        """End it as a crash would."""
        await self.host.kill(self.server)

    async def command(self, *words: str, expect: int = 0) -> str:
        """Run a command of an operator on its host; what it prints."""
        child = await self.host.run(f"xdsmesh-{words[0]}-{words[1]}", *XDSMESH, *words)
        code = await asyncio.wait_for(child.process.wait(), PATIENCE)
        assert code == expect, child.tail()
        return child.log.read_text()

    async def answers(self) -> bool:
        """Whether it serves."""
        try:
            return (await self._http.get("/v1/status/leader")).is_success
        except httpx.TransportError:
            return False

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send a request as an operator does."""
        headers = {HEADER: self._operator.read_text().strip()}
        content = None if body is None else json.dumps(body).encode()
        return await self._http.request(method, path, content=content, headers=headers)

    async def get(self, path: str) -> Any:
        """What it answers to a read that succeeds."""
        return (await self._succeed("GET", path)).json()

    async def put(self, path: str, body: Any = None) -> None:
        """Write something that is accepted."""
        await self._succeed("PUT", path, body)

    async def token(self, folder: Path, **of: str) -> Path:
        """A file that has a token for somebody, such as ``Service="web"``."""
        made = await self._succeed("POST", "/v1/xdsmesh/tokens", of)
        file = folder / f"{self.datacenter}-{'-'.join(of.values())}.token"
        file.write_text(made.json()["SecretID"])
        return file

    async def link(self) -> dict[str, Any]:
        """The link to the other datacenter, as the API shows it."""
        (other,) = (await self.get("/v1/xdsmesh/datacenters"))["datacenters"][1:]
        found: dict[str, Any] = other["link"]
        return found

    def records(self, prefix: str) -> dict[str, bytes]:
        """What its store has on disk under a prefix, by the rest of the key.

        It is read from a copy, since the server locks the file.
        """
        with TemporaryDirectory() as folder:
            for file in self._data.glob("*.db*"):
                shutil.copy(file, folder)
            (copy,) = Path(folder).glob("*.db")
            with closing(sqlite3.connect(copy)) as database:
                rows = database.execute("SELECT key, value FROM record WHERE key GLOB ?", (f"{prefix}*",))
                return {key.removeprefix(prefix): value for key, value in rows}

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _succeed(self, method: str, path: str, body: Any = None) -> httpx.Response:
        response = await self.ask(method, path, body)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response


async def until(condition: Callable[[], Awaitable[object]], what: str, seconds: float = PATIENCE) -> float:
    """Return when the condition holds: how long that took, in seconds."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < seconds, f"waited {seconds} s in vain until {what}"
        await asyncio.sleep(0.05)
    return time.monotonic() - began
