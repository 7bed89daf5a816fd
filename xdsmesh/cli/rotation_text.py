"""The authority and the rotation of its root, in words for a terminal."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from xdsmesh.rotation.report import CAStatus, RootStatus, RotationStatus
from xdsmesh.rotation.stages import Stage

ROOT_HEADINGS: Final = ("root", "standing", "key", "not before", "not after")
_MAX_NAMED: Final = 5

_BEGUN: Final = {
    Stage.TRUSTING: "the proxies learn to trust the new root",
    Stage.ISSUING: "the proxies get leaves below the new root",
    Stage.RETIRING: "the proxies forget the old root",
}
_OVER: Final = {
    Stage.TRUSTING: "every connected proxy trusts both roots",
    Stage.ISSUING: "every connected proxy has a leaf below the new root",
    Stage.RETIRING: "every connected proxy trusts the new root alone; the key of the old one is deleted",
}


def root_row(root: RootStatus) -> tuple[str, ...]:
    """A root as a row under ``ROOT_HEADINGS``."""
    return root.id, root.standing, root.key, f"{root.not_before:%Y-%m-%d}", f"{root.not_after:%Y-%m-%d}"


def over_lines(rotation: RotationStatus) -> Iterator[str]:
    """A line for each stage that is over."""
    for each in rotation.stages:
        if rotation.stage in (each.stage, Stage.ABORTED):
            return
        yield f"{each.stage + ':':<10} {_OVER[each.stage]} ({_seconds(each.seconds)})"


def rotation_lines(rotation: RotationStatus) -> Iterator[str]:
    """Where a rotation stands, what it has done, and what hinders it."""
    if rotation.stage is Stage.ABORTED:
        yield f"The last rotation was aborted at {_moment(rotation.ended or rotation.began)}:"
    elif rotation.ended:
        whole = _seconds(sum(each.seconds for each in rotation.stages))
        yield f"The last rotation ended at {_moment(rotation.ended)}; it took {whole}:"
    else:
        yield f"A rotation is under way since {_moment(rotation.began)}, for {rotation.by}:"
    yield f"  old root:  {rotation.old_root}"
    yield f"  new root:  {rotation.new_root}"
    for line in over_lines(rotation):
        yield f"  {line}"
    if not rotation.ended:
        since = _seconds(rotation.stages[-1].seconds)
        yield f"  {rotation.stage + ':':<10} {_BEGUN[rotation.stage]} (since {since})"
    if rotation.hindrance:
        yield f"It can't go on, and is tried again: {rotation.hindrance}"


def waiting_lines(status: CAStatus) -> Iterator[str]:
    """Who is waited for, and why."""
    for each in status.waiting:
        yield f"{each.proxy}: {each.why}"
    if status.more_waiting:
        yield f"and {status.more_waiting} more"
    for datacenter in status.datacenters:
        yield f"datacenter {datacenter.datacenter}: {datacenter.why}"


def unconnected_names(status: CAStatus) -> str:
    """Who is registered and not connected: the first few, and how many more; empty: nobody."""
    more = len(status.unconnected) + status.more_unconnected - _MAX_NAMED
    return ", ".join(status.unconnected[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _seconds(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
