"""The catalog's values in the shapes of Consul's HTTP API.

Shapes: https://developer.hashicorp.com/consul/api-docs/health, .../catalog and .../agent/service. A field
with a default is left out while it has it, as Consul does; the others are always there.
"""

import hashlib
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from xdsmesh.catalog.repository import Stored
from xdsmesh.config import codec
from xdsmesh.config.entry import Entry
from xdsmesh.model import catalog
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.duration import Duration

_INITIALISMS: Final = {"id": "ID"}
_HASH_DIGITS: Final = 16


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
    local_bind_address: str
    local_bind_port: int
    mesh_gateway: dict[str, str]


class Proxy(Shape, frozen=True):
    """What a sidecar does; on an ordinary service all of it is empty."""

    mode: str
    mesh_gateway: dict[str, str]
    expose: dict[str, bool]
    destination_service_name: str = ""
    destination_service_id: str = ""
    local_service_address: str = ""
    local_service_port: int = 0
    config: dict[str, str | int] = field(default_factory=dict)
    upstreams: list[Upstream] = field(default_factory=list)


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
    proxy: Proxy | None = None
    content_hash: str = ""


class HealthNode(Shape, frozen=True):
    """A node, in a health row."""

    id: str
    node: str
    address: str
    datacenter: str
    tagged_addresses: dict[str, str]
    meta: dict[str, str]
    create_index: int
    modify_index: int


class HealthService(Shape, frozen=True):
    """A service instance, in a health row."""

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


class HealthCheck(Shape, frozen=True):
    """What a check last said of an instance."""

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
    definition: dict[str, str]
    create_index: int
    modify_index: int


class HealthRow(Shape, frozen=True):
    """An instance with its node and all checks that decide about it."""

    node: HealthNode
    service: HealthService
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
    service_socket_path: str
    service_enable_tag_override: bool
    service_proxy: Proxy
    service_connect: dict[str, bool]
    create_index: int
    modify_index: int


def entry_body(stored: Stored[Entry]) -> dict[str, Any]:
    """A config entry: its kind and name, its own fields, and the revisions that compare-and-set uses."""
    entry = stored.value
    return {
        "Kind": entry.KIND,
        "Name": entry.name,
        **codec.encode(entry),
        "CreateIndex": stored.created,
        "ModifyIndex": stored.modified,
    }


def agent_service(instance: Instance) -> AgentService:
    """An instance for the agent endpoints. Its hash changes exactly when something else of it does."""
    service = AgentService(
        kind=instance.kind.value,
        id=instance.id,
        service=instance.service,
        tags=list(instance.tags),
        meta=dict(instance.meta),
        port=instance.port,
        address=instance.address,
        weights=_weights(instance),
        enable_tag_override=False,
        proxy=_proxy(instance) if instance.proxy else None,
        datacenter=instance.node.datacenter,
    )
    digest = hashlib.sha256(msgspec.json.encode(service, order="deterministic")).hexdigest()
    return msgspec.structs.replace(service, content_hash=digest[:_HASH_DIGITS])


def service_node(stored: Stored[Instance]) -> ServiceNode:
    """An instance for the catalog endpoints."""
    instance, node = stored.value, stored.value.node
    return ServiceNode(
        id="",
        node=node.name,
        address=node.address,
        datacenter=node.datacenter,
        tagged_addresses=_tagged_addresses(node),
        node_meta=dict(node.meta),
        service_kind=instance.kind.value,
        service_id=instance.id,
        service_name=instance.service,
        service_tags=list(instance.tags),
        service_address=instance.address,
        service_weights=_weights(instance),
        service_meta=dict(instance.meta),
        service_port=instance.port,
        service_socket_path="",
        service_enable_tag_override=False,
        service_proxy=_proxy(instance),
        service_connect={},
        create_index=stored.created,
        modify_index=stored.modified,
    )


def health_row(stored: Stored[Instance]) -> HealthRow:
    """An instance for the health endpoints. Nodes have no revisions of their own: the instance's stand in."""
    instance, node = stored.value, stored.value.node
    return HealthRow(
        node=HealthNode(
            id="",
            node=node.name,
            address=node.address,
            datacenter=node.datacenter,
            tagged_addresses=_tagged_addresses(node),
            meta=dict(node.meta),
            create_index=stored.created,
            modify_index=stored.modified,
        ),
        service=_health_service(stored),
        checks=[_health_check(stored, check) for check in instance.checks],
    )


def _health_service(stored: Stored[Instance]) -> HealthService:
    instance = stored.value
    return HealthService(
        kind=instance.kind.value,
        id=instance.id,
        service=instance.service,
        tags=list(instance.tags),
        address=instance.address,
        meta=dict(instance.meta),
        port=instance.port,
        weights=_weights(instance),
        enable_tag_override=False,
        proxy=_proxy(instance),
        connect={},
        peer_name="",
        create_index=stored.created,
        modify_index=stored.modified,
    )


def _health_check(stored: Stored[Instance], check: catalog.Check) -> HealthCheck:
    instance = stored.value
    return HealthCheck(
        node=instance.node.name,
        check_id=check.id,
        name=check.name,
        status=check.status.value,
        notes=check.notes,
        output=check.output,
        service_id=instance.id,
        service_name=instance.service,
        service_tags=list(instance.tags),
        type="",
        interval="",
        timeout="",
        exposed_port=0,
        definition={},
        create_index=stored.created,
        modify_index=stored.modified,
    )


def _weights(instance: Instance) -> Weights:
    return Weights(passing=instance.weights.passing, warning=instance.weights.warning)


def _tagged_addresses(node: Node) -> dict[str, str]:
    return {"lan": node.address, "wan": node.address}


def _proxy(instance: Instance) -> Proxy:
    proxy = instance.proxy
    if proxy is None:
        return Proxy(mode="", mesh_gateway={}, expose={})
    return Proxy(
        destination_service_name=proxy.destination_service_name,
        destination_service_id=proxy.destination_service_id,
        local_service_address=proxy.local_service_address,
        local_service_port=proxy.local_service_port,
        mode="",
        config=_proxy_config(proxy),
        upstreams=[_upstream(upstream) for upstream in proxy.upstreams],
        mesh_gateway={},
        expose={},
    )


def _proxy_config(proxy: catalog.Proxy) -> dict[str, str | int]:
    """The proxy's own settings under the keys of ``Proxy.Config``; what it does not set is left out."""
    settings: dict[str, str | int | None] = {
        "bind_address": proxy.bind_address or None,
        "bind_port": proxy.bind_port or None,
        "protocol": proxy.protocol or None,
        "local_connect_timeout_ms": _milliseconds(proxy.local_connect_timeout),
        "local_request_timeout_ms": _milliseconds(proxy.local_request_timeout),
    }
    return {key: value for key, value in settings.items() if value is not None}


def _milliseconds(duration: Duration | None) -> int | None:
    return duration.nanoseconds // 1_000_000 if duration is not None else None


def _upstream(upstream: catalog.Upstream) -> Upstream:
    return Upstream(
        destination_type="service",
        destination_name=upstream.destination_name,
        local_bind_address=upstream.local_bind_address,
        local_bind_port=upstream.local_bind_port,
        mesh_gateway={},
    )
