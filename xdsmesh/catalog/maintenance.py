"""Maintenance: an instance, or the whole node, takes no traffic while somebody works on it."""

from xdsmesh.catalog.draft import Draft
from xdsmesh.catalog.keys import instance_key
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.model.checks import Check, CheckType, Health
from xdsmesh.model.errors import NotFoundError
from xdsmesh.model.origin import Origin


async def enter_maintenance(
    registrations: Registrations, service_id: str, reason: str, origin: Origin
) -> None:
    """Take an instance of this node, or with an empty id the node itself, out of the traffic.

    Raises:
        NotFoundError: there is no such instance.
    """
    check = _check(registrations.node.name, service_id, reason)

    async def decide(draft: Draft) -> None:
        await _expect_instance(draft, registrations, service_id)
        await registrations.write_check(draft, check)

    await registrations.commit(origin, decide)


async def leave_maintenance(registrations: Registrations, service_id: str, origin: Origin) -> None:
    """End what ``enter_maintenance`` began, if it did.

    Raises:
        NotFoundError: there is no such instance.
    """
    check = _check(registrations.node.name, service_id, "")

    async def decide(draft: Draft) -> None:
        await _expect_instance(draft, registrations, service_id)
        await registrations.delete_check(draft, check.node, check.id)

    await registrations.commit(origin, decide)


async def _expect_instance(draft: Draft, registrations: Registrations, service_id: str) -> None:
    if service_id and await draft.read(instance_key(registrations.node.name, service_id)) is None:
        raise NotFoundError(f'Unknown service ID "{service_id}"')


def _check(node: str, service_id: str, reason: str) -> Check:
    """The check that says that somebody works on an instance, or with an empty id on the node."""
    default = f"Maintenance mode is enabled for this {'service' if service_id else 'node'}"
    return Check(
        id=f"_service_maintenance:{service_id}" if service_id else "_node_maintenance",
        name=f"{'Service' if service_id else 'Node'} Maintenance Mode",
        status=Health.CRITICAL,
        notes=reason or f"{default}, but no reason was provided. This is a default message.",
        service_id=service_id,
        node=node,
        type=CheckType.MAINTENANCE,
    )
