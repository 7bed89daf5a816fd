"""What a datacenter tells whoever follows it: the shared records of its store, from a revision on."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import Final

from xdsmesh import __version__
from xdsmesh.catalog import keys
from xdsmesh.federation.store_id import store_id
from xdsmesh.federation.v1.federation_pb2 import Alive, FollowResponse, Hello, Record, Records, Start
from xdsmesh.federation.wire import ALIVE_SECONDS, FORMAT
from xdsmesh.store.base import Change, CompactedError, Store

_CHUNK_BYTES: Final = 1024 * 1024
_OF_EACH: Final = (keys.SERVICE, keys.GATEWAYS, keys.SERVER)
_OF_PRIMARY: Final = (keys.TRUST, keys.MEMBER)


def told_key(key: str, *, primary: bool) -> str | None:
    """The key under which others hear of a record; None: it is not for them.

    A secondary tells what it has itself, and nothing of what it knows from the primary. The primary also
    tells the way to each other one: two secondaries would never find one another.
    """
    if primary and key.startswith(keys.ENTRIES):
        return key
    if primary and key.startswith(keys.REMOTE):
        datacenter, what = keys.remote_pair(key)
        return f"{keys.WAY}{datacenter}" if what == keys.GATEWAYS else None
    if not key.startswith(keys.SHARED):
        return None
    told = key.removeprefix(keys.SHARED)
    return told if told.startswith((*_OF_EACH, *(_OF_PRIMARY if primary else ()))) else None


async def publish(
    store: Store, datacenter: str, start: Start, *, primary: bool
) -> AsyncGenerator[FollowResponse]:
    """All responses of a stream that begins so; it ends when the store is closed."""
    own = await store_id(store)
    yield FollowResponse(hello=Hello(datacenter=datacenter, store=own.id, version=__version__, format=FORMAT))
    is_known = own.has(start.store, start.after, await _latest(store))
    after = start.after if is_known else None
    while True:
        if after is None:
            after, records = await store.list("")
            yield FollowResponse(alive=Alive(revision=after))
            everything = (Change(record.key, record) for record in records)
            for message in _messages(after, everything, primary=primary, whole=True):
                yield message
        try:
            async for message in _changes(store, after, primary=primary):
                yield message
        except CompactedError:
            after = None
            continue
        return


async def _changes(store: Store, after: int, *, primary: bool) -> AsyncGenerator[FollowResponse]:
    """Each change after a revision, and a sign of life every second.

    Raises:
        CompactedError: what comes next is no longer kept.
    """
    now = asyncio.get_running_loop().time
    revisions = store.watch("", after)
    coming = asyncio.ensure_future(anext(revisions, None))
    due = now()
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=max(due - now(), 0))
            if done:
                revision = coming.result()
                if revision is None:
                    return
                after = revision.number
                coming = asyncio.ensure_future(anext(revisions, None))
                for message in _messages(after, revision.changes, primary=primary):
                    yield message
            if now() >= due:
                due = now() + ALIVE_SECONDS
                yield FollowResponse(records=Records(revision=after))  # what was not for others is seen, too
                yield FollowResponse(alive=Alive(revision=await _latest(store)))
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


async def _latest(store: Store) -> int:
    revision, _ = await store.list(keys.STORE_ID)
    return revision


def _messages(
    revision: int, changes: Iterable[Change], *, primary: bool, whole: bool = False
) -> Iterator[FollowResponse]:
    """The changes of a revision that are for others, in messages of bounded size; none if there are none."""
    chunk: list[Record] = []
    size = 0
    for record in _told(changes, primary=primary):
        if size > _CHUNK_BYTES:
            yield FollowResponse(records=Records(revision=revision, whole=whole, more=True, changes=chunk))
            chunk, size = [], 0
        chunk.append(record)
        size += len(record.key) + len(record.value)
    if chunk or whole:
        yield FollowResponse(records=Records(revision=revision, whole=whole, changes=chunk))


def _told(changes: Iterable[Change], *, primary: bool) -> Iterator[Record]:
    for change in changes:
        key = told_key(change.key, primary=primary)
        if key is not None:
            yield Record(key=key, value=change.record.value if change.record else None)
