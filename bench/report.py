"""The benchmark's figures, and the table that a person reads."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run gave. Memory in units of 1,000 bytes; CPU is the server's, per stream."""

    streams: int
    routed_s: float
    configured_s: float
    connect_cpu_ms: float
    memory_kb: float
    last_ack_ms: float
    worst_ack_ms: float
    push_cpu_us: float
    responses: float
    encoded: float


def show(rows: Sequence[Figures]) -> None:
    """Print the table, one column a run, beside the figures to reach at 1,000 streams."""
    table = Table(title="the ADS server with so many delta streams")
    table.add_column("")
    for row in rows:
        table.add_column(f"{row.streams:,}", justify="right", no_wrap=True)
    table.add_column("goal at 1,000", justify="right", no_wrap=True)
    lines = (
        ("all have clusters, endpoints, listeners, routes", "s", "routed_s", "≤ 2 s"),
        ("all have their certificates too", "s", "configured_s", ""),
        ("server CPU to configure one", "ms", "connect_cpu_ms", ""),
        ("server memory per stream", "kB", "memory_kb", "≤ 60 kB"),
        ("endpoint change to the last ACK", "ms", "last_ack_ms", "≤ 150 ms"),
        ("the same, worst", "ms", "worst_ack_ms", ""),
        ("server CPU per push and ACK", "µs", "push_cpu_us", ""),
        ("responses per change and stream", "", "responses", "1"),
        ("resources encoded per change", "", "encoded", "1"),
    )
    for text, unit, field, target in lines:
        table.add_row(text, *(f"{getattr(row, field):.3g} {unit}".rstrip() for row in rows), target)
    Console().print(table)
