"""``xdsmesh proxies``: who is connected and how each stands, and who was refused."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import typer

from xdsmesh.cli.options import DEFAULT_HTTP_ADDR, CaCert, Format, HttpAddr, OutputFormat, Token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from xdsmesh.status import ProxyStatus, Refused, Snapshot, TypeStatus

_TYPES: Final = ("CDS", "EDS", "LDS", "RDS", "SDS")
_STYLES: Final = {"SYNCED": "green", "STALE": "yellow", "ERROR": "bold red", "NOT SENT": "dim"}


def proxies(
    *,
    output_format: OutputFormat = Format.TABLE,
    http_addr: HttpAddr = DEFAULT_HTTP_ADDR,
    token: Token = "",
    ca_cert: CaCert = None,
) -> None:
    """Show the connected proxies and what each has acknowledged, type by type."""
    from xdsmesh.cli.client import Client
    from xdsmesh.cli.output import show_json

    with Client(http_addr, token, ca_cert) as client:
        snapshot = client.proxies()
    if output_format is Format.JSON:
        show_json(snapshot)
    else:
        show(snapshot, datetime.now(UTC))


def show(snapshot: "Snapshot", now: datetime) -> None:
    """Print the table of proxies, the reasons of its errors, and the refused askers."""
    from xdsmesh.cli.output import show_table

    if snapshot.connected:
        headings = ("proxy", "service", "envoy", "connected", *_TYPES)
        show_table(headings, (_row(proxy, now) for proxy in snapshot.connected))
    else:
        typer.echo("No proxy is connected.")
    errors = [(proxy.proxy, each) for proxy in snapshot.connected for each in proxy.types if each.error]
    _show_section("Rejected, the last good configuration stays in force:", [_error(*each) for each in errors])
    _show_section("Refused:", [_refusal(each, now) for each in snapshot.refused])


def _show_section(title: str, lines: "Sequence[str]") -> None:
    if lines:
        typer.echo(f"\n{title}")
    for line in lines:
        typer.echo(f"  {line}")


def _row(proxy: "ProxyStatus", now: datetime) -> "tuple[str | Text, ...]":
    by_type = {each.type: each for each in proxy.types}
    states = (_state(by_type.get(name)) for name in _TYPES)
    return (proxy.proxy, proxy.service, proxy.envoy_version, _age(now - proxy.connected_at), *states)


def _state(status: "TypeStatus | None") -> "Text":
    from rich.text import Text

    word = status.state.value if status is not None else "-"
    return Text(word, style=_STYLES.get(word, ""))


def _error(proxy: str, status: "TypeStatus") -> str:
    resources = f" ({', '.join(status.rejected)})" if status.rejected else ""
    causes = f"; made from {', '.join(status.causes)}" if status.causes else ""
    return f"{proxy} {status.type}{resources}: {status.error}{causes}"


def _refusal(refused: "Refused", now: datetime) -> str:
    times = f"{refused.times} times, last " if refused.times > 1 else ""
    who = refused.proxy or "(no id)"
    return f"{who} from {refused.address}: {refused.reason} ({times}{_age(now - refused.last_at)} ago)"


def _age(span: timedelta) -> str:
    """A span in its two largest units: ``42s``, ``3m5s``, ``2h10m``, ``4d3h``."""
    seconds = max(0, int(span.total_seconds()))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours}h"
    if hours:
        return f"{hours}h{minutes}m"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
