"""What is told of proxies, in rows and lines."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from rich.text import Text

from xdsmesh.cli.output import Cell
from xdsmesh.status import ProxyDetail, ProxyStatus, Refused, State, TypeStatus
from xdsmesh.status.words import rejection

_TYPES: Final = ("CDS", "EDS", "LDS", "RDS", "SDS")
_STYLES: Final = {
    State.SYNCED: "green",
    State.STALE: "yellow",
    State.ERROR: "bold red",
    State.NOT_SENT: "dim",
}
HEADINGS: Final = ("proxy", "service", "kind", "envoy", "connected", *_TYPES, "revision")
TYPE_HEADINGS: Final = ("type", "state", "version", "sent", "acknowledged", "responses", "resources", "nacks")


def row(proxy: ProxyStatus, now: datetime) -> tuple[Cell, ...]:
    """A proxy in the list of all."""
    by_type = {each.type: each for each in proxy.types}
    return (
        proxy.proxy,
        proxy.service,
        proxy.kind,
        proxy.envoy_version,
        age(now - proxy.connected_at),
        *(_standing(by_type.get(name), proxy.connected_at, now) for name in _TYPES),
        _revision(proxy),
    )


def type_row(status: TypeStatus, now: datetime) -> tuple[Cell, ...]:
    """A type of one proxy."""
    return (
        status.type,
        state_text(status.state),
        status.version or "-",
        _ago(status.sent_at, now),
        _ago(status.acked_at, now),
        f"{status.responses}",
        f"{status.resources}",
        f"{status.nacks}",
    )


def state_text(state: State) -> Text:
    """A state, in its colour."""
    return Text(state.value, style=_STYLES[state])


def detail_lines(detail: ProxyDetail) -> Iterator[str]:
    """What a proxy is."""
    yield f"Proxy:    {detail.proxy}"
    if detail.service:
        yield f"Service:  {detail.service}"
    if detail.kind:
        yield f"Kind:     {detail.kind}"
    if not detail.streams:
        yield "It is not connected."


def stream_lines(stream: ProxyStatus, now: datetime) -> Iterator[str]:
    """One stream of a proxy."""
    yield f"Connected from {stream.address} for {age(now - stream.connected_at)}, over {stream.variant} ADS"
    yield f"Envoy:    {stream.envoy_version or 'unknown'}"
    yield f"Revision: {_revision(stream)}"


def error_line(proxy: str, status: TypeStatus) -> str:
    """What a proxy has rejected and not accepted since."""
    return f"{proxy} {rejection(status.type, status.error, status.rejected, status.causes)}"


def last_error_line(status: TypeStatus, now: datetime) -> str:
    """What a proxy has rejected last of a type, mended or not."""
    last = status.last_error
    if last is None:
        return ""
    now_well = "" if status.error else ", mended since"
    told = rejection(status.type, last.error, last.rejected, last.causes)
    return f"{told} ({age(now - last.at)} ago{now_well})"


def refusal_line(refused: Refused, now: datetime) -> str:
    """Who was not served, and why."""
    times = f"{refused.times} times, last " if refused.times > 1 else ""
    who = refused.proxy or "(no id)"
    return f"{who} from {refused.address}: {refused.reason} ({times}{age(now - refused.last_at)} ago)"


def age(span: timedelta) -> str:
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


def _standing(status: TypeStatus | None, connected_at: datetime, now: datetime) -> Text:
    """The state of a type; in sync, also since when: what nothing was sent of, the proxy brought with it."""
    if status is None:
        return Text("-")
    text = state_text(status.state)
    if status.state is State.SYNCED:
        text.append(f" {age(now - (status.acked_at or connected_at))}")
    return text


def _ago(moment: datetime | None, now: datetime) -> str:
    return f"{age(now - moment)} ago" if moment else "-"


def _revision(proxy: ProxyStatus) -> str:
    return "-" if proxy.revision < 0 else str(proxy.revision)
