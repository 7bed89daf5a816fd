"""The server that is measured: the real command as a process of its own, with default settings."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import httpx

from bench.mesh import Body

HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 20
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Server:
    """A running server, and its HTTP API for as long as this is entered as a context."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, http_port: int, xds_port: int) -> None:
        self.http_port = http_port
        self.xds_port = xds_port
        self._process = process
        self._log = log
        self._api = httpx.AsyncClient(base_url=f"http://{HOST}:{http_port}", timeout=30)

    async def __aenter__(self) -> Self:
        await self._wait_ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._api.aclose()

    async def _wait_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if (await self._api.get("/v1/status/leader")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
        raise RuntimeError(f"the server did not start:\n{self._log.read_text()[-4000:]}")

    async def register(self, body: Body) -> None:
        """Register a service instance and its sidecar; durable when this returns."""
        answer = await self._api.put("/v1/agent/service/register", json=body)
        if answer.is_error:
            raise RuntimeError(f"the server refused a registration: {answer.text}")

    async def encoded(self) -> int:
        """How many resources it has encoded since it started."""
        return int((await self.read("/v1/xdsmesh/work"))["encoded"])

    async def read(self, path: str) -> Any:
        """What a path of the HTTP API has."""
        return (await self._api.get(path)).raise_for_status().json()

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._process.wait()

    def resident(self) -> int:
        """Resident memory in bytes."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * _PAGE

    def peak(self) -> int:
        """The most resident memory that there ever was, in bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def cpu(self) -> float:
        """CPU time used so far, in seconds; it counts in steps of 10 ms."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def running(config: Path | None, data: Path) -> Iterator[Server]:
    """Start a server on free ports, with a config folder if one is given; stop it afterwards."""
    http_port, xds_port = _free_ports(2)
    command = [sys.executable, "-m", "xdsmesh", "server"]
    command += ["--config-dir", str(config)] if config else []
    command += ["--data-dir", str(data), "--dns-addr", "off"]
    command += ["--http-addr", f"{HOST}:{http_port}", "--xds-addr", f"{HOST}:{xds_port}"]
    log = data.parent / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Server(process, log, http_port, xds_port)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for listener in sockets:
            listener.bind((HOST, 0))
        return [listener.getsockname()[1] for listener in sockets]
    finally:
        for listener in sockets:
            listener.close()
