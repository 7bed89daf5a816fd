"""The catalog's values in the shapes of the HTTP API. A ``proxy`` is how an instance's own is to be shown."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from xdsmesh.api.encode_proxy import NO_PROXY, encode_proxy
from xdsmesh.api.shapes import (
    AgentService,
    CatalogNode,
    HealthCheck,
    HealthRow,
    Locality,
    NodeService,
    Proxy,
    ServiceAddress,
    ServiceNode,
    Weights,
)
from xdsmesh.catalog.stored import Stored
from xdsmesh.config import codec
from xdsmesh.config.entry import Entry
from xdsmesh.config.kinds.mesh import Mesh
from xdsmesh.model import catalog
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.checks import Check, CheckType, Probe, worst
from xdsmesh.model.duration import Duration

_HASH_DIGITS: Final = 16
_NONE: Final = Duration()


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


def agent_service(instance: Instance, proxy: Proxy | None = None) -> AgentService:
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
        enable_tag_override=instance.enable_tag_override,
        tagged_addresses=_service_addresses(instance),
        locality=_locality(instance.locality),
        proxy=proxy or (encode_proxy(instance.proxy) if instance.proxy else None),
        connect=_connect(instance) or None,
        datacenter=instance.node.datacenter,
    )
    digest = hashlib.sha256(msgspec.json.encode(service, order="deterministic")).hexdigest()
    return msgspec.structs.replace(service, content_hash=digest[:_HASH_DIGITS])


def catalog_node(stored: Stored[Node]) -> CatalogNode:
    """A node."""
    node = stored.value
    return CatalogNode(
        id=node.id,
        node=node.name,
        address=node.address,
        datacenter=node.datacenter,
        tagged_addresses=dict(node.shown_addresses),
        meta=dict(node.meta),
        create_index=stored.created,
        modify_index=stored.modified,
        locality=_locality(node.locality),
    )


def service_node(stored: Stored[Instance], proxy: Proxy | None = None) -> ServiceNode:
    """An instance and its node, flat."""
    instance, node = stored.value, stored.value.node
    return ServiceNode(
        id=node.id,
        node=node.name,
        address=node.address,
        datacenter=node.datacenter,
        tagged_addresses=dict(node.shown_addresses),
        node_meta=dict(node.meta),
        service_kind=instance.kind.value,
        service_id=instance.id,
        service_name=instance.service,
        service_tags=list(instance.tags),
        service_address=instance.address,
        service_weights=_weights(instance),
        service_meta=dict(instance.meta),
        service_port=instance.port,
        service_ports=None,
        service_socket_path="",
        service_enable_tag_override=instance.enable_tag_override,
        service_proxy=proxy or (encode_proxy(instance.proxy) if instance.proxy else NO_PROXY),
        service_connect=_connect(instance),
        service_tagged_addresses=_service_addresses(instance),
        service_locality=_locality(instance.locality),
        create_index=stored.created,
        modify_index=stored.modified,
    )


def node_service(stored: Stored[Instance], proxy: Proxy | None = None) -> NodeService:
    """An instance, to stand beside its node."""
    instance = stored.value
    return NodeService(
        kind=instance.kind.value,
        id=instance.id,
        service=instance.service,
        tags=list(instance.tags),
        address=instance.address,
        meta=dict(instance.meta),
        port=instance.port,
        weights=_weights(instance),
        enable_tag_override=instance.enable_tag_override,
        proxy=proxy or (encode_proxy(instance.proxy) if instance.proxy else NO_PROXY),
        connect=_connect(instance),
        peer_name="",
        tagged_addresses=_service_addresses(instance),
        locality=_locality(instance.locality),
        create_index=stored.created,
        modify_index=stored.modified,
    )


def health_row(
    stored: Stored[Instance],
    node: Stored[Node],
    checks: Iterable[Stored[Check]],
    proxy: Proxy | None = None,
) -> HealthRow:
    """An instance with its node and the checks that decide about it."""
    return HealthRow(
        node=catalog_node(node),
        service=node_service(stored, proxy),
        checks=[health_check(each, stored.value) for each in checks],
    )


def health_check(stored: Stored[Check], instance: Instance | None) -> HealthCheck:
    """A check, and the instance that it is of; None for one of a node."""
    check = stored.value
    is_of_service = bool(check.service_id) and instance is not None
    return HealthCheck(
        node=check.node,
        check_id=check.id,
        name=check.name,
        status=check.status.value,
        notes=check.notes,
        output=check.output,
        service_id=check.service_id,
        service_name=instance.service if is_of_service and instance else "",
        service_tags=list(instance.tags) if is_of_service and instance else [],
        type=check.type.value,
        interval=_span(check, lambda probe: probe.interval),
        timeout=_span(check, lambda probe: probe.timeout),
        exposed_port=0,
        definition=dict(check.definition),
        create_index=stored.created,
        modify_index=stored.modified,
    )


def aggregated_status(checks: Iterable[Check]) -> str:
    """The worst of some checks, as Consul aggregates them: maintenance is the worst of all."""
    found = list(checks)
    if any(check.type is CheckType.MAINTENANCE for check in found):
        return CheckType.MAINTENANCE.value
    return worst(found).value


def _span(check: Check, of: Callable[[Probe], Duration]) -> str:
    """A duration of a check's probe; empty when it has none."""
    span = of(check.probe) if check.probe else _NONE
    return str(span) if span else ""


def _weights(instance: Instance) -> Weights:
    return Weights(passing=instance.weights.passing, warning=instance.weights.warning)


def _connect(instance: Instance) -> dict[str, bool]:
    return {"Native": True} if instance.native else {}


def _locality(locality: catalog.Locality | None) -> Locality | None:
    return Locality(region=locality.region, zone=locality.zone) if locality else None


def _service_addresses(instance: Instance) -> dict[str, ServiceAddress] | None:
    return {
        name: ServiceAddress(address=each.address, port=each.port or instance.port)
        for name, each in instance.tagged_addresses.items()
    } or None
