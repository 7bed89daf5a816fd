"""The one loop: facts in, coalesced, through the index, changed views out to the streams that hold them."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from xdsmesh.ca.keeper import LeafKeeper
from xdsmesh.index.views import Index
from xdsmesh.model.catalog import Instance
from xdsmesh.model.facts import Batch, Fact, FactKey
from xdsmesh.model.identity import Identity, identity_of
from xdsmesh.model.resource import ProxyView

_QUIET_SECONDS: Final = 0.005
"""After a wave of changes, what arrives within this time goes into the next wave together."""


class Attachment:
    """One stream's hold on a proxy: the latest view, and the revision of the facts behind it."""

    def __init__(self, loop: "Loop", proxy: Instance, view: ProxyView, wake: Callable[[], None]) -> None:
        self._loop = loop
        self.proxy_id: Final = proxy.id
        self.service: Final = proxy.fronted_service
        self.has_leaf: Final = not proxy.kind.is_gateway
        self.spiffe_id: Final = view.spiffe_id
        self.view: ProxyView | None = view
        self.wake: Final = wake

    @property
    def revision(self) -> int:
        """The revision up to which all facts are in the view."""
        return self._loop.revision

    def close(self) -> None:
        """Let go; the view is not kept up to date any more."""
        self._loop.detach(self)


class Wave(NamedTuple):
    """One application of facts: up to which revision it went, and the proxies that it gave another view."""

    revision: int
    proxies: frozenset[str]


class Loop:
    """Owns the index. Facts enter by ``take`` and ``tell``; streams attach to proxies."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._pending: dict[FactKey, Fact] = {}
        self._revision = -1
        self._news = asyncio.Event()
        self._attached: defaultdict[str, set[Attachment]] = defaultdict(set)
        self._keeper: LeafKeeper | None = None
        self._moved = asyncio.Condition()
        self._recordings: dict[int, list[Wave]] = {}
        self._applied = 0
        """How many waves there were."""

    @property
    def ready(self) -> bool:
        """All facts that the store held at the start are in: views are complete."""
        return self._index.revision >= 0

    @property
    def revision(self) -> int:
        """The revision of the store up to which views are made."""
        return self._index.revision

    def keep_leaves(self, keeper: LeafKeeper) -> None:
        """Ask this keeper for the leaf of every attached sidecar; gateways have none."""
        self._keeper = keeper

    async def wait_revision(self, revision: int) -> None:
        """Return once the facts up to a revision of the store are in the views."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._index.revision >= revision)

    async def applied(self) -> None:
        """Return once all that was taken in by now is in the views."""
        if self._pending:
            wanted = self._applied + 1
            async with self._moved:
                await self._moved.wait_for(lambda: self._applied >= wanted)

    @contextmanager
    def recorded(self) -> Iterator[Sequence[Wave]]:
        """The waves from now on, in a list that grows."""
        waves: list[Wave] = []
        self._recordings[id(waves)] = waves
        try:
            yield waves
        finally:
            del self._recordings[id(waves)]

    def tell(self, fact: Fact) -> None:
        """Take in a fact that is not the store's, such as a leaf."""
        self._pending[fact.key] = fact
        self._news.set()

    def take(self, batch: Batch) -> None:
        """Take in the store's facts; the first batch is everything there is."""
        self._pending |= {fact.key: fact for fact in batch.facts}
        self._revision = batch.revision
        self._news.set()

    async def run(self) -> None:
        """Apply what comes in, at once when idle, in one wave when much comes together; until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            self._apply()
            async with self._moved:
                self._moved.notify_all()
            await asyncio.sleep(_QUIET_SECONDS)

    def _apply(self) -> None:
        facts, self._pending = tuple(self._pending.values()), {}
        self._applied += 1
        changed = self._index.apply(Batch(self._revision, facts))
        served = frozenset(proxy_id for proxy_id in changed if self._hand_out(proxy_id))
        for waves in self._recordings.values():
            waves.append(Wave(self._index.revision, served))

    def _hand_out(self, proxy_id: str) -> bool:
        """Give a proxy's streams its new view; whether any of them may go on."""
        view = self._index.view(proxy_id)
        served = False
        for attachment in self._attached.get(proxy_id, ()):
            # A proxy that stands before another service now is somebody else: its streams start anew.
            same = view is not None and view.spiffe_id == attachment.spiffe_id
            attachment.view = view if same else None
            served = served or same
            attachment.wake()
        return served

    def identity(self, proxy_id: str) -> Identity | None:
        """Who a registered proxy is, as the views have it."""
        instance = self._index.proxy(proxy_id)
        return identity_of(instance) if instance else None

    def attach(self, proxy_id: str, wake: Callable[[], None]) -> Attachment | None:
        """Hold a proxy's view for a stream; None when no such proxy is registered, or it can't be served."""
        view = self._index.hold(proxy_id)
        instance = self._index.proxy(proxy_id)
        if view is None or instance is None:
            self._index.release(proxy_id)
            return None
        attachment = Attachment(self, instance, view, wake)
        if self._keeper and attachment.has_leaf:
            self._keeper.hold(proxy_id, view.spiffe_id)
        self._attached[proxy_id].add(attachment)
        return attachment

    def detach(self, attachment: Attachment) -> None:
        """Forget an attachment; safe to call twice."""
        holders = self._attached.get(attachment.proxy_id, set())
        if attachment not in holders:
            return
        holders.discard(attachment)
        if not holders:
            del self._attached[attachment.proxy_id]
        self._index.release(attachment.proxy_id)
        if self._keeper and attachment.has_leaf:
            self._keeper.release(attachment.proxy_id)
