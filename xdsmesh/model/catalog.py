"""The catalog's nouns: nodes, service instances, their checks, and the proxies beside them.

Shapes follow Consul's catalog, as its HTTP API documents them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Self

from xdsmesh.model.duration import Duration

_UNSAID: Final = Duration()


class Kind(StrEnum):
    """What an instance is: an ordinary service, or a proxy beside one."""

    TYPICAL = ""
    CONNECT_PROXY = "connect-proxy"


class Health(StrEnum):
    """The state of a check, from best to worst."""

    PASSING = "passing"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Check:
    """A health check and what it last said."""

    id: str
    name: str
    status: Health = Health.CRITICAL
    notes: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much of the traffic an instance takes, by its health; from 0 to 65535."""

    passing: int = 1
    warning: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an upstream may take at a time; None is no word about it, and 0 lets nothing through."""

    max_connections: int | None = None
    max_pending_requests: int | None = None
    max_concurrent_requests: int | None = None


@dataclass(frozen=True, slots=True)
class PassiveHealthCheck:
    """When an instance that fails is left out for a while; shares are percent.

    None is no word about it, and so is zero where there is no None.
    """

    interval: Duration = _UNSAID
    max_failures: int = 0
    enforcing_consecutive_5xx: int | None = None
    max_ejection_percent: int | None = None
    base_ejection_time: Duration | None = None


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """How an upstream is called; what is empty, zero or None is not said."""

    protocol: str = ""
    connect_timeout: Duration = _UNSAID
    mesh_gateway: str = ""
    limits: Limits | None = None
    passive_health_check: PassiveHealthCheck | None = None
    balance_outbound_connections: str = ""

    def over(self, weaker: Self) -> Self:
        """These settings where they say something, else the weaker ones; objects are taken whole."""
        return replace(
            self,
            protocol=self.protocol or weaker.protocol,
            connect_timeout=self.connect_timeout or weaker.connect_timeout,
            mesh_gateway=self.mesh_gateway or weaker.mesh_gateway,
            limits=weaker.limits if self.limits is None else self.limits,
            passive_health_check=self.passive_health_check or weaker.passive_health_check,
            balance_outbound_connections=(
                self.balance_outbound_connections or weaker.balance_outbound_connections
            ),
        )


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service that the proxied application calls, and the local address where it finds it.

    ``settings`` win over what config entries say of how it is called; None is no word about it.
    """

    destination_name: str
    local_bind_port: int
    local_bind_address: str = "127.0.0.1"
    settings: UpstreamSettings | None = None


@dataclass(frozen=True, slots=True)
class Proxy:
    """What a sidecar does: whom it stands before, and whom it calls for it.

    The optional fields override what ``proxy-defaults`` and ``service-defaults`` say.
    """

    destination_service_name: str
    destination_service_id: str = ""
    local_service_address: str = "127.0.0.1"
    local_service_port: int = 0
    upstreams: tuple[Upstream, ...] = ()
    bind_address: str = ""
    bind_port: int = 0
    protocol: str = ""
    local_connect_timeout: Duration | None = None
    local_request_timeout: Duration | None = None
    local_idle_timeout: Duration | None = None
    max_inbound_connections: int | None = None
    max_request_headers_kb: int | None = None
    balance_inbound_connections: str = ""
    mesh_gateway: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """The machine that an instance runs on."""

    name: str
    address: str
    datacenter: str
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy of a service, or one sidecar. ``id`` is unique in a datacenter.

    An empty ``address`` means the node's. ``sidecar_of`` is the id of the instance whose registration
    made this sidecar, so that both are removed together.
    """

    id: str
    service: str
    node: Node
    kind: Kind = Kind.TYPICAL
    address: str = ""
    port: int = 0
    tags: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    weights: Weights = Weights()
    checks: tuple[Check, ...] = ()
    proxy: Proxy | None = None
    sidecar_of: str = ""

    @property
    def reachable_address(self) -> str:
        """The address to dial."""
        return self.address or self.node.address

    @property
    def health(self) -> Health:
        """The worst of its checks; an instance without checks is passing."""
        statuses = {check.status for check in self.checks}
        for status in (Health.CRITICAL, Health.WARNING):
            if status in statuses:
                return status
        return Health.PASSING
