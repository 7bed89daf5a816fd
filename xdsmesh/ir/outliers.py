"""Endpoints in other datacenters that can't be reached: they are left out at once, and soon tried again.

Why these numbers: docs/decisions/0036-failover-through-gateways.md.
"""

from dataclasses import replace
from typing import Final

from xdsmesh.ir.types import OutlierDetection
from xdsmesh.model.duration import Duration

_UNSAID: Final = OutlierDetection()
_INTERVAL: Final = Duration.of(seconds=1)
_EJECTION: Final = Duration.of(seconds=5)
_ALL, _HALF = 100, 50


def across_datacenters(said: OutlierDetection, *, has_next: bool) -> OutlierDetection:
    """What callers do about endpoints elsewhere, where their own settings don't say otherwise.

    ``has_next``: there is somebody to turn to when all are left out. Otherwise half of them stay, so that
    the only one is tried again with each call. A gateway stands for all instances behind it: errors that
    these answer with don't count, unless that was asked for.
    """
    ejection = said.base_ejection_time or _EJECTION
    share = _ALL if has_next else _HALF
    return replace(
        said,
        interval=said.interval or _INTERVAL,
        enforcing_consecutive_5xx=0 if said == _UNSAID else said.enforcing_consecutive_5xx,
        max_ejection_percent=share if said.max_ejection_percent is None else said.max_ejection_percent,
        base_ejection_time=ejection,
        at_least_one=said.at_least_one or has_next,
        unreachable=1,
        max_ejection_time=ejection,
    )
