"""Registrations with the catalog: what somebody else watches over, on nodes of any name."""

from dataclasses import replace

from xdsmesh.catalog import codec
from xdsmesh.catalog.draft import Draft
from xdsmesh.catalog.keys import check_key, instance_key, node_key
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.config.registration import CatalogDeregistration, CatalogRegistration
from xdsmesh.model.catalog import Node
from xdsmesh.model.checks import Check, CheckStatus
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.model.origin import Origin, Source


async def register_external(
    registrations: Registrations, registration: CatalogRegistration, origin: Origin
) -> None:
    """Register a node and what the registration has on it, together.

    Raises:
        RefusedError: another datacenter is meant, a node is not there that is not to be written, a check is
            of no service, or the id of a proxy is taken.
        OwnershipError: it belongs to a file, or to the server.
    """
    _check_datacenter(registration.datacenter, registrations)
    await registrations.feed.catch_up()
    stored = registrations.view.node(registration.node)
    registration = registration.on(stored.value.name) if stored else registration

    async def decide(draft: Draft) -> None:
        node = await _node(draft, registration, registrations.node.datacenter)
        instance = registration.instance(node)
        if instance:
            await registrations.write_instance(draft, instance)
        for check in registration.all_checks():
            await _write_check(registrations, draft, check)

    await registrations.commit(origin, decide)


async def deregister_external(
    registrations: Registrations, deregistration: CatalogDeregistration, origin: Origin
) -> None:
    """Remove a node with all that is on it, or one service or check of it; nothing happens if it is absent.

    Raises:
        RefusedError: another datacenter is meant.
        OwnershipError: it belongs to a file, or to the server.
    """
    _check_datacenter(deregistration.datacenter, registrations)
    known = deregistration.node
    await registrations.feed.catch_up()
    stored = registrations.view.node(known)
    node = stored.value.name if stored else known
    if deregistration.service_id:
        await registrations.remove(node, deregistration.service_id, origin)
    elif deregistration.check_id:
        await registrations.remove_check(node, deregistration.check_id, origin)
    else:
        await _remove_node(registrations, node, origin)


async def _node(draft: Draft, registration: CatalogRegistration, datacenter: str) -> Node:
    """The node as it is after the transaction, which writes it unless it is not to be updated."""
    key = node_key(registration.node)
    record = await draft.read(key)
    known = codec.decode_node(record.value) if record else None
    if registration.skip_node_update and known:
        return known
    if registration.skip_node_update and not registration.address:
        what = f"there is no node {registration.node} whose update could be skipped"
        remedy = "register it first, or add its Address"
        raise RefusedError(Problem(Place(path="Node"), what, remedy, code=Code.REQUIRED))
    node = registration.as_node(datacenter)
    if known and not node.id:
        node = replace(node, id=known.id)
    if record and record.origin.source is Source.SERVER and known and known.address == node.address:
        return known  # it is this server, which says of its node all that there is to say
    await draft.put(key, codec.encode_node(node), f"node {node.name}")
    return node


async def _write_check(registrations: Registrations, draft: Draft, check: Check) -> None:
    """Unlike a check that the server makes, this one says what the registration says."""
    if check.service_id and await draft.read(instance_key(check.node, check.service_id)) is None:
        in_draft = draft.writes(instance_key(check.node, check.service_id))
        if not in_draft:
            what = f"Unknown service ID {check.service_id!r} for check ID {check.id!r}"
            remedy = "register the service first, or with its check"
            raise RefusedError(Problem(Place(path="Checks"), what, remedy, code=Code.NEEDS_ANOTHER))
    await draft.put(check_key(check.node, check.id), codec.encode_check(check), f"check {check.id}")
    await registrations.write_status(draft, check, CheckStatus(check.status, check.output))


async def _remove_node(registrations: Registrations, node: str, origin: Origin) -> None:
    view = registrations.view

    async def decide(draft: Draft) -> None:
        await draft.delete(node_key(node), f"node {node}")
        for instance in view.instances_on(node):
            await registrations.delete_instance(draft, node, instance.value.id)
        for check in view.checks_of(node):
            await registrations.delete_check(draft, node, check.value.id)

    await registrations.commit(origin, decide)


def _check_datacenter(named: str, registrations: Registrations) -> None:
    own = registrations.node.datacenter
    if named not in ("", own):
        what = f"a registration for datacenter {named!r} is made at its own control plane"
        remedy = f"this is the one of {own!r}: send it to the other one"
        raise RefusedError(Problem(Place(path="Datacenter"), what, remedy, code=Code.NOT_A_CHOICE))
