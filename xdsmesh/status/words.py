"""How a proxy stands, in words: the same ones wherever a person reads them."""

from collections.abc import Sequence
from typing import Final

from xdsmesh.status.types import ProxyStatus, State

_MAX_NAMED: Final = 10


def rejection(type_: str, error: str, rejected: Sequence[str], causes: Sequence[str]) -> str:
    """``LDS (public): no such filter; made from service-defaults/web (mesh.hcl:3:1)``."""
    resources = f" ({listed(rejected)})" if rejected else ""
    behind = f"; made from {listed(causes)}" if causes else ""
    return f"{type_}{resources}: {error}{behind}"


def why_not_acknowledged(proxy: ProxyStatus) -> str:
    """Why a proxy does not hold all that it should."""
    errors = [
        rejection(each.type, each.error, each.rejected, each.causes)
        for each in proxy.types
        if each.state is State.ERROR and each.error
    ]
    if errors:
        return f"rejected {'; '.join(errors)}"
    unanswered = [each.type for each in proxy.types if each.state is State.STALE]
    if unanswered:
        return f"has not answered {', '.join(unanswered)}"
    return "has not been sent all of it yet"


def listed(words: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(words) - _MAX_NAMED
    return ", ".join(words[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
