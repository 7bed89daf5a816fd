"""The store's revisions as batches of facts: one way in, whoever wrote."""

from collections.abc import AsyncIterator, Iterable

import structlog

from xdsmesh.catalog.codec import fact
from xdsmesh.model.facts import Batch, Fact, FactKey
from xdsmesh.store.base import Change, CompactedError, Store

log = structlog.get_logger(__name__)


async def batches(store: Store) -> AsyncIterator[Batch]:
    """All facts of the catalog, and then every change. Ends when the store is closed.

    When the store no longer keeps the changes since the last batch, the next one is the difference
    between what was told and what holds now.
    """
    told: set[FactKey] = set()
    while True:
        revision, records = await store.list("")
        facts = _facts(Change(record.key, record) for record in records)
        gone = told - {each.key for each in facts}
        told = {each.key for each in facts}
        yield Batch(revision, (*facts, *(Fact(key, None) for key in sorted(gone))))
        try:
            async for change in store.watch("", revision):
                changed = _facts(change.changes)
                told |= {each.key for each in changed if each.value is not None}
                told -= {each.key for each in changed if each.value is None}
                yield Batch(change.number, changed)
        except CompactedError as error:
            log.warning("store was compacted: listing again", reason=str(error))
            continue
        return


def _facts(changes: Iterable[Change]) -> tuple[Fact, ...]:
    return tuple(each for each in map(fact, changes) if each is not None)
