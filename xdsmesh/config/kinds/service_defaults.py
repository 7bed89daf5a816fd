"""``service-defaults``: the protocol and timeouts of one service."""

from collections.abc import Iterator
from typing import ClassVar, Self

from msgspec import structs

from xdsmesh.config import rules
from xdsmesh.config.entry import Entry, UInt32
from xdsmesh.model.errors import Problem


class ServiceDefaults(Entry, frozen=True, kw_only=True):
    """Settings of one service's sidecars. Times are milliseconds; 0 is "not set"."""

    KIND: ClassVar[str] = "service-defaults"
    RANK: ClassVar[int] = 1
    UNBUILT: ClassVar[frozenset[str]] = frozenset(
        {
            "BalanceInboundConnections",
            "Destination",
            "EnvoyExtensions",
            "Expose",
            "ExternalSNI",
            "MaxInboundConnections",
            "MaxRequestHeadersKB",
            "MeshGateway",
            "Mode",
            "MutualTLSMode",
            "TransparentProxy",
            "UpstreamConfig",
        }
    )
    ENTERPRISE: ClassVar[frozenset[str]] = frozenset({"RateLimits"})

    protocol: str = ""
    local_connect_timeout_ms: UInt32 = 0
    local_request_timeout_ms: UInt32 = 0

    def normalize(self) -> Self:
        """The entry with a lower-case protocol."""
        return structs.replace(self, protocol=self.protocol.lower())

    def problems(self) -> Iterator[Problem]:
        """What is wrong with a normalized entry by itself; each ``Place`` has just a field path."""
        yield from super().problems()
        yield from rules.protocol("Protocol", self.protocol)
