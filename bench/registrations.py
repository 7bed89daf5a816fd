"""Measure registrations that survive a kill: ``python -m bench.registrations``. See ``bench/README.md``."""

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console
from rich.table import Table

from bench.http1 import HOST, Connection, connect
from bench.server import Server, running

SERVICES: Final = 100
"""The names among which the instances are divided."""
CHECKED: Final = 2
"""Every so manyth instance has a TTL check."""

_HEAD: Final = (
    "PUT /v1/agent/service/register HTTP/1.1\r\n"
    f"Host: {HOST}\r\n"
    "User-Agent: Go-http-client/1.1\r\n"
    "Content-Length: {}\r\n"
    "Content-Type: application/json\r\n"
    "Accept-Encoding: gzip\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run gave. CPU is the server's; memory in units of 1,000,000 bytes."""

    connections: int
    acknowledged: int
    lost: int
    rate: float
    worst_rate: int
    p50_ms: float
    p99_ms: float
    cpu_us: float
    memory_mb: float
    restart_s: float


class Registrar(Connection):
    """Registers one instance after the other."""

    def __init__(self, crowd: "Crowd") -> None:
        super().__init__()
        self._crowd = crowd
        self._number = 0
        self._sent = 0.0

    def go_on(self) -> None:
        """Register the next one."""
        self._number = self._crowd.next()
        self._sent = time.perf_counter()
        self.send(request(self._number))

    def answered(self, status: int) -> None:
        now = time.perf_counter()
        self._crowd.acknowledged(self._number, status, now, now - self._sent)
        self.go_on()


class Crowd:
    """All who register, and what they were told."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.moments: list[float] = []
        self.waits: list[float] = []
        self.refused: list[int] = []
        self._last = -1

    def next(self) -> int:
        """The number of the instance that comes next."""
        self._last += 1
        return self._last

    def acknowledged(self, number: int, status: int, moment: float, wait: float) -> None:
        """Note an answer."""
        if status != 200:
            self.refused.append(status)
            return
        self.numbers.append(number)
        self.moments.append(moment)
        self.waits.append(wait)


def service_id(number: int) -> str:
    """The id of an instance."""
    return f"svc-{number % SERVICES:02}-{number:06}"


def request(number: int) -> bytes:
    """The whole request that registers an instance, as Consul's Go client sends it."""
    body: dict[str, object] = {
        "ID": service_id(number),
        "Name": f"svc-{number % SERVICES:02}",
        "Tags": ["v1", "primary", f"rack-{number % 7}"],
        "Port": 8000 + number % 1000,
        "Address": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
        "Meta": {"version": "1.4.2", "team": "payments", "deployed": f"build-{number % 31}"},
        "Weights": {"Passing": 1, "Warning": 1},
    }
    if number % CHECKED == 0:
        body["Check"] = {"TTL": "120s", "Status": "passing", "DeregisterCriticalServiceAfter": "24h"}
    encoded = json.dumps(body, separators=(",", ":")).encode()
    return _HEAD.format(len(encoded)).encode() + encoded


def measure(connections: int, seconds: float) -> Figures:
    """Register for some seconds, kill the server in the middle of it, and count what is there afterwards."""
    with tempfile.TemporaryDirectory(prefix="xdsmesh-bench-") as folder:
        data = Path(folder, "data")
        crowd = Crowd()
        with running(None, data) as server:
            cpu, memory, began = uvloop.run(_register(server, crowd, connections, seconds))
        if crowd.refused:
            raise RuntimeError(f"the server refused registrations: {Counter(crowd.refused)}")
        start = time.perf_counter()
        with running(None, data) as server:
            restart, lost = uvloop.run(_missing(server, crowd, start))
    waits, taken = sorted(crowd.waits), len(crowd.numbers)
    each_second = Counter(int(moment - began) for moment in crowd.moments)
    return Figures(
        connections=connections,
        acknowledged=taken,
        lost=lost,
        rate=taken / seconds,
        worst_rate=min(each_second[second] for second in range(int(seconds))),
        p50_ms=waits[taken // 2] * 1000,
        p99_ms=waits[taken * 99 // 100] * 1000,
        cpu_us=cpu / taken * 1e6,
        memory_mb=memory / 1e6,
        restart_s=restart,
    )


async def _register(
    server: Server, crowd: Crowd, connections: int, seconds: float
) -> tuple[float, int, float]:
    """The CPU time that it took, the memory at the end, and when it began."""
    async with server:
        registrars = [Registrar(crowd) for _ in range(connections)]
        await connect(registrars, server.http_port)
        cpu, began = server.cpu(), time.perf_counter()
        for each in registrars:
            each.go_on()
        await asyncio.sleep(seconds - (time.perf_counter() - began))
        spent, memory = server.cpu() - cpu, server.resident()
        server.kill()  # while registrations are under way
        for each in registrars:
            each.close()
        return spent, memory, began


async def _missing(server: Server, crowd: Crowd, start: float) -> tuple[float, int]:
    """The seconds until a restarted server answers, and how many acknowledged registrations it lacks."""
    async with server:
        restart = time.perf_counter() - start
        services, checks = await server.read("/v1/agent/services"), await server.read("/v1/agent/checks")
    there = {each["ID"]: (each["Port"], each["Address"]) for each in services.values()}
    checked = {each["ServiceID"] for each in checks.values()}
    lost = 0
    for number in crowd.numbers:
        own = service_id(number)
        sent = json.loads(request(number).partition(b"\r\n\r\n")[2])
        is_there = there.get(own) == (sent["Port"], sent["Address"])
        lost += not (is_there and ("Check" not in sent or own in checked))
    return restart, lost


def show(rows: Sequence[Figures], seconds: float) -> None:
    """Print the table, one column a run, beside the figures to reach."""
    table = Table(title=f"distinct services registered for {seconds:g} s, then kill -9 and a restart")
    table.add_column("connections")
    for row in rows:
        table.add_column(f"{row.connections:,}", justify="right", no_wrap=True)
    table.add_column("goal", justify="right", no_wrap=True)
    for text, unit, field, goal in (
        ("acknowledged", "", "acknowledged", ""),
        ("acknowledged, and not there after the restart", "", "lost", "0"),
        ("registrations per second", "/s", "rate", "≥ 1,500 /s"),
        ("the same, worst second", "/s", "worst_rate", ""),
        ("request to acknowledgement, median", "ms", "p50_ms", ""),
        ("the same, 99 of 100", "ms", "p99_ms", ""),
        ("server CPU per registration", "µs", "cpu_us", ""),
        ("server memory at the end", "MB", "memory_mb", ""),
        ("restart", "s", "restart_s", ""),
    ):
        table.add_row(text, *(f"{getattr(row, field):,.5g} {unit}".rstrip() for row in rows), goal)
    Console().print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table; 1 when something was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.registrations", description=__doc__)
    parser.add_argument("--connections", type=int, nargs="+", default=[64], help="who register at a time")
    parser.add_argument("--seconds", type=float, default=30, help="how long they do")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    options = parser.parse_args(arguments)
    gc.disable()  # the generator's garbage is none of the server's time
    rows = [measure(connections, options.seconds) for connections in options.connections]
    if options.format == "json":
        json.dump([asdict(row) for row in rows], sys.stdout, indent=2)
        print()
    else:
        show(rows, options.seconds)
    return int(any(row.lost for row in rows))


if __name__ == "__main__":
    sys.exit(main())
