"""The catalog's nouns: nodes, service instances, their checks, and the proxies beside them.

Shapes follow Consul's catalog, as its HTTP API documents them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from xdsmesh.model.duration import Duration


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
class Upstream:
    """A service that the proxied application calls, and the local address where it finds it."""

    destination_name: str
    local_bind_port: int
    local_bind_address: str = "127.0.0.1"


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
