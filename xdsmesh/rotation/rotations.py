"""Rotates the root: one stage after the other, each when all connected proxies have acknowledged the last.

Each stage is stored together with the roots as they stand in it, so that one that was interrupted goes on
from there.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from xdsmesh.ca.authority import Root, Standing
from xdsmesh.ca.configuration import Configuration
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.keeper import LeafKeeper
from xdsmesh.ca.provider import Provider
from xdsmesh.ca.renewal import new_intermediate
from xdsmesh.ca.stored import ORIGIN
from xdsmesh.model.errors import RefusedError, UnderWayError
from xdsmesh.model.federation import TrustReport
from xdsmesh.model.origin import Origin
from xdsmesh.rotation import refusals, stored
from xdsmesh.rotation.acknowledgements import Acknowledgements
from xdsmesh.rotation.datacenters import Datacenters
from xdsmesh.rotation.report import CAStatus, ca_status, rotation_status
from xdsmesh.rotation.secrets import wanted_secret
from xdsmesh.rotation.stages import AWAITED, Rotation, Stage, roots_in
from xdsmesh.rotation.stored import ROTATION_KEY
from xdsmesh.store.base import CommitFailedError, Conflict, Expect, Store, Txn

_RETRY_SECONDS: Final = 5.0

_log: Final = structlog.get_logger(__name__)


class Rotations:
    """Starts a rotation, and brings it to its end. ``run`` must run."""

    def __init__(
        self,
        store: Store,
        issuer: Issuer,
        keeper: LeafKeeper,
        acknowledgements: Acknowledgements,
        datacenters: Datacenters,
    ) -> None:
        """Rotate nothing yet.

        Args:
            store: has the rotation.
            issuer: has the roots.
            keeper: has the leaves of connected proxies.
            acknowledgements: tells when they hold what they are to hold.
            datacenters: tells when those of the other datacenters do.
        """
        self.acknowledgements: Final = acknowledgements
        self.datacenters: Final = datacenters
        self._store = store
        self._issuer = issuer
        self._keeper = keeper
        self._clock: Final = datacenters.clock
        self._listeners: list[Callable[[], object]] = []
        self._latest: Rotation | None = None
        self._hindrance = ""
        self._news = asyncio.Event()

    def listen(self, listener: Callable[[], object]) -> None:
        """Call this whenever a rotation has ended; of what comes before, the issuer tells."""
        self._listeners.append(listener)

    @property
    def revision(self) -> int:
        """The revision of the store that last changed the authority or its rotation."""
        return max(self._issuer.authority.modified, self._latest.modified if self._latest else 0)

    async def start(self, wanted: Configuration, origin: Origin) -> None:
        """Rotate to a root of a configuration, which counts from now on; `run` does the rest.

        Raises:
            UnderWayError: a rotation is under way already.
            RefusedError: there can be no such root, or the active one does not vouch for it; or this is a
                secondary datacenter.
        """
        issuer = self._issuer
        issuer.check_has_roots()
        async with issuer.changing:
            latest = await self._read()
            if latest and latest.is_under_way:
                raise refusals.under_way(latest)
            old, before, provider = issuer.authority.active, issuer.configuration, issuer.provider_for(wanted)
            pem = await self._another_root(provider, wanted)
            try:
                crossed = await issuer.provider.cross_sign(old.certificate_pem, pem)
            except RefusedError:
                await provider.forget(pem)
                raise
            new = Root.load(pem, Standing.NEXT, crossed)
            rotation = Rotation.begin(old, issuer.put_of(before).value, new, str(origin), self._clock())
            more = () if wanted == before else (issuer.put_of(wanted),)
            roots = (*issuer.authority.roots, new)
            if not await issuer.replace(roots, issuer.authority.intermediate, (stored.put(rotation), *more)):
                await provider.forget(pem)
                raise refusals.changed_elsewhere()
            await self._read()
        _log.info("a rotation of the root begins", old=old.id, new=new.id, by=str(origin))
        self._news.set()

    async def _another_root(self, provider: Provider, wanted: Configuration) -> str:
        """A new root; or, of a provider elsewhere, the one that it has."""
        before, trusted = self._issuer.configuration, self._issuer.authority.roots
        if replace(wanted, kind=before.kind).home_of_roots != before.home_of_roots:
            pem = await provider.root()
            if Root.load(pem, Standing.NEXT).id not in {root.id for root in trusted}:
                return pem
        return await provider.generate_root()

    async def abort(self, origin: Origin) -> None:
        """Take back the rotation that is under way; the configuration of before counts again.

        Raises:
            UnderWayError: there is none, or proxies have leaves of the new root already.
        """
        issuer = self._issuer
        async with issuer.changing:
            rotation = await self._read()
            if rotation is None or not rotation.is_under_way:
                raise UnderWayError(refusals.NOTHING_TO_ABORT)
            if rotation.stage is not Stage.TRUSTING:
                raise refusals.too_late(rotation)
            authority, provider = issuer.authority, issuer.provider
            new = next(root for root in authority.roots if root.id == rotation.new_id)
            before = issuer.configuration_in(rotation.old_configuration)
            puts = (stored.put(rotation.abort(self._clock())), issuer.put_of(before))
            roots = roots_in(Stage.ABORTED, authority.roots)
            if not await issuer.replace(roots, authority.intermediate, puts):
                raise refusals.changed_elsewhere()
            await self._read()
            self.acknowledgements.look_again()
            self.datacenters.look_again()
        _log.info("the rotation of the root was aborted", new=new.id, by=str(origin))
        try:
            await provider.forget(new.certificate_pem)
        except RefusedError as error:
            _log.warning("the key of a root that nobody trusts stays", root=new.id, error=str(error))

    async def run(self) -> None:
        """Bring what is under way, or will be, to its end; until cancelled."""
        await self.acknowledgements.open()
        if (found := await self._read()) and found.is_under_way:
            _log.info("a rotation of the root goes on", stage=found.stage.value, new=found.new_id)
        while True:
            self._news.clear()
            rotation = await self._read()
            if rotation is None or not rotation.is_under_way:
                await self._news.wait()
                continue
            try:
                await self._advance(rotation)
                self._hindrance = ""
            except (RefusedError, CommitFailedError) as error:
                self._hindrance = str(error)
                _log.warning("the rotation of the root is hindered; trying again", error=self._hindrance)
                await asyncio.sleep(_RETRY_SECONDS)

    async def status(self) -> CAStatus:
        """Who is trusted, how far the rotation is, and who is waited for."""
        latest = await self._read()
        status = ca_status(
            self._issuer.authority,
            rotation_status(latest, self._hindrance, self._clock()) if latest else None,
            self.acknowledgements.waiting() if latest and latest.is_under_way else [],
            self.acknowledgements.unconnected(),
        )
        is_as_far = self._is_as_far(latest) if latest and latest.is_under_way else None
        return replace(
            status,
            datacenters=self.datacenters.waiting(is_as_far) if is_as_far else (),
            primary=self._issuer.configuration.primary,
        )

    async def _advance(self, rotation: Rotation) -> None:
        """Do what is left of a stage, and enter the next one."""
        if rotation.stage is Stage.RETIRING:
            before = self._issuer.configuration_in(rotation.old_configuration)
            await self._issuer.provider_for(before).forget(rotation.old_pem)
        awaited = AWAITED[rotation.stage]
        wanted = wanted_secret(awaited, self._issuer, self._keeper)
        await self.acknowledgements.until_all(awaited, wanted, lambda: self._latest == rotation)
        await self.datacenters.until_all(self._is_as_far(rotation), lambda: self._latest == rotation)
        if self._latest != rotation:
            return
        after = rotation.next(self._clock())
        if after.is_under_way:
            await self._enter(rotation, after)
        else:
            txn = Txn((stored.put(after),), expects=(Expect(ROTATION_KEY, rotation.modified),))
            if isinstance(await self._store.commit(txn, ORIGIN), Conflict):
                return
            await self._read()
            for listener in self._listeners:
                listener()
        spent = dict(after.seconds(self._clock()))
        _log.info(
            "a stage of the root's rotation is over",
            stage=rotation.stage.value,
            seconds=spent[rotation.stage],
        )

    async def _enter(self, before: Rotation, after: Rotation) -> None:
        """Enter a stage: the roots as they stand in it, and who signs, in one step with the stage itself."""
        issuer = self._issuer
        async with issuer.changing:
            if await self._read() != before:
                return
            authority = issuer.authority
            roots, intermediate = roots_in(after.stage, authority.roots), authority.intermediate
            if after.stage is Stage.ISSUING:
                active = next(root for root in roots if root.standing is Standing.ACTIVE)
                lifetime = issuer.configuration.intermediate_lifetime
                intermediate = await new_intermediate(
                    issuer.provider, active, authority.trust_domain, lifetime
                )
            await issuer.replace(roots, intermediate, (stored.put(after),))
            await self._read()

    def _is_as_far(self, rotation: Rotation) -> Callable[[TrustReport], bool]:
        """Whether a datacenter is as far as a rotation."""
        trusted = tuple(sorted(root.id for root in self._issuer.authority.roots))
        if rotation.stage is Stage.ISSUING:
            return lambda report: report.issuing == rotation.new_id
        return lambda report: report.trusted == trusted

    async def _read(self) -> Rotation | None:
        record = await self._store.get(ROTATION_KEY)
        self._latest = stored.decode(record) if record else None
        return self._latest
