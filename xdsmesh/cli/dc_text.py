"""The datacenters of the mesh in words."""

from collections.abc import Iterator
from typing import Final

from xdsmesh.federation.report import DatacenterStatus, LinkReport
from xdsmesh.federation.status import LinkState

HEADINGS: Final = (
    *("datacenter", "role", "link", "via", "since", "heard", "lag", "services", "default", "version"),
)
GATEWAY_HEADINGS: Final = ("gateway", "datacenter", "wan address", "health")
_NOTHING: Final = "-"


def row(status: DatacenterStatus) -> tuple[str, ...]:
    """A datacenter as a row under `HEADINGS`."""
    link = status.link
    return (
        status.datacenter,
        status.role,
        *(_link_cells(link) if link else ("here", *([_NOTHING] * 4))),
        str(status.services),
        status.default_intention_policy or _NOTHING,
        status.version or _NOTHING,
    )


def gateway_rows(status: DatacenterStatus) -> Iterator[tuple[str, ...]]:
    """Its gateways as rows under `GATEWAY_HEADINGS`."""
    for each in status.gateways:
        yield each.id, status.datacenter, each.address, "healthy" if each.healthy else "unhealthy"


def trouble_lines(status: DatacenterStatus) -> Iterator[str]:
    """What is wrong: what, why, and what to do."""
    for each in status.troubles:
        yield ""
        yield f"{'Problem' if each.stops else 'Note'} ({each.category}): {each.what}"
        yield f"  why: {each.why}"
        yield f"  what to do: {each.remedy}"


def _link_cells(link: LinkReport) -> tuple[str, ...]:
    heard = _NOTHING if link.heard_seconds is None else f"{link.heard_seconds:.0f} s ago"
    return (
        link.state,
        link.via or _NOTHING,
        f"{link.since:%Y-%m-%d %H:%M:%S}",
        heard,
        _lag(link),
    )


def _lag(link: LinkReport) -> str:
    if not link.lag_revisions:
        return "none" if link.state is LinkState.UP else "unknown"
    return f"{link.lag_revisions} revisions, {link.lag_seconds:.0f} s"
