"""The writes of the agent's checks by themselves: they come and go, and say something."""

from dataclasses import replace

from xdsmesh.catalog import codec
from xdsmesh.catalog.draft import Draft
from xdsmesh.catalog.keys import check_key, instance_key, status_key
from xdsmesh.catalog.registrations import Registrations
from xdsmesh.model.checks import Check, CheckStatus, CheckType
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import NotFoundError, Place, Problem, RefusedError
from xdsmesh.model.origin import PROBER, Origin


async def register_check(registrations: Registrations, check: Check, origin: Origin) -> None:
    """Register a check of this node, or of one of its instances.

    Raises:
        NotFoundError: the instance is not there.
        OwnershipError: a check with its id belongs to a file.
    """
    own = replace(check, node=registrations.node.name)

    async def decide(draft: Draft) -> None:
        if own.service_id and await draft.read(instance_key(own.node, own.service_id)) is None:
            raise NotFoundError(
                f'ServiceID "{own.service_id}" does not exist: register the service before its check'
            )
        await registrations.write_check(draft, own)

    await registrations.commit(origin, decide)


async def deregister_check(registrations: Registrations, check_id: str, origin: Origin) -> None:
    """Remove a check of this node.

    Raises:
        NotFoundError: there is no such check.
        OwnershipError: it belongs to a file, or to the server.
    """
    if not await registrations.remove_check(registrations.node.name, check_id, origin):
        raise _unknown_check(check_id)


async def beat(registrations: Registrations, check_id: str, status: CheckStatus) -> None:
    """Take what the owner of a TTL check says about it.

    Raises:
        NotFoundError: there is no such check.
        RefusedError: it is no TTL check.
    """

    async def decide(draft: Draft) -> None:
        record = await draft.read(check_key(registrations.node.name, check_id))
        if record is None:
            raise _unknown_check(check_id)
        check = codec.decode_check(record.value)
        if check.type is not CheckType.TTL:
            what = f'CheckID "{check_id}" does not have associated TTL'
            remedy = f"its status comes from a check of the type {check.type.value or 'that has none'}"
            raise RefusedError(Problem(Place(), what, remedy, code=Code.NOT_A_CHOICE))
        await registrations.write_status(draft, check, _shortened(status, check))

    await registrations.commit(PROBER, decide)


async def report(registrations: Registrations, check_id: str, status: CheckStatus) -> None:
    """Keep what a prober found out about a check of this node; nothing happens when that is gone.

    That a TTL has expired is not kept when its owner speaks before it is written.
    """
    own_key, revisions = status_key(registrations.node.name, check_id), set[int]()

    async def decide(draft: Draft) -> None:
        record = await draft.read(check_key(registrations.node.name, check_id))
        if record is None:
            return
        check, said = codec.decode_check(record.value), await draft.read(own_key)
        revisions.add(said.modified if said else 0)
        if check.type is not CheckType.TTL or len(revisions) == 1:
            await registrations.write_status(draft, check, status)

    await registrations.commit(PROBER, decide)


def _shortened(status: CheckStatus, check: Check) -> CheckStatus:
    """A status with as much output as its check wants to have kept."""
    if check.probe is None:
        return status
    kept = status.output.encode()[: check.probe.output_max_size]
    return replace(status, output=kept.decode(errors="ignore"))


def _unknown_check(check_id: str) -> NotFoundError:
    return NotFoundError(f'Unknown check ID "{check_id}"')
