"""What the primary tells others of its roots, kept as these are."""

import asyncio
from typing import Final

import structlog

from xdsmesh.ca import common_trust
from xdsmesh.ca.issuer import Issuer
from xdsmesh.catalog.codec import encode_federated
from xdsmesh.catalog.keys import TRUST, shared_key
from xdsmesh.federation.store_id import ORIGIN
from xdsmesh.store.base import CommitFailedError, Expect, Put, Store, Txn

_RETRY_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class SharedTrust:
    """Writes the trust of the mesh anew whenever it changes, once anybody has joined. ``run`` must run."""

    def __init__(self, store: Store, issuer: Issuer) -> None:
        self._store: Final = store
        self._issuer: Final = issuer
        self._news: Final = asyncio.Event()
        self._news.set()
        issuer.listen(self._news.set)

    async def run(self) -> None:
        """Keep it until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._write()
            except CommitFailedError as error:
                log.warning("the others can't be told of the roots yet; trying again", error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
                self._news.set()

    async def _write(self) -> None:
        """The record is made when the first datacenter joins, and goes with the last: never here."""
        key = shared_key(TRUST)
        if record := await self._store.get(key):
            put = Put(key, encode_federated(common_trust.told(self._issuer.authority)))
            await self._store.commit(Txn((put,), expects=(Expect(key, record.modified),)), ORIGIN)
