"""What goes wrong between datacenters, in words for people."""

import re
from typing import Any, Final

import grpc

_UNREACHABLE: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
_NOISE: Final = re.compile(r"^failed to connect to all addresses; last error: ([A-Z]+: )?(ipv[46]:\S+: )?")
"""What gRPC says before the reason; the address is known."""


class LinkError(Exception):
    """A call to another datacenter brought no answer. ``reason`` is for people."""

    def __init__(self, datacenter: str, reason: str) -> None:
        super().__init__(f"datacenter {datacenter}: {reason}")
        self.datacenter = datacenter
        self.reason = reason


class NoRouteError(LinkError):
    """No gateway is known through which the datacenter could be reached, or it is no member."""


class UnreachableError(LinkError):
    """It could not be reached, or did not answer in time."""


class DeclinedError(LinkError):
    """It was reached, and would not; the reason is in its words."""


def link_error(datacenter: str, error: Any) -> LinkError:
    """What an ``AioRpcError`` of gRPC comes to."""
    reason = _NOISE.sub("", error.details() or error.code().name.lower())
    if error.code() in _UNREACHABLE:
        return UnreachableError(datacenter, reason)
    return DeclinedError(datacenter, reason)
