"""Keeps in the store what this datacenter tells others, so that they can follow it there."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

import structlog

from xdsmesh.catalog import codec, keys
from xdsmesh.catalog.codec import Federated
from xdsmesh.catalog.feed import Feed
from xdsmesh.config.kinds.service_resolver import ServiceResolver
from xdsmesh.federation.members import others
from xdsmesh.federation.routes import gateways
from xdsmesh.federation.store_id import ORIGIN
from xdsmesh.federation.summaries import remote_gateways, remote_service
from xdsmesh.ir.endpoints import with_checks_of
from xdsmesh.model.catalog import Instance, Kind
from xdsmesh.model.facts import Batch, Fact
from xdsmesh.model.federation import RemoteGateways, RemoteServer
from xdsmesh.store.base import CommitFailedError, Put, Store, Txn

_QUIET_SECONDS: Final = 0.02
"""After a write, what changes within this time is told together."""
_RETRY_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Sharing:
    """Writes what differs, while there is another datacenter. ``run`` must run; ``take`` hears the feed."""

    def __init__(self, store: Store, feed: Feed, datacenter: str, server: RemoteServer) -> None:
        self._store: Final = store
        self._feed: Final = feed
        self._datacenter: Final = datacenter
        self._server: Final = server
        self._shared: dict[str, bytes] = {}
        """What the store has, by its keys without ``shared/``."""
        self._due: dict[str, None] = {}
        """The keys to look at again."""
        self._active = False
        self._destinations: Final[dict[keys.Key, str]] = {}
        """The services that sidecars stand before, by the application that each has beside it."""
        self._news: Final = asyncio.Event()
        self._listeners: list[Callable[[], object]] = []

    @property
    def gateways(self) -> bytes:
        """What others are told of our mesh gateways, as it is stored; empty before that."""
        return self._shared.get(keys.GATEWAYS, b"")

    def listen(self, listener: Callable[[], object]) -> None:
        """Call this whenever others are told of other gateways."""
        self._listeners.append(listener)

    def take(self, batch: Batch) -> None:
        """Note what a batch of the feed, whose view has it already, may change for others."""
        was_active, self._active = self._active, bool(others(self._feed.view.remote, self._datacenter))
        if self._active != was_active:
            self._look_at_everything()
        elif self._active:
            for fact in batch.facts:
                self._due.update(dict.fromkeys(self._touched(fact)))
        if self._due:
            self._news.set()

    async def run(self) -> None:
        """Write until cancelled."""
        _, records = await self._store.list(keys.SHARED)
        told = {record.key.removeprefix(keys.SHARED): record.value for record in records}
        self._shared = {key: value for key, value in told.items() if _is_ours(key)}
        await self._feed.catch_up()
        self._look_at_everything()
        while True:
            if not await self._share():
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(_QUIET_SECONDS)

    def _look_at_everything(self) -> None:
        self._destinations.clear()
        self._due |= dict.fromkeys((keys.GATEWAYS, keys.SERVER, *self._shared))
        if self._active:
            for key, each in self._feed.view.instances.items():
                self._due.update(dict.fromkeys(self._touched(Fact(("instance", *key), each.value))))

    def _touched(self, fact: Fact) -> Iterator[str]:
        match fact.key:
            case ("entry", ServiceResolver.KIND, name):
                yield f"{keys.SERVICE}{name}"
            case ("instance", *_):
                for each in (fact.before, fact.value):
                    if isinstance(each, Instance):
                        yield from self._touched_by(each, there=each is fact.value)

    def _touched_by(self, instance: Instance, *, there: bool) -> Iterator[str]:
        node = instance.node.name
        if instance.kind is Kind.MESH_GATEWAY:
            yield keys.GATEWAYS
        elif instance.proxy:
            service = instance.proxy.destination_service_name
            beside = (node, instance.proxy.destination_service_id)
            if there:
                self._destinations[beside] = service
            else:
                self._destinations.pop(beside, None)
            yield f"{keys.SERVICE}{service}"
        elif (node, instance.id) in self._destinations:
            yield f"{keys.SERVICE}{self._destinations[node, instance.id]}"

    async def _share(self) -> bool:
        """Write what is due; False: the disk did not take it."""
        due, self._due = self._due, {}
        values = {key: self._value(key) for key in due}
        puts = {key: value for key, value in values.items() if value and self._shared.get(key) != value}
        gone = [key for key, value in values.items() if value is None and key in self._shared]
        if not puts and not gone:
            return True
        txn = Txn(
            tuple(Put(keys.shared_key(key), value) for key, value in puts.items()),
            tuple(map(keys.shared_key, gone)),
        )
        try:
            await self._store.commit(txn, ORIGIN)
        except CommitFailedError as error:
            self._due = {**due, **self._due}
            log.warning("what other datacenters are told can't be stored; trying again", error=str(error))
            return False
        self._shared = {key: self._shared[key] for key in self._shared.keys() - gone} | puts
        if keys.GATEWAYS in {*puts, *gone}:
            for listener in self._listeners:
                listener()
        return True

    def _value(self, key: str) -> bytes | None:
        """What others are to be told now; None: nothing."""
        value = self._summary(key) if self._active else None
        return codec.encode_federated(value) if value else None

    def _summary(self, key: str) -> Federated | None:
        view = self._feed.view
        if key == keys.SERVER:
            return self._server
        if key == keys.GATEWAYS:
            return self._summary_of_gateways()
        service = key.removeprefix(keys.SERVICE)
        sidecars = [
            with_checks_of(self._application(each.value), each.value)
            for each in view.instances_before(service)
            if each.value.proxy and each.value.proxy.destination_service_name == service
        ]
        resolver = view.entries.get((ServiceResolver.KIND, service))
        entry = resolver.value if resolver and isinstance(resolver.value, ServiceResolver) else None
        return remote_service(sidecars, entry) if sidecars else None

    def _summary_of_gateways(self) -> RemoteGateways:
        """As of now, unless they are those of before: it is the gateways that count, not when we looked."""
        current = remote_gateways(gateways(self._feed.view), self._feed.revision)
        before = codec.decode_remote_gateways(self.gateways) if self.gateways else None
        return before if before and before.gateways == current.gateways else current

    def _application(self, sidecar: Instance) -> Instance | None:
        application_id = sidecar.proxy.destination_service_id if sidecar.proxy else ""
        found = self._feed.view.instances.get((sidecar.node.name, application_id))
        return found.value if found and not found.value.proxy else None


def _is_ours(key: str) -> bool:
    """Whether it is written here; of trust and members others tell."""
    return key.startswith(keys.SERVICE) or key in (keys.GATEWAYS, keys.SERVER)
