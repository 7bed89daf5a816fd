"""The links of this datacenter: one to each other member, which come and go with the members."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import structlog

from xdsmesh.ca.server_certificate import ServerCertificate
from xdsmesh.catalog import keys
from xdsmesh.catalog.feed import Feed
from xdsmesh.catalog.repository import Repository
from xdsmesh.federation.client import FederationClient, make_channel
from xdsmesh.federation.credentials import client_credentials
from xdsmesh.federation.errors import NoRouteError, UnreachableError
from xdsmesh.federation.following import Around, Follower
from xdsmesh.federation.members import is_about_members, others
from xdsmesh.federation.routes import is_about_gateways, routes
from xdsmesh.federation.status import LinkState, LinkStatus
from xdsmesh.federation.store_id import ORIGIN
from xdsmesh.federation.v1.federation_pb2 import Report
from xdsmesh.model.facts import Batch
from xdsmesh.model.trust import TrustBundle
from xdsmesh.store.base import CommitFailedError, Txn

log = structlog.get_logger(__name__)


class Links:
    """Follows all other members. ``run`` must run, and ``take`` hear the feed; ``prove_by`` lets it begin.

    ``came_up`` hears of each datacenter to which the link is up again.
    ``own_gateways`` and ``trust_report`` are what others are told in reports: the record of our gateways, and
    as JSON, to the datacenter that is given, how far we follow its trust.
    """

    def __init__(
        self,
        repository: Repository,
        feed: Feed,
        bundle: Callable[[], TrustBundle],
        clock: Callable[[], datetime],
        pick: Callable[[float, float], float],
    ) -> None:
        self.own_gateways: Callable[[], bytes] = bytes
        self.trust_report: Callable[[str], bytes] = lambda _datacenter: b""
        self.off = "this server has no part in federation: start it with --federation-addr"
        """Why nobody is dialled, while there is no certificate to prove ourselves by."""
        self.came_up: Callable[[str], object] = lambda _datacenter: None
        self._store: Final = repository.store
        self._feed: Final = feed
        self._datacenter: Final = repository.datacenter
        self._bundle: Final = bundle
        self._certificate: ServerCertificate | None = None
        self._around: Final = Around(
            repository.datacenter,
            repository.store,
            feed,
            clock,
            pick,
            self._dial,
            self._report,
            self._came_up,
        )
        self._since: Final = clock()
        self._followers: dict[str, Follower] = {}
        self._members_moved: Final = asyncio.Event()

    def prove_by(self, certificate: ServerCertificate) -> None:
        """Dial others with this certificate; without one nobody is."""
        self._certificate = certificate
        certificate.listen(lambda _leaf: self.connect_anew())
        self._members_moved.set()

    def connect_anew(self) -> None:
        """Use what we prove ourselves with now, and believe whom we believe now, on all links."""
        for follower in self._followers.values():
            follower.connect_anew()

    def try_again(self, datacenter: str) -> None:
        """Dial a datacenter at once if there is no link to it: it has been heard of by another way."""
        if follower := self._followers.get(datacenter):
            follower.try_again()

    def report(self) -> None:
        """Tell all others anew what we say of ourselves."""
        for follower in self._followers.values():
            follower.report()

    def status(self) -> tuple[LinkStatus, ...]:
        """How each link stands, sorted by datacenter."""
        known = others(self._feed.view.remote, self._datacenter)
        return tuple(self._status(name) for name in sorted(known))

    def call(self, datacenter: str) -> FederationClient:
        """A client of another datacenter, over the link to it; to be used at once.

        Raises:
            NoRouteError: it is no member of the mesh, or no gateway is known that leads there.
            UnreachableError: the link is down.
        """
        if datacenter not in others(self._feed.view.remote, self._datacenter):
            raise NoRouteError(datacenter, "it is no member of the mesh")
        follower = self._followers.get(datacenter)
        if follower and follower.client:
            return follower.client
        reason = self._status(datacenter).error or "the link is being made"
        if routes(self._feed.view, datacenter):
            raise UnreachableError(datacenter, reason)
        raise NoRouteError(datacenter, reason)

    def take(self, batch: Batch) -> None:
        """Note who belongs to the mesh, and which gateways lead there, from a batch of the feed."""
        if any(is_about_members(fact) for fact in batch.facts):
            self._members_moved.set()
        if self._followers and any(is_about_gateways(fact) for fact in batch.facts):
            for follower in self._followers.values():
                follower.look_at_routes()

    async def run(self) -> None:
        """Follow until cancelled."""
        await self._feed.catch_up()
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                self._members_moved.clear()
                known = others(self._feed.view.remote, self._datacenter)
                for name in sorted(tasks.keys() - known):
                    self._followers.pop(name)
                    await _end(tasks.pop(name))
                await self._forget_others_than(known)
                for name in sorted(known - tasks.keys()) if self._certificate else ():
                    follower = self._followers[name] = Follower(name, self._around)
                    tasks[name] = asyncio.create_task(follower.run(), name=f"link to {name}")
                await self._members_moved.wait()
        finally:
            await _end(*tasks.values())

    async def _forget_others_than(self, known: frozenset[str]) -> None:
        """Forget what was told by those who are no members any more."""
        _, records = await self._store.list(keys.REMOTE)
        gone = tuple(record.key for record in records if keys.remote_pair(record.key)[0] not in known)
        if not gone:
            return
        try:
            await self._store.commit(Txn(deletes=gone), ORIGIN)
        except CommitFailedError as error:
            log.warning("what former members told can't be removed", error=str(error))
            return
        await self._feed.catch_up()  # who comes back begins with everything

    def _status(self, datacenter: str) -> LinkStatus:
        follower = self._followers.get(datacenter)
        if follower:
            return follower.status
        if self._certificate:
            return LinkStatus(datacenter, LinkState.CONNECTING, self._since)
        return LinkStatus(datacenter, LinkState.DOWN, self._since, error=self.off)

    def _came_up(self, datacenter: str) -> None:
        self.came_up(datacenter)

    def _dial(self, address: str, datacenter: str) -> Any:
        if self._certificate is None:
            raise RuntimeError("nobody is dialled without a certificate")
        return make_channel(address, datacenter, client_credentials(self._certificate.leaf, self._bundle()))

    def _report(self, datacenter: str) -> Report:
        return Report(gateways=self.own_gateways(), trust=self.trust_report(datacenter))


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
