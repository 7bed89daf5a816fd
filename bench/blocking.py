"""Measure blocking queries that are held and woken: ``python -m bench.blocking``. See ``bench/README.md``."""

import argparse
import asyncio
import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.http1 import HOST, Connection, connect
from bench.mesh import changing_endpoint, write_config
from bench.server import Server, running

READ: Final = "/v1/health/service/upstream-00-sidecar-proxy"
"""A service with 8 instances, one of which changes: some 6 kB of JSON."""

WAKE_SECONDS: Final = 30
_LULL_SECONDS: Final = 1.0
"""How long nothing happens before figures are taken that shall include all that an event has caused."""
_QUIET_CPU: Final = 0.03
"""Seconds in a second: what a server that does nothing uses, and the step in which it is counted."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run gave. Memory in units of 1,000 bytes, ``peak`` 1,000,000; CPU is the server's."""

    queries: int
    held_s: float
    memory_kb: float
    peak_mb: float
    idle_cpu_percent: float
    first_ms: float
    last_ms: float
    wake_cpu_us: float


class Caller(Connection):
    """Waits for one answer at a time."""

    def __init__(self, fleet: "Fleet") -> None:
        super().__init__()
        self.index = 0
        self._fleet = fleet

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-consul-index":
            self.index = int(value)

    def answered(self, status: int) -> None:
        self._fleet.answered(status)

    def ask(self) -> None:
        """Ask as Consul's Go client does."""
        self.send(
            f"GET {READ}?index={self.index}&wait=300000ms HTTP/1.1\r\nHost: {HOST}\r\n"
            "User-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n".encode()
        )


class Fleet:
    """All callers, and when the last answers came."""

    def __init__(self) -> None:
        self.callers: list[Caller] = []
        self.times: list[float] = []
        self._awaited = 0
        self._done = asyncio.Event()

    async def connect(self, port: int, count: int) -> None:
        """Open the connections."""
        self.callers = [Caller(self) for _ in range(count)]
        await connect(self.callers, port)

    def answered(self, status: int) -> None:
        """Note an answer."""
        assert status == 200, status
        self.times.append(time.perf_counter())
        if len(self.times) == self._awaited:
            self._done.set()

    def expect(self) -> None:
        """From now on, count one answer a caller."""
        self.times, self._awaited = [], len(self.callers)
        self._done.clear()

    async def all_answered(self) -> None:
        """Return when every caller has one."""
        async with asyncio.timeout(WAKE_SECONDS):
            await self._done.wait()


def measure(queries: int, seconds: float) -> Figures:
    """Start a server, let ``queries`` callers wait for a service, and then change one instance of it."""
    with tempfile.TemporaryDirectory(prefix="xdsmesh-bench-") as folder:
        config, data = Path(folder, "config"), Path(folder, "data")
        config.mkdir()
        write_config(config, sidecars=1)
        with running(config, data) as server:
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            return asyncio.run(_run(server, queries, seconds))


async def _run(server: Server, queries: int, seconds: float) -> Figures:
    async with server:
        await server.register(changing_endpoint(0))
        await asyncio.sleep(_LULL_SECONDS)
        resident, fleet = server.resident(), Fleet()
        await fleet.connect(server.http_port, queries)
        await _ask(fleet)  # the first answer comes at once, and brings the index to wait with
        fleet.expect()
        for caller in fleet.callers:
            caller.ask()
        await _settle(server)
        held, cpu = server.resident(), server.cpu()
        await asyncio.sleep(seconds)
        idle = server.cpu() - cpu
        assert not fleet.times, "queries were answered though nothing has changed"
        cpu, start = server.cpu(), time.perf_counter()
        await server.register(changing_endpoint(1))
        await fleet.all_answered()
        await asyncio.sleep(_LULL_SECONDS)
        woken = server.cpu() - cpu
        for caller in fleet.callers:
            caller.close()
        return Figures(
            queries=queries,
            held_s=seconds,
            memory_kb=(held - resident) / queries / 1000,
            peak_mb=server.peak() / 1e6,
            idle_cpu_percent=idle / seconds * 100,
            first_ms=(fleet.times[0] - start) * 1000,
            last_ms=(fleet.times[-1] - start) * 1000,
            wake_cpu_us=woken / queries * 1e6,
        )


async def _settle(server: Server) -> None:
    """Return once the server has taken in what it was asked."""
    before = -1.0
    async with asyncio.timeout(WAKE_SECONDS):
        while server.cpu() - before > _QUIET_CPU:
            before = server.cpu()
            await asyncio.sleep(1)


async def _ask(fleet: Fleet) -> None:
    fleet.expect()
    for caller in fleet.callers:
        caller.ask()
    await fleet.all_answered()


def show(rows: Sequence[Figures]) -> None:
    """Print the table, one column a run, beside the figures to reach at 5,000 queries."""
    table = Table(title=f"so many blocking queries, held for {rows[0].held_s:g} s and woken by one write")
    table.add_column("")
    for row in rows:
        table.add_column(f"{row.queries:,}", justify="right", no_wrap=True)
    table.add_column("goal at 5,000", justify="right", no_wrap=True)
    for text, unit, field, goal in (
        ("server memory, the most there was", "MB", "peak_mb", "< 300 MB"),
        ("server memory per query", "kB", "memory_kb", ""),
        ("server CPU while nothing changes", "%", "idle_cpu_percent", ""),
        ("write to the first answer", "ms", "first_ms", ""),
        ("write to the last answer", "ms", "last_ms", "≤ 3,000 ms"),
        ("server CPU per answer", "µs", "wake_cpu_us", ""),
    ):
        table.add_row(text, *(f"{getattr(row, field):,.3g} {unit}" for row in rows), goal)
    Console().print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="python -m bench.blocking", description=__doc__)
    parser.add_argument("--queries", type=int, nargs="+", default=[5000], help="queries to hold")
    parser.add_argument("--seconds", type=float, default=60, help="how long to hold them")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    options = parser.parse_args(arguments)
    gc.disable()  # the generator's garbage is none of the server's time
    rows = [measure(queries, options.seconds) for queries in options.queries]
    if options.format == "json":
        json.dump([asdict(row) for row in rows], sys.stdout, indent=2)
        print()
    else:
        show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
