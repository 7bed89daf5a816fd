"""What an earlier release, or this server under another node name, has stored: brought to where it is now.

Before format 2 an instance had its node and its checks in it, under ``instance/<id>``.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from xdsmesh.catalog import codec, keys
from xdsmesh.catalog.announce import ALIVE, ANNOUNCER, SERVICE
from xdsmesh.model.catalog import Instance
from xdsmesh.model.checks import Check, CheckStatus
from xdsmesh.model.origin import PROBER, Origin, Source
from xdsmesh.store.base import Expect, Put, Record, Store, Txn

_OLD_INSTANCES: Final = "instance/"


async def upgrade(store: Store, node: str) -> None:
    """Bring the catalog to this release, and to the name that the server's own node has now.

    It is for the start of a server, before anybody else writes.
    """
    _, records = await store.list("")
    former = {
        keys.node_name(record.key)
        for record in records
        if record.key.startswith(keys.NODES) and record.origin.source is Source.SERVER
    } - {node}
    moved = [record for record in records if _is_moved(record, former)]
    puts = {put.key: put for record in moved for put in _moved(record, node)}
    gone = tuple(record.key for record in moved if record.key not in puts)
    expects = tuple(Expect(record.key, record.modified) for record in moved)
    if moved:
        await store.commit(Txn(tuple(puts.values()), gone, expects), ANNOUNCER)


def _is_moved(record: Record, former: Collection[str]) -> bool:
    prefix, _, rest = record.key.partition("/")
    if f"{prefix}/" in (keys.NODES, keys.INSTANCES, keys.CHECKS, keys.STATUSES):
        return rest.partition("/")[0] in former
    return record.key.startswith(_OLD_INSTANCES)


def _moved(record: Record, node: str) -> Iterator[Put]:
    """What becomes of a record: what the server says of itself it will say again."""
    if record.key.startswith(_OLD_INSTANCES):
        yield from _divided(codec.decode_instance(record.value), record.origin, node)
    elif record.key.startswith(keys.INSTANCES):
        instance = codec.decode_instance(record.value)
        if instance.id != SERVICE or record.origin.source is not Source.SERVER:
            yield _instance(instance, record.origin, node)
    elif record.key.startswith(keys.CHECKS):
        check = codec.decode_check(record.value)
        if check.id != ALIVE:
            yield _check(replace(check, node=node), record.origin)
    elif record.key.startswith(keys.STATUSES):
        _, check_id = keys.check_id(record.key)
        if check_id != ALIVE:
            yield Put(keys.status_key(node, check_id), record.value, PROBER)


def _divided(instance: Instance, origin: Origin, node: str) -> Iterator[Put]:
    yield _instance(instance, origin, node)
    for each in instance.checks:
        check = replace(each, node=node, service_id=instance.id)
        yield _check(check, origin)
        said = CheckStatus(check.status, check.output)
        yield Put(keys.status_key(node, check.id), codec.encode_status(said), PROBER)


def _instance(instance: Instance, origin: Origin, node: str) -> Put:
    placed = replace(instance, node=replace(instance.node, name=node))
    return Put(keys.instance_key(node, instance.id), codec.encode_instance(placed), origin)


def _check(check: Check, origin: Origin) -> Put:
    return Put(keys.check_key(check.node, check.id), codec.encode_check(check), origin)
