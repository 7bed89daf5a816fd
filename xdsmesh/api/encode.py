"""The catalog's values in the shapes of the HTTP API."""

import dataclasses
import hashlib
from typing import Any, Final

import msgspec

from xdsmesh.api.shapes import (
    AgentService,
    HealthCheck,
    HealthNode,
    HealthRow,
    HealthService,
    Proxy,
    ServiceNode,
    Upstream,
    Weights,
)
from xdsmesh.catalog.repository import Stored
from xdsmesh.config import codec
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.mesh import Mesh
from xdsmesh.model import catalog
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.duration import Duration

_HASH_DIGITS: Final = 16


def entry_body(stored: Stored[Entry]) -> dict[str, Any]:
    """A config entry: its kind and name, its own fields, and the revisions that compare-and-set uses.

    The only entry of the kind ``mesh`` shows no name, as in Consul.
    """
    entry = stored.value
    body = {
        "Kind": entry.KIND,
        "Name": entry.name,
        **codec.encode(entry),
        "CreateIndex": stored.created,
        "ModifyIndex": stored.modified,
    }
    if isinstance(entry, Mesh):
        del body["Name"]
    return body


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
        mesh_gateway=_mesh_gateway(proxy.mesh_gateway),
        expose={},
    )


def _mesh_gateway(mode: str) -> dict[str, str]:
    return {"Mode": mode} if mode else {}


def _proxy_config(proxy: catalog.Proxy) -> dict[str, Any]:
    """The proxy's own settings under the keys of ``Proxy.Config``; what it does not set is left out."""
    return _given(
        bind_address=proxy.bind_address or None,
        bind_port=proxy.bind_port or None,
        protocol=proxy.protocol or None,
        local_connect_timeout_ms=_milliseconds(proxy.local_connect_timeout),
        local_request_timeout_ms=_milliseconds(proxy.local_request_timeout),
        local_idle_timeout_ms=_milliseconds(proxy.local_idle_timeout),
        max_inbound_connections=proxy.max_inbound_connections,
        max_request_headers_kb=proxy.max_request_headers_kb,
        balance_inbound_connections=proxy.balance_inbound_connections or None,
    )


def _upstream(upstream: catalog.Upstream) -> Upstream:
    settings = upstream.settings or catalog.UpstreamSettings()
    return Upstream(
        destination_type="service",
        destination_name=upstream.destination_name,
        local_bind_address=upstream.local_bind_address,
        local_bind_port=upstream.local_bind_port,
        mesh_gateway=_mesh_gateway(settings.mesh_gateway),
        config=_upstream_config(settings),
    )


def _upstream_config(settings: catalog.UpstreamSettings) -> dict[str, Any]:
    """How an upstream is called, under the keys of its ``Config``."""
    return _given(
        protocol=settings.protocol or None,
        connect_timeout_ms=_milliseconds(settings.connect_timeout or None),
        limits=_given(**dataclasses.asdict(settings.limits)) if settings.limits else None,
        passive_health_check=_passive_health_check(settings.passive_health_check),
        balance_outbound_connections=settings.balance_outbound_connections or None,
    )


def _passive_health_check(check: catalog.PassiveHealthCheck | None) -> dict[str, Any] | None:
    """Its durations are Go strings, as people write them there."""
    if check is None:
        return None
    return _given(
        interval=str(check.interval) if check.interval else None,
        max_failures=check.max_failures or None,
        enforcing_consecutive_5xx=check.enforcing_consecutive_5xx,
        max_ejection_percent=check.max_ejection_percent,
        base_ejection_time=str(check.base_ejection_time) if check.base_ejection_time else None,
    )


def _given(**settings: object) -> dict[str, Any]:
    """The settings that are set."""
    return {key: value for key, value in settings.items() if value is not None}


def _milliseconds(duration: Duration | None) -> int | None:
    return duration.nanoseconds // 1_000_000 if duration is not None else None
