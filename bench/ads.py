"""Measure the ADS server with fake proxies: ``python -m bench.ads``. See ``bench/README.md``."""

import argparse
import asyncio
import gc
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bench.fake_proxy import FakeProxy
from bench.mesh import changing_endpoint, proxy_id, write_config
from bench.report import Figures, show
from bench.server import HOST, Server, running
from xdsmesh.model.resource import ENDPOINT

CONFIGURE_SECONDS: Final = 60
ACK_SECONDS: Final = 30
SETTLE_SECONDS: Final = 0.5


class Fleet:
    """All fake proxies of a run, and what is awaited of them."""

    def __init__(self, streams: int) -> None:
        self.proxies = [FakeProxy(proxy_id(number), "client", self._acked) for number in range(streams)]
        self.endpoint_acks = 0
        self.routed_at = 0.0
        self._unrouted = set(self.proxies)
        self._unconfigured = set(self.proxies)
        self._awaited = 0
        self._configured = asyncio.Event()
        self._all_acked = asyncio.Event()

    def _acked(self, proxy: FakeProxy, type_url: str) -> None:
        if proxy in self._unrouted and proxy.routed():
            self._unrouted.discard(proxy)
            self.routed_at = time.perf_counter()
        if proxy in self._unconfigured and proxy.configured():
            self._unconfigured.discard(proxy)
            if not self._unconfigured:
                self._configured.set()
        if type_url == ENDPOINT:
            self.endpoint_acks += 1
            if self.endpoint_acks == self._awaited:
                self._all_acked.set()

    async def connect(self, port: int) -> None:
        """Connect all, and return when the last one holds its whole configuration."""
        await asyncio.gather(*(proxy.connect(HOST, port) for proxy in self.proxies))
        await self._wait(self._configured, CONFIGURE_SECONDS, "a complete configuration")

    def await_endpoints(self) -> None:
        """From now on, count one endpoint response a stream."""
        self._awaited = self.endpoint_acks + len(self.proxies)
        self._all_acked.clear()

    async def all_acked(self) -> None:
        """Return when as many endpoint responses as there are streams have been acknowledged."""
        await self._wait(self._all_acked, ACK_SECONDS, "the changed endpoint")

    def close(self) -> None:
        """Drop all connections."""
        for proxy in self.proxies:
            proxy.close()

    async def _wait(self, event: asyncio.Event, seconds: float, what: str) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            failures = {proxy.failure or proxy.missing() for proxy in self.proxies} - {""}
            some = "; ".join(sorted(failures)[:5])
            raise RuntimeError(f"after {seconds} s not all proxies have {what}: {some}") from None


def measure(streams: int, changes: int) -> Figures:
    """Start a server, connect ``streams`` proxies to it, and change one endpoint ``changes`` times."""
    with tempfile.TemporaryDirectory(prefix="xdsmesh-bench-") as folder:
        config, data = Path(folder, "config"), Path(folder, "data")
        config.mkdir()
        write_config(config, streams)
        with running(config, data) as server:
            _allow_files()
            return asyncio.run(_run(server, streams, changes))


async def _run(server: Server, streams: int, changes: int) -> Figures:
    async with server:
        await server.register(changing_endpoint(0))
        fleet = Fleet(streams)
        try:
            return await _measure(server, fleet, changes)
        finally:
            fleet.close()


async def _measure(server: Server, fleet: Fleet, changes: int) -> Figures:
    streams = len(fleet.proxies)
    await asyncio.sleep(SETTLE_SECONDS)
    gc.collect()
    resident, cpu, start = server.resident(), server.cpu(), time.perf_counter()
    await fleet.connect(server.xds_port)
    configured = time.perf_counter() - start
    await asyncio.sleep(SETTLE_SECONDS)
    connect_cpu = server.cpu() - cpu
    resident = server.resident() - resident

    encoded, acks, cpu = await server.encoded(), fleet.endpoint_acks, server.cpu()
    durations = [await _change(server, fleet, number) for number in range(1, changes + 1)]
    encoded = await server.encoded() - encoded
    return Figures(
        streams=streams,
        routed_s=fleet.routed_at - start,
        configured_s=configured,
        connect_cpu_ms=connect_cpu / streams * 1000,
        memory_kb=resident / streams / 1000,
        last_ack_ms=statistics.median(durations) * 1000,
        worst_ack_ms=max(durations) * 1000,
        push_cpu_us=(server.cpu() - cpu) / changes / streams * 1e6,
        responses=(fleet.endpoint_acks - acks) / changes / streams,
        encoded=encoded / changes,
    )


async def _change(server: Server, fleet: Fleet, number: int) -> float:
    """Re-register one instance; the seconds from before the call until the last stream's ACK."""
    fleet.await_endpoints()
    start = time.perf_counter()
    await asyncio.gather(server.register(changing_endpoint(number)), fleet.all_acked())
    last = max(proxy.last_ack[ENDPOINT] for proxy in fleet.proxies)
    await asyncio.sleep(SETTLE_SECONDS)  # what the server still does counts as CPU of this change
    return last - start


def _allow_files() -> None:
    """Allow this process a socket for each proxy; not before the server, which must do it by itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="python -m bench.ads", description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[100, 1000], help="proxies to connect")
    parser.add_argument("--changes", type=int, default=10, help="endpoint changes, for the median")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    options = parser.parse_args(arguments)
    gc.disable()  # the generator's garbage is none of the server's time
    rows = [measure(streams, options.changes) for streams in options.streams]
    if options.format == "json":
        json.dump([asdict(row) for row in rows], sys.stdout, indent=2)
        print()
    else:
        show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
