"""How far another datacenter was followed: in memory with each message, in the store with each change."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from xdsmesh.catalog import codec, keys
from xdsmesh.catalog.feed import Feed
from xdsmesh.federation.applying import Told, apply, origin_of
from xdsmesh.federation.members import primary_of
from xdsmesh.federation.status import LinkStatus
from xdsmesh.federation.v1.federation_pb2 import FollowResponse, Records, Start
from xdsmesh.federation.wire import FORMAT
from xdsmesh.model.federation import Cursor
from xdsmesh.store.base import CommitFailedError, Put, Store, Txn

_KEEP_EVERY: Final = timedelta(minutes=1)
"""A cursor that alone has moved is stored so often: each datacenter would else make the other one write."""

log = structlog.get_logger(__name__)


class Progress:
    """Takes in what one datacenter tells the ``own`` one."""

    def __init__(
        self, datacenter: str, own: str, store: Store, feed: Feed, clock: Callable[[], datetime]
    ) -> None:
        self.is_behind = True
        """Whether something is missing, as far as was heard."""
        self._datacenter: Final = datacenter
        self._own: Final = own
        self._store: Final = store
        self._feed: Final = feed
        self._clock: Final = clock
        known = feed.view.remote.cursors.get(datacenter)
        self._cursor = self._kept = known.value if known else None
        self._latest = self._cursor.revision if self._cursor else 0
        self._behind_since: datetime | None = None
        self._gathered: dict[str, bytes | None] = {}

    def start(self) -> Start:
        """From where to go on."""
        self._gathered = {}
        if self._cursor is None:
            return Start(format=FORMAT)
        return Start(store=self._cursor.store, after=self._cursor.revision, format=FORMAT)

    def shown(self, status: LinkStatus) -> LinkStatus:
        """A status with how far we are."""
        return replace(
            status,
            heard_at=self._cursor.heard_at if self._cursor else None,
            revision=self._cursor.revision if self._cursor else 0,
            remote_revision=self._latest,
            behind_since=self._behind_since,
        )

    async def take(self, response: FollowResponse, store_id: str) -> None:
        """Take in a message about the store of that id.

        Raises:
            UnreadableError, CommitFailedError: see `apply`.
        """
        now = self._clock()
        if response.HasField("records"):
            self._latest = max(self._latest, response.records.revision)
            await self._take_records(response.records, Cursor(store_id, response.records.revision, now))
        elif self._cursor and self._cursor.store == store_id:
            self._latest = response.alive.revision
            self._cursor = replace(self._cursor, heard_at=now)
        cursor = self._cursor
        self.is_behind = cursor is None or cursor.store != store_id or cursor.revision < self._latest
        self._behind_since = (self._behind_since or now) if self.is_behind else None
        if self._cursor and (self._kept is None or self._cursor.heard_at - self._kept.heard_at > _KEEP_EVERY):
            await self.keep()

    async def keep(self) -> None:
        """Store how far we are, also for after a restart."""
        if self._cursor is None or self._cursor == self._kept:
            return
        key = keys.remote_key(self._datacenter, keys.CURSOR)
        put = Put(key, codec.encode_federated(self._cursor))
        try:
            await self._store.commit(Txn((put,)), origin_of(self._datacenter))
        except CommitFailedError as error:
            log.warning(
                "how far it was followed can't be stored", datacenter=self._datacenter, error=str(error)
            )
            return
        self._kept = self._cursor

    async def _take_records(self, records: Records, cursor: Cursor) -> None:
        for change in records.changes:
            self._gathered[change.key] = change.value if change.HasField("value") else None
        if records.more:
            return
        gathered, self._gathered = self._gathered, {}
        if gathered or records.whole:
            primary = primary_of(self._feed.view.remote) == self._datacenter
            told = Told(self._datacenter, gathered, cursor, self._own, primary, records.whole)
            await apply(self._store, told)
            self._kept = cursor
        self._cursor = cursor
        if records.whole:
            self._latest = cursor.revision
