"""Leaves for whoever asks by a service's name: the same one until it is due for renewal."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import uuid4

from cryptography import x509

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.keeper import RENEWAL_WINDOW, change_window
from xdsmesh.ca.stored import ORIGIN
from xdsmesh.model.trust import Leaf, service_spiffe_id
from xdsmesh.store.base import Conflict, Put, Store, Txn

ISSUED_KEY: Final = "ca/issued"
"""Every leaf that is handed out writes this key, to have a revision of the store for its own."""

_KEEP: Final = 10_000
"""How many services' leaves are kept; of more, those that were asked for longest ago are forgotten."""


@dataclass(frozen=True, slots=True)
class IssuedLeaf:
    """A leaf, its number, the revision of the store at which it was made, and when the next one is to be."""

    leaf: Leaf
    serial_number: int
    revision: int
    due: datetime


class Leaves:
    """Issues leaves and remembers them, keys included: they are in memory only."""

    def __init__(
        self,
        issuer: Issuer,
        store: Store,
        datacenter: str,
        clock: Callable[[], datetime],
        pick: Callable[[float, float], float],
    ) -> None:
        """Make a memory of leaves that is empty.

        Args:
            issuer: makes the leaves.
            store: tells how leaves follow one another, also over a restart.
            datacenter: the one of the services.
            clock: tells the time, with its time zone.
            pick: draws a number between two, such as ``random.uniform``.
        """
        self.issuer: Final = issuer
        self._store = store
        self._datacenter = datacenter
        self._clock = clock
        self._pick = pick
        self._issued: OrderedDict[str, IssuedLeaf] = OrderedDict()

    async def get(self, service: str) -> tuple[IssuedLeaf, bool]:
        """The leaf of a service, and whether it was there already.

        Raises:
            ValueError: none can be issued: the name has strange letters, or the root has expired.
        """
        if issued := self._known(service):
            return issued, True
        revision = await self._next_revision()
        if issued := self._known(service):  # somebody was faster
            return issued, True
        made = await self._issue(service, revision)
        if issued := self._known(service):  # again
            return issued, True
        issued = self._issued[service] = made
        if len(self._issued) > _KEEP:
            self._issued.popitem(last=False)
        return issued, False

    def seconds_left(self, service: str, revision: int) -> float:
        """How long the leaf of a revision is a service's latest one; 0 when there is or must be another."""
        issued = self._issued.get(service)
        if issued is None or issued.revision > revision:
            return 0
        return max(0.0, (issued.due - self._clock()).total_seconds())

    def renew_soon(self) -> None:
        """Let every leaf be due soon that is not of the intermediate which signs now."""
        now, intermediate = self._clock(), self.issuer.authority.intermediate
        stale = {name: it for name, it in self._issued.items() if not intermediate.stands_in(it.leaf)}
        for service, issued in stale.items():
            due = now + change_window(len(stale)) * self._pick(0, 1)
            self._issued[service] = replace(issued, due=min(issued.due, due))

    def _known(self, service: str) -> IssuedLeaf | None:
        issued = self._issued.get(service)
        if issued is None or issued.due <= self._clock():
            return None
        self._issued.move_to_end(service)
        return issued

    async def _next_revision(self) -> int:
        revision = await self._store.commit(Txn((Put(ISSUED_KEY, uuid4().hex.encode()),)), ORIGIN)
        if isinstance(revision, Conflict):
            raise TypeError("nothing was expected of the store, and yet it conflicts")
        return revision

    async def _issue(self, service: str, revision: int) -> IssuedLeaf:
        trust_domain = self.issuer.authority.trust_domain
        leaf = await self.issuer.leaf(service_spiffe_id(trust_domain, self._datacenter, service))
        now = self._clock()
        due = now + (leaf.not_after - now) * self._pick(*RENEWAL_WINDOW)
        serial = x509.load_pem_x509_certificate(leaf.chain_pem.encode()).serial_number
        return IssuedLeaf(leaf, serial, revision, due)
