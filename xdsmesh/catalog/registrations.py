"""The writes of services with their checks, each decided against what is there."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Final, TypeVar

from xdsmesh.catalog import codec
from xdsmesh.catalog.draft import Draft
from xdsmesh.catalog.feed import Feed
from xdsmesh.catalog.keys import check_key, instance_key, status_key
from xdsmesh.catalog.ports import PortTable
from xdsmesh.catalog.proxy_ids import ProxyIds
from xdsmesh.config.service import SIDECAR, ServiceDefinition, expand
from xdsmesh.model.catalog import Instance, Node
from xdsmesh.model.checks import Check, CheckStatus
from xdsmesh.model.errors import NotFoundError
from xdsmesh.model.facts import Batch
from xdsmesh.model.origin import PROBER, Origin, Source
from xdsmesh.store.base import Conflict, Store

T = TypeVar("T")

_REAPER: Final = Origin(Source.API, "reaper")
"""It deregisters on behalf of those who registered."""


class Registrations:
    """Decided writes; each is tried again when somebody else was faster. What is read is the ``feed``'s view.

    Services of the agent are on this server's own ``node``; those of the catalog may be on any.
    """

    def __init__(self, store: Store, node: Node, feed: Feed) -> None:
        self.node: Final = node
        self.feed: Final = feed
        self.view: Final = feed.view
        self._store = store
        self._ports = PortTable()
        self._proxies = ProxyIds(self.view)
        feed.listen(self._learn)

    async def register(
        self, definition: ServiceDefinition, origin: Origin, *, replace_checks: bool = False
    ) -> tuple[Instance, ...]:
        """Register a service and the sidecar that it asks for; what is there with these ids is replaced.

        Its checks that are not given stay, unless ``replace_checks``; those given again keep the status that
        was found out.

        Raises:
            RefusedError: no port is free for the sidecar, or its id is a proxy's on another node.
            OwnershipError: one of the ids belongs to a file.
        """
        await self.feed.catch_up()
        instances = expand(definition, self.node, self._ports.take)

        async def decide(draft: Draft) -> None:
            for instance in instances:
                if replace_checks:
                    await self._delete_checks(draft, instance, keep={each.id for each in instance.checks})
                await self.write_instance(draft, instance)

        try:
            await self.commit(origin, decide)
        except Exception:
            self._ports.give_back(each.id for each in instances)
            raise
        return instances

    async def deregister(self, instance_id: str, origin: Origin) -> None:
        """Remove an instance of this node with its checks, and the sidecar that came with it.

        Raises:
            NotFoundError: there is no such instance.
            OwnershipError: it belongs to a file.
        """
        if not await self.remove(self.node.name, instance_id, origin):
            raise NotFoundError(
                f'Unknown service ID "{instance_id}"; `xdsmesh services list` shows those there are'
            )

    async def remove(self, node: str, instance_id: str, origin: Origin) -> tuple[str, ...]:
        """Remove an instance with its checks, and the sidecar that came with it; the ids of what was there.

        Raises:
            OwnershipError: it belongs to a file.
        """
        await self.feed.catch_up()

        async def decide(draft: Draft) -> tuple[str, ...]:
            found = await self._with_sidecar(draft, node, instance_id)
            for each in found:
                await self.delete_instance(draft, node, each)
            return found

        removed = await self.commit(origin, decide)
        await self._sweep(node, removed)
        return removed

    async def reap(self, instance_id: str) -> None:
        """Remove an instance of this node that has been critical for too long, as its checks ask for.

        Raises:
            OwnershipError: it is declared in a file, and will be for as long as the file says so.
        """
        await self.remove(self.node.name, instance_id, _REAPER)

    async def remove_check(self, node: str, check_id: str, origin: Origin) -> bool:
        """Remove a check; whether there was one.

        Raises:
            OwnershipError: it belongs to a file, or to the server.
        """

        async def decide(draft: Draft) -> bool:
            there = await draft.read(check_key(node, check_id)) is not None
            await self.delete_check(draft, node, check_id)
            return there

        return await self.commit(origin, decide)

    async def write_instance(self, draft: Draft, instance: Instance) -> None:
        """Put an instance with its checks into a transaction.

        Raises:
            RefusedError: it is a proxy, and its id that of a proxy on another node.
        """
        self._proxies.claim(instance, draft)
        node = instance.node.name
        await draft.put(
            instance_key(node, instance.id), codec.encode_instance(instance), f"service {instance.id}"
        )
        for check in instance.checks:
            await self.write_check(draft, replace(check, node=node, service_id=instance.id))

    async def write_check(self, draft: Draft, check: Check) -> None:
        """Put a check into a transaction. If it is there already, it keeps its status.

        One without a probe has the status that it is given: nobody else ever finds out another one.
        """
        await draft.put(check_key(check.node, check.id), codec.encode_check(check), f"check {check.id}")
        if check.probe is None or await draft.read(status_key(check.node, check.id)) is None:
            await self.write_status(draft, check, CheckStatus(check.status, check.output))

    async def delete_check(self, draft: Draft, node: str, check_id: str) -> None:
        """Put the removal of a check into a transaction."""
        await draft.delete(check_key(node, check_id), f"check {check_id}")
        await draft.delete_whose_ever(status_key(node, check_id))

    async def delete_instance(self, draft: Draft, node: str, instance_id: str) -> None:
        """Put the removal of an instance and of its checks into a transaction."""
        await draft.delete(instance_key(node, instance_id), f"service {instance_id}")
        for check in self.view.checks_of(node, instance_id):
            await draft.delete_whose_ever(check_key(node, check.value.id))
            await draft.delete_whose_ever(status_key(node, check.value.id))

    async def write_status(self, draft: Draft, check: Check, status: CheckStatus) -> None:
        """Put what a check says into a transaction."""
        await draft.put_for(PROBER, status_key(check.node, check.id), codec.encode_status(status))

    async def _with_sidecar(self, draft: Draft, node: str, instance_id: str) -> tuple[str, ...]:
        """The ids of an instance and of the sidecar that its registration made, as far as they are there."""
        if await draft.read(instance_key(node, instance_id)) is None:
            return ()
        sidecar = await draft.read(instance_key(node, instance_id + SIDECAR))
        if sidecar and codec.decode_instance(sidecar.value).sidecar_of == instance_id:
            return instance_id, instance_id + SIDECAR
        return (instance_id,)

    async def _delete_checks(self, draft: Draft, instance: Instance, keep: Iterable[str]) -> None:
        kept = set(keep)
        for check in self.view.checks_of(instance.node.name, instance.id):
            if check.value.id not in kept:
                await self.delete_check(draft, instance.node.name, check.value.id)

    async def _sweep(self, node: str, removed: Iterable[str]) -> None:
        """Remove checks that were registered while their instance was being removed."""
        await self.feed.catch_up()
        left = [
            check.value.id
            for each in removed
            if (node, each) not in self.view.instances
            for check in self.view.checks_of(node, each)
        ]
        if not left:
            return

        async def decide(draft: Draft) -> None:
            for check_id in left:
                await draft.delete_whose_ever(check_key(node, check_id))
                await draft.delete_whose_ever(status_key(node, check_id))

        await self.commit(PROBER, decide)

    def _learn(self, batch: Batch) -> None:
        for fact in batch.facts:
            if fact.key[0] == "instance":
                self._proxies.learn(fact.key[1], fact.key[2])
            if fact.key[:2] == ("instance", self.node.name):
                self._ports.learn(fact.key[2], fact.value if isinstance(fact.value, Instance) else None)

    async def commit(self, origin: Origin, decide: Callable[[Draft], Awaitable[T]]) -> T:
        """Commit what ``decide`` puts into a transaction; again if what it has read was changed meanwhile."""
        while True:
            draft = Draft(self._store, origin)
            written = False
            try:
                result = await decide(draft)
                written = not isinstance(await self._store.commit(draft.txn(), origin), Conflict)
            finally:
                if not written:
                    self._proxies.give_back(draft)
            if written:
                return result
