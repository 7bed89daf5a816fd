"""This datacenter joins the mesh of another one, the primary, and is a secondary from then on."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from xdsmesh.ca.configuration import PRIMARY
from xdsmesh.ca.issuer import Issuer
from xdsmesh.catalog.codec import encode_federated
from xdsmesh.catalog.declare import bump
from xdsmesh.catalog.feed import Feed
from xdsmesh.catalog.keys import GATEWAYS, GUARD, MEMBERSHIP, TRUST, entry_key, remote_key
from xdsmesh.federation.candidate import Candidate, ask_to_join, for_itself
from xdsmesh.federation.join_token import JoinToken
from xdsmesh.federation.obstacles import check_entries, check_place, check_served, check_token, own_entries
from xdsmesh.federation.refusals import refused
from xdsmesh.federation.store_id import ORIGIN
from xdsmesh.model.errors import RefusedError
from xdsmesh.model.federation import Membership, RemoteGateway, RemoteGateways
from xdsmesh.store.base import Expect, Put, Record, Store, Txn

SYNC_SECONDS: Final = 30.0
"""How long the first news of the primary are waited for."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Joined:
    """What has been joined; and what is missing of what the primary has to tell, if anything is."""

    primary: str
    trust_domain: str
    missing: str

    @property
    def is_synced(self) -> bool:
        """Whether all came already."""
        return not self.missing


class Joiner:
    """Joins at most one mesh. What fails leaves nothing behind here.

    A secondary may join its primary again, for a new intermediate: after it was removed, or was away for so
    long that its own has expired.
    """

    def __init__(
        self,
        store: Store,
        feed: Feed,
        issuer: Issuer,
        candidate: Candidate,
        clock: Callable[[], datetime],
    ) -> None:
        """Join nothing yet."""
        self.link_error: Callable[[str], str] = lambda _primary: ""
        """Why the link to a datacenter is down; empty: it is not, or nothing is known."""
        self.is_served: Callable[[], bool] = lambda: True
        """Whether this server has a part in federation."""
        self.datacenter: Final = candidate.datacenter
        self.sync_seconds = SYNC_SECONDS
        self._store: Final = store
        self._feed: Final = feed
        self._issuer: Final = issuer
        self._candidate: Final = candidate
        self._clock: Final = clock
        self._turn: Final = asyncio.Lock()

    async def join(self, text: str, *, discard: bool) -> Joined:
        """Join with a token; ``discard`` deletes the config entries that the API has written here.

        Raises:
            RefusedError: it can't be; the text says why, and what to do.
        """
        async with self._turn:
            token = JoinToken.parse(text)
            check_token(token, self._clock())
            check_served(is_served=self.is_served())
            await self._feed.catch_up()
            view = self._feed.view
            check_place(view, token, self.datacenter, self._candidate.trust_domain)
            check_entries(view, token.primary, discard=discard)
            if view.remote.membership is None:
                self._check_settled()
            known = await self._store.get(remote_key(token.primary, GATEWAYS))
            await self._show_the_way(token)
            try:
                await self._become_secondary(token, discard=discard)
            except BaseException:
                await asyncio.shield(self._show_as_before(token.primary, known))
                raise
        log.info(
            "this datacenter has joined another one", primary=token.primary, trust_domain=token.trust_domain
        )
        return Joined(token.primary, token.trust_domain, await self._missing(token.primary))

    def _check_settled(self) -> None:
        if len(self._issuer.authority.roots) > 1:
            what = "a rotation of the root is under way here, and this datacenter is to get other roots"
            raise refused(what, "wait until it is done (`xdsmesh ca status`), or abort it")

    async def _show_the_way(self, token: JoinToken) -> None:
        """Tell our own mesh gateways where the primary's are: through them we reach it, if there are any."""
        theirs = (RemoteGateway("", address, port) for address, port in token.gateways)
        known = self._feed.view.remote.gateways.get(token.primary)
        value = encode_federated(RemoteGateways(tuple(theirs), known.value.revision if known else 0))
        await self._store.commit(Txn((Put(remote_key(token.primary, GATEWAYS), value),)), ORIGIN)
        await self._feed.catch_up()

    async def _show_as_before(self, primary: str, known: Record | None) -> None:
        key = remote_key(primary, GATEWAYS)
        undo = Txn((Put(key, known.value, known.origin),)) if known else Txn(deletes=(key,))
        await self._store.commit(undo, ORIGIN)

    async def _become_secondary(self, token: JoinToken, *, discard: bool) -> None:
        granted = await ask_to_join(self._feed, self._candidate, token)
        async with self._issuer.changing:
            guard = await self._store.get(GUARD)
            unchanged = Expect(GUARD, guard.modified if guard else 0)
            await self._feed.catch_up()
            entries = tuple(entry_key(*key) for key in own_entries(self._feed.view))
            if entries and not discard:
                raise self._meanwhile(token.primary)
            record = await self._store.get(MEMBERSHIP)
            unjoined = Expect(MEMBERSHIP, record.modified if record else 0)
            configuration = replace(
                self._issuer.configuration,
                provider=PRIMARY,
                primary=token.primary,
                kind=granted.authority.active.kind,
                vault=None,
            )
            membership = Membership(token.primary, self._clock())
            puts = (
                Put(MEMBERSHIP, encode_federated(membership)),
                Put(remote_key(token.primary, TRUST), granted.trust),
                bump(unchanged),
            )
            also = Txn(puts, entries, (unchanged, unjoined))
            if not await self._issuer.adopt(granted.authority, configuration, also):
                raise self._meanwhile(token.primary)

    def _meanwhile(self, primary: str) -> RefusedError:
        what = f"config entries were written here while {self.datacenter} joined {primary}"
        return refused(what, f"see what they are, and join again: {for_itself(self.datacenter, primary)}")

    async def _missing(self, primary: str) -> str:
        """Wait for the first news of the primary; what hinders them, if they don't come in time."""
        feed = self._feed
        try:
            async with asyncio.timeout(self.sync_seconds):
                while primary not in feed.view.remote.cursors:
                    await feed.reach(feed.revision + 1)
        except TimeoutError:
            return self.link_error(primary) or f"{primary} has not told all yet"
        return ""
