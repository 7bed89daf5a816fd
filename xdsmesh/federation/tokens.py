"""Join tokens at the primary: each is made once, works once, and is forgotten when it has expired."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import msgspec

from xdsmesh.ca.issuer import Issuer
from xdsmesh.catalog.keys import join_token_key
from xdsmesh.federation.join_token import JoinToken, join_spiffe_id
from xdsmesh.federation.obstacles import check_served
from xdsmesh.federation.refusals import refused
from xdsmesh.model.federation import RemoteGateways
from xdsmesh.model.origin import Origin
from xdsmesh.settings import is_datacenter_name
from xdsmesh.store.base import Put, Record, Store, Txn

_TOKENS: Final = join_token_key("")


@dataclass(frozen=True, slots=True)
class OpenToken:
    """A token that nobody has used yet, as the store has it; without a name it is for any datacenter."""

    datacenter: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token just made, with its id and its end: ``text`` is a secret, and nowhere else."""

    id: str
    text: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"MadeToken({self.id!r})"


class JoinTokens:
    """Makes tokens, and finds those that are open."""

    def __init__(
        self,
        store: Store,
        issuer: Issuer,
        datacenter: str,
        gateways: Callable[[], RemoteGateways],
        clock: Callable[[], datetime],
    ) -> None:
        """Make none yet; ``gateways`` gives the mesh gateways of this datacenter."""
        self.is_served: Callable[[], bool] = lambda: True
        """Whether this server has a part in federation."""
        self._store: Final = store
        self._issuer: Final = issuer
        self._datacenter: Final = datacenter
        self._gateways: Final = gateways
        self._clock: Final = clock

    async def make(self, datacenter: str, lifetime: timedelta, origin: Origin) -> MadeToken:
        """Make a token for a datacenter, or with an empty name for any.

        Raises:
            RefusedError: this is not the primary, or no mesh gateway leads here; or the name is our own.
        """
        self._check(datacenter)
        issuer, token_id = self._issuer, str(uuid4())
        leaf = await issuer.leaf(join_spiffe_id(issuer.authority.trust_domain, token_id), lifetime)
        gateways = sorted(self._gateways().gateways, key=lambda each: not each.healthy)
        token = JoinToken(
            primary=self._datacenter,
            trust_domain=issuer.authority.trust_domain,
            roots_pem=issuer.bundle.roots_pem,
            chain_pem=leaf.chain_pem,
            key_pem=leaf.key_pem,
            gateways=tuple((each.address, each.port) for each in gateways),
        )
        open_token = OpenToken(datacenter, leaf.not_after)
        put = Put(join_token_key(token_id), msgspec.json.encode(open_token))
        await self._store.commit(Txn((put,), await self._expired()), origin)
        return MadeToken(token_id, token.text, leaf.not_after)

    async def find(self, token_id: str) -> tuple[Record, OpenToken] | None:
        """A token that works now, by its id."""
        record = await self._store.get(join_token_key(token_id))
        if record is None or (found := _decode(record)).expires_at <= self._clock():
            return None
        return record, found

    def _check(self, datacenter: str) -> None:
        if primary := self._issuer.configuration.primary:
            what = f"{self._datacenter} has joined {primary} itself, and lets nobody join"
            raise refused(what, f"make the token at {primary}, the primary datacenter of the mesh")
        check_served(is_served=self.is_served())
        if datacenter and not is_datacenter_name(datacenter):
            what = f"{datacenter!r} is no name of a datacenter"
            raise refused(what, "use lower-case letters, digits and dashes: a name such as dc2")
        if datacenter == self._datacenter:
            what = f"{datacenter} is the name of this datacenter, and each has a name of its own"
            raise refused(what, "name the one that is to join: what its server has as --datacenter")
        if not self._gateways().gateways:
            what = "no mesh gateway is registered here, and others reach this datacenter through one only"
            remedy = (
                "start one with an address that they reach: `xdsmesh envoy --gateway mesh --register ...`"
            )
            raise refused(what, remedy)

    async def _expired(self) -> tuple[str, ...]:
        _, records = await self._store.list(_TOKENS)
        return tuple(record.key for record in records if _decode(record).expires_at <= self._clock())


def _decode(record: Record) -> OpenToken:
    return msgspec.json.decode(record.value, type=OpenToken)
