"""How a service calls others: the limits, timeouts and modes of one upstream, or of all."""

from collections.abc import Iterator
from typing import Self

from msgspec import field, structs

from xdsmesh.config import rules
from xdsmesh.config.entry import Shape, UInt32
from xdsmesh.config.parts.mesh_gateway import MeshGateway
from xdsmesh.model.duration import Duration
from xdsmesh.model.errors import Problem


class UpstreamLimits(Shape, frozen=True):
    """Circuit breakers; None is Envoy's default, and an explicit 0 lets nothing through."""

    max_connections: int | None = None
    max_pending_requests: int | None = None
    max_concurrent_requests: int | None = None


class PassiveHealthCheck(Shape, frozen=True):
    """Outlier detection; None (and zero, where there is no None) is Envoy's default. Shares are percent."""

    interval: Duration = Duration()
    max_failures: UInt32 = 0
    enforcing_consecutive_5xx: UInt32 | None = field(default=None, name="EnforcingConsecutive5xx")
    max_ejection_percent: UInt32 | None = None
    base_ejection_time: Duration | None = None


class UpstreamConfig(Shape, frozen=True):
    """One upstream, by its name, or what holds for all when there is no name."""

    name: str = ""
    peer: str = ""
    envoy_listener_json: str = field(default="", name="EnvoyListenerJSON")
    envoy_cluster_json: str = field(default="", name="EnvoyClusterJSON")
    protocol: str = ""
    connect_timeout_ms: int = 0
    limits: UpstreamLimits | None = None
    passive_health_check: PassiveHealthCheck | None = None
    mesh_gateway: MeshGateway = MeshGateway()
    balance_outbound_connections: str = ""

    def normalize(self) -> Self:
        """The upstream with a lower-case protocol, and no negative timeout."""
        return structs.replace(
            self, protocol=self.protocol.lower(), connect_timeout_ms=max(self.connect_timeout_ms, 0)
        )

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the upstream by itself."""
        yield from rules.protocol(f"{path}.Protocol", self.protocol)
        yield from self.mesh_gateway.problems(f"{path}.MeshGateway")


class UpstreamConfiguration(Shape, frozen=True):
    """What holds for all upstreams of a service, and what for some of them."""

    defaults: UpstreamConfig | None = None
    overrides: list[UpstreamConfig] = field(default_factory=list)
