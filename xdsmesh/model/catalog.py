"""The catalog's nouns: nodes, service instances, and the proxies beside them.

Shapes follow Consul's catalog, as its HTTP API documents them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Self

from xdsmesh.model.address import ip_of
from xdsmesh.model.checks import Check, Health, worst
from xdsmesh.model.duration import Duration

_UNSAID: Final = Duration()


class Kind(StrEnum):
    """What an instance is: an ordinary service, a proxy beside one, or a gateway."""

    TYPICAL = ""
    CONNECT_PROXY = "connect-proxy"
    MESH_GATEWAY = "mesh-gateway"
    TERMINATING_GATEWAY = "terminating-gateway"
    INGRESS_GATEWAY = "ingress-gateway"
    API_GATEWAY = "api-gateway"

    @property
    def is_gateway(self) -> bool:
        """It stands at an edge of the mesh, before no single service."""
        return self not in (Kind.TYPICAL, Kind.CONNECT_PROXY)

    @property
    def is_proxy(self) -> bool:
        """An Envoy with a configuration of its own; its id is the ``node.id`` of that Envoy."""
        return self is not Kind.TYPICAL


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """An address of an instance for callers of some sort; port 0 is the instance's own."""

    address: str
    port: int = 0


@dataclass(frozen=True, slots=True)
class Locality:
    """Where something runs."""

    region: str = ""
    zone: str = ""


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


def called(service: str, datacenter: str = "") -> str:
    """A service as it is called, if need be in a certain datacenter; no name has a question mark in it."""
    return f"{service}?dc={datacenter}" if datacenter else service


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service that the proxied application calls, and the local address where it finds it.

    ``settings`` win over what config entries say of how it is called; None is no word about it. Without a
    ``datacenter`` it is called as the config entries have it for callers in this one.
    """

    destination_name: str
    local_bind_port: int
    local_bind_address: str = "127.0.0.1"
    settings: UpstreamSettings | None = None
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The upstream's ``Config`` as it was written; it is shown, and ``settings`` is what acts."""
    datacenter: str = ""

    @property
    def called(self) -> str:
        """What tells it from the other upstreams of a proxy, such as ``db``, or ``db?dc=dc2``."""
        return called(self.destination_name, self.datacenter)


@dataclass(frozen=True, slots=True)
class Bind:
    """A place to listen, by the name that its owner gave it."""

    name: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Where a gateway listens besides its own address and port, or instead of them; and how long it dials.

    ``tagged`` are its tagged addresses. A ``connect_timeout`` of None is not said.
    """

    no_default: bool = False
    tagged: bool = False
    binds: tuple[Bind, ...] = ()
    connect_timeout: Duration | None = None


NO_GATEWAY: Final = GatewaySettings()
"""Of a gateway that says nothing, and of what is none."""


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
    gateway: GatewaySettings = NO_GATEWAY
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The proxy's ``Config`` as it was written; it is shown, and the fields above are what acts."""


@lru_cache(maxsize=1024)
def _tagged(address: str) -> Mapping[str, str]:
    """One address for callers everywhere, also under the names of its family if it is an IP address."""
    tags = ["lan", "wan"]
    if ip := ip_of(address):
        tags += [f"lan_ipv{ip.version}", f"wan_ipv{ip.version}"]
    return dict.fromkeys(tags, address)


@dataclass(frozen=True, slots=True)
class Node:
    """The machine that an instance runs on. ``id`` is a UUID, or empty.

    Without ``tagged_addresses`` of its own it is reached at ``address`` from everywhere.
    """

    name: str
    address: str
    datacenter: str
    meta: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    tagged_addresses: Mapping[str, str] = field(default_factory=dict)
    locality: Locality | None = None

    @property
    def shown_addresses(self) -> Mapping[str, str]:
        """Its tagged addresses, or those that follow from its address."""
        return self.tagged_addresses or _tagged(self.address)


@dataclass(frozen=True, slots=True)
class Instance:
    """One running copy of a service, or one sidecar. ``id`` is unique in a datacenter.

    An empty ``address`` means the node's. ``sidecar_of`` is the id of the instance whose registration
    made this sidecar, so that both are removed together. ``native`` applications speak the mesh's TLS
    themselves. ``checks`` are those that decide about it: its own and its node's.
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
    native: bool = False
    tagged_addresses: Mapping[str, ServiceAddress] = field(default_factory=dict)
    enable_tag_override: bool = False
    locality: Locality | None = None

    @property
    def reachable_address(self) -> str:
        """The address to dial."""
        return self.address or self.node.address

    @property
    def fronted_service(self) -> str:
        """The service that a sidecar stands before; a gateway's own name."""
        return (self.proxy.destination_service_name if self.proxy else "") or self.service

    def place(self, network: str) -> tuple[str, int]:
        """Where to dial it: in its own datacenter, ``lan``, or from another one, ``wan``."""
        tagged = self.tagged_addresses.get(network)
        if tagged is not None and tagged.address:
            return tagged.address, tagged.port or self.port
        return self.address or self.node.tagged_addresses.get(network) or self.node.address, self.port

    @property
    def health(self) -> Health:
        """The worst of its checks; an instance without checks is passing."""
        return worst(self.checks)
