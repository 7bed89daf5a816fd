"""The shapes of what Consul's HTTP API answers about services, instances and their health.

Source: https://developer.hashicorp.com/consul/api-docs/health, .../catalog and .../agent/service. A field
with a default is left out while it has it, as Consul does; the others are always there.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, field

_INITIALISMS: Final = {"id": "ID", "ca": "CA", "sni": "SNI"}


def _go_name(name: str) -> str:
    return "".join(_INITIALISMS.get(word, word.capitalize()) for word in name.split("_"))


class Shape(Struct, frozen=True, rename=_go_name, omit_defaults=True):
    """The base of what is answered."""


class Weights(Shape, frozen=True):
    """An instance's share of the traffic, by its health."""

    passing: int
    warning: int


class Upstream(Shape, frozen=True):
    """A service that a proxy calls."""

    destination_type: str
    destination_name: str
    datacenter: str
    local_bind_address: str
    local_bind_port: int
    mesh_gateway: dict[str, str]
    config: dict[str, Any] = field(default_factory=dict)


class Proxy(Shape, frozen=True):
    """What a sidecar does; on an ordinary service all of it is empty."""

    mode: str
    mesh_gateway: dict[str, str]
    expose: dict[str, Any]
    transparent_proxy: Mapping[str, Any] | None = None
    destination_service_name: str = ""
    destination_service_id: str = ""
    local_service_address: str = ""
    local_service_port: int = 0
    config: dict[str, Any] = field(default_factory=dict)
    upstreams: list[Upstream] = field(default_factory=list)
    envoy_extensions: list[dict[str, Any]] = field(default_factory=list)
    access_logs: dict[str, Any] | None = None


class ServiceAddress(Shape, frozen=True):
    """Where callers of some sort reach an instance."""

    address: str
    port: int


class Locality(Shape, frozen=True):
    """Where something runs."""

    region: str
    zone: str


class AgentService(Shape, frozen=True):
    """A service instance as its agent shows it."""

    id: str
    service: str
    tags: list[str]
    meta: dict[str, str]
    port: int
    address: str
    weights: Weights
    enable_tag_override: bool
    datacenter: str
    kind: str = ""
    tagged_addresses: dict[str, ServiceAddress] | None = None
    locality: Locality | None = None
    proxy: Proxy | None = None
    connect: dict[str, bool] | None = None
    content_hash: str = ""


class CatalogNode(Shape, frozen=True):
    """A node."""

    id: str
    node: str
    address: str
    datacenter: str
    tagged_addresses: dict[str, str]
    meta: dict[str, str]
    create_index: int
    modify_index: int
    peer_name: str = ""
    locality: Locality | None = None


class NodeService(Shape, frozen=True):
    """A service instance, beside its node."""

    id: str
    service: str
    tags: list[str]
    address: str
    meta: dict[str, str]
    port: int
    weights: Weights
    enable_tag_override: bool
    proxy: Proxy
    connect: dict[str, bool]
    peer_name: str
    create_index: int
    modify_index: int
    kind: str = ""
    tagged_addresses: dict[str, ServiceAddress] | None = None
    locality: Locality | None = None


class NodeServices(Shape, frozen=True):
    """A node and the instances on it, by their ids."""

    node: CatalogNode
    services: dict[str, NodeService]


class NodeServiceList(Shape, frozen=True):
    """A node and the instances on it; no node is none that is known."""

    node: CatalogNode | None
    services: list[NodeService]


class HealthCheck(Shape, frozen=True):
    """What a check last said of an instance or, without a service, of a node."""

    node: str
    check_id: str
    name: str
    status: str
    notes: str
    output: str
    service_id: str
    service_name: str
    service_tags: list[str]
    type: str
    interval: str
    timeout: str
    exposed_port: int
    definition: dict[str, Any]
    create_index: int
    modify_index: int
    peer_name: str = ""


class HealthRow(Shape, frozen=True):
    """An instance with its node and all checks that decide about it."""

    node: CatalogNode
    service: NodeService
    checks: list[HealthCheck]


class ServiceNode(Shape, frozen=True):
    """An instance and its node, flat."""

    id: str
    node: str
    address: str
    datacenter: str
    tagged_addresses: dict[str, str]
    node_meta: dict[str, str]
    service_kind: str
    service_id: str
    service_name: str
    service_tags: list[str]
    service_address: str
    service_weights: Weights
    service_meta: dict[str, str]
    service_port: int
    service_ports: None
    service_socket_path: str
    service_enable_tag_override: bool
    service_proxy: Proxy
    service_connect: dict[str, bool]
    service_locality: Locality | None
    create_index: int
    modify_index: int
    service_tagged_addresses: dict[str, ServiceAddress] | None = None


class ServiceHealth(Shape, frozen=True):
    """An instance, its checks, and the worst that they say; no service is none that is known."""

    aggregated_status: str
    service: AgentService | None
    checks: list[HealthCheck]


class Member(Shape, frozen=True):
    """A server, as the members of Consul's cluster are shown."""

    name: str
    addr: str
    port: int
    tags: dict[str, str]
    status: int
    protocol_min: int
    protocol_max: int
    protocol_cur: int
    delegate_min: int
    delegate_max: int
    delegate_cur: int


class Named(Shape, frozen=True):
    """Something that has a name."""

    name: str


class GatewayService(Shape, frozen=True):
    """A service behind a gateway."""

    gateway: Named
    service: Named
    gateway_kind: str
    create_index: int
    modify_index: int
    port: int = 0
    protocol: str = ""
    hosts: list[str] = field(default_factory=list)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    sni: str = ""
    auto_host_rewrite: bool = False
    from_wildcard: bool = False
