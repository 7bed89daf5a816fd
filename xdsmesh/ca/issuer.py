"""Issues leaves, and keeps the authority that they come from: roots, intermediate, configuration."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Self

import structlog

from xdsmesh.ca import configuration as configurations
from xdsmesh.ca import stored
from xdsmesh.ca.authority import Authority, Root
from xdsmesh.ca.configuration import CONFIGURATION_KEY, Configuration
from xdsmesh.ca.intermediate import Intermediate, Subject
from xdsmesh.ca.keys import generate, leaf_kind
from xdsmesh.ca.opening import Opened, open_authority
from xdsmesh.ca.primary import AskPrimary, no_link, not_primary
from xdsmesh.ca.provider import Around, Provider
from xdsmesh.ca.providers import make_provider
from xdsmesh.ca.renewal import is_due, new_intermediate
from xdsmesh.ca.sealing import Sealer
from xdsmesh.ca.stored import AUTHORITY_KEY, ORIGIN, TRUST_DOMAIN_KEY
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.model.origin import Origin
from xdsmesh.model.trust import KeyKind, Leaf, TrustBundle, server_spiffe_id
from xdsmesh.store.base import CommitFailedError, Conflict, Expect, Put, Record, Store, Txn

_LEAF_LIFETIME: Final = Configuration().leaf_lifetime
_LOOK: Final = timedelta(minutes=10)
"""How often it is looked whether the intermediate is due."""

log = structlog.get_logger(__name__)


class Issuer:
    """Issues leaves of the active root. ``run`` must run, to renew the intermediate.

    ``authority`` and ``configuration`` are what counts now. ``start_rotation`` is asked for another root when
    somebody configures what needs one; it keeps the configuration itself. ``ask_primary`` is asked for
    another intermediate in a secondary datacenter.
    """

    def __init__(self, store: Store, sealer: Sealer, clock: Callable[[], datetime], opened: Opened) -> None:
        self.authority = opened.authority
        self.configuration = opened.configuration
        self.ask_primary: AskPrimary = no_link
        self.start_rotation: Callable[[Configuration, Origin], Awaitable[None]] = _no_rotation
        self.changing: Final = asyncio.Lock()
        """Whoever replaces roots or intermediate has this from before it reads them."""
        self._store = store
        self._sealer = sealer
        self.clock: Final = clock
        self.provider = self.provider_for(self.configuration)
        self._signer = self.authority.signer
        self._listeners: list[Callable[[], object]] = []
        self._look: Final = asyncio.Event()

    @classmethod
    async def open(
        cls,
        store: Store,
        trust_domain: str | None,
        clock: Callable[[], datetime],
        sealer: Sealer,
        leaf_lifetime: timedelta = _LEAF_LIFETIME,
    ) -> Self:
        """Load the authority from the store; on the first start make it, and the trust domain unless given.

        Args:
            store: where all is kept under ``ca/``, private keys sealed.
            trust_domain: the name to have, or None for what the store has, or else ``<uuid>.consul``.
            clock: tells the time, with its time zone.
            sealer: seals and opens the private keys.
            leaf_lifetime: how long leaves are valid, unless the store says otherwise.

        Raises:
            RefusedError: the name is not a trust domain, or the store's is another; what the store has is
                damaged, or was sealed with another key; or the provider gives no root.
        """
        defaults = Configuration(leaf_lifetime=leaf_lifetime)
        opened = await open_authority(store, trust_domain, clock, sealer, defaults)
        issuer = cls(store, sealer, clock, opened)
        await issuer.renew_if_due()
        return issuer

    @property
    def bundle(self) -> TrustBundle:
        """The roots that are to be believed."""
        return self.authority.bundle

    @property
    def leaf_kind(self) -> KeyKind:
        """The kind of the keys of leaves."""
        return leaf_kind(self.authority.active.kind)

    def provider_for(self, configuration: Configuration) -> Provider:
        """The provider that a configuration names, whether it counts or is only wanted.

        Raises:
            RefusedError: it needs a package that is not installed.
        """
        around = Around(self._store, self._sealer, self.authority.trust_domain, self.clock, self._ask_primary)
        return make_provider(configuration, around)

    async def _ask_primary(self, root_id: str, request_pem: str, lifetime: timedelta) -> str:
        return await self.ask_primary(root_id, request_pem, lifetime)

    def check_has_roots(self) -> None:
        """Go on where the roots of the mesh are.

        Raises:
            RefusedError: this is a secondary datacenter, and they are in the primary.
        """
        if primary := self.configuration.primary:
            what = "the certificate authority of the mesh is configured and rotated in the primary datacenter"
            raise not_primary(what, primary)

    def listen(self, listener: Callable[[], object]) -> None:
        """Call this whenever the roots or the intermediate have changed."""
        self._listeners.append(listener)

    def issue(self, spiffe_id: str) -> Leaf:
        """Make a key and a certificate for a service, at once: but see `leaf` about keys for RSA.

        Raises:
            ValueError: the id is not in the trust domain, or the intermediate has expired.
        """
        self._signer.check(spiffe_id, self.clock())
        subject = Subject(spiffe_id)
        return self._signer.sign(
            subject, generate(self.leaf_kind), self.clock(), self.configuration.leaf_lifetime
        )

    async def leaf(self, spiffe_id: str, lifetime: timedelta | None = None) -> Leaf:
        """As `issue`, and others have their turn meanwhile if it takes long.

        Without a ``lifetime`` it is that of the configuration.

        A key on a curve takes less than a millisecond of pure computing. It is not made in a thread: that
        waits for the interpreter's lock several times for each leaf, and beside a busy event loop a leaf then
        takes ten times as long, or more. A key for RSA takes up to seconds, and a thread that makes one does
        not have the lock.
        """
        return await self._leaf(Subject(spiffe_id), lifetime)

    async def issue_server(
        self, datacenter: str, dns_names: Iterable[str] = (), ip_addresses: Iterable[str] = ()
    ) -> Leaf:
        """Make the certificate by which a server of a datacenter proves itself, over TLS.

        Its names are ``server.<datacenter>.consul`` and those that are given.
        """
        spiffe_id = server_spiffe_id(self.authority.trust_domain, datacenter)
        names = dict.fromkeys((f"server.{datacenter}.consul", *dns_names))
        return await self._leaf(Subject(spiffe_id, tuple(names), tuple(dict.fromkeys(ip_addresses))))

    async def _leaf(self, subject: Subject, lifetime: timedelta | None = None) -> Leaf:
        kind = self.leaf_kind
        self._signer.check(subject.spiffe_id, self.clock())
        key = await asyncio.to_thread(generate, kind) if kind.is_slow else generate(kind)
        return self._signer.sign(subject, key, self.clock(), lifetime or self.configuration.leaf_lifetime)

    async def configure(self, wanted: Configuration, origin: Origin) -> None:
        """Make certificates so from now on, also after a restart; its revisions don't matter.

        Raises:
            RefusedError: it needs another root, and there can be none now; or this is a secondary datacenter.
        """
        self.check_has_roots()
        before = self.configuration
        if wanted.home_of_roots != before.home_of_roots:
            await self.start_rotation(wanted, origin)
            return
        if wanted.vault != before.vault:
            await self.provider_for(wanted).root()  # refuses what would not work, such as another token
        if wanted.intermediate_lifetime == before.intermediate_lifetime:
            await self.keep_configuration(wanted, origin)
        else:
            await self._renew(wanted.intermediate_lifetime, (replace(self.put_of(wanted), origin=origin),))

    async def keep_configuration(self, wanted: Configuration, origin: Origin) -> None:
        """Store a configuration, and let it count."""
        await self._store.commit(Txn((self.put_of(wanted),)), origin)
        await self._load_configuration()

    async def _load_configuration(self) -> None:
        record = await self._store.get(CONFIGURATION_KEY)
        if record is None:
            raise RuntimeError(f"{CONFIGURATION_KEY} is gone, and nobody deletes it")
        self.configuration = configurations.decode(record, self._sealer)
        self.provider = self.provider_for(self.configuration)

    def put_of(self, configuration: Configuration) -> Put:
        """What stores a configuration; its revisions don't matter."""
        return configurations.put(configuration, self._sealer)

    def configuration_in(self, value: bytes) -> Configuration:
        """The configuration in a value of `put_of`."""
        return configurations.decode(Record(CONFIGURATION_KEY, value, ORIGIN, 0, 0), self._sealer)

    async def replace(
        self, roots: Iterable[Root], intermediate: Intermediate, also: tuple[Put, ...] = ()
    ) -> bool:
        """Trust these roots and sign with this intermediate, durably; ``also`` is stored in the same step.

        For those who have ``changing``. False: another server has changed the authority, and that counts now.

        Raises:
            ValueError: see `Authority.of`.
        """
        current = self.authority
        wanted = Authority.of(current.trust_domain, roots, intermediate)
        txn = Txn(
            (stored.put(wanted, self._sealer), *also), expects=(Expect(AUTHORITY_KEY, current.modified),)
        )
        outcome = await self._store.commit(txn, ORIGIN)
        await self._load_authority(current.trust_domain)
        if any(put.key == CONFIGURATION_KEY for put in also):
            await self._load_configuration()
        self._tell()
        return not isinstance(outcome, Conflict)

    async def adopt(self, wanted: Authority, configuration: Configuration, also: Txn) -> bool:
        """Become part of another mesh, durably; ``also`` is stored in the same step.

        What else is kept under ``ca/`` goes, such as the keys of roots: nobody trusts those any more. For
        those who have ``changing``. False: something was not as expected, and nothing has changed.
        """
        _, found = await self._store.list("ca/")
        puts = (
            Put(TRUST_DOMAIN_KEY, wanted.trust_domain.encode()),
            stored.put(wanted, self._sealer),
            self.put_of(configuration),
        )
        gone = {record.key for record in found} - {put.key for put in puts}
        txn = Txn(
            (*puts, *also.puts),
            (*gone, *also.deletes),
            (Expect(AUTHORITY_KEY, self.authority.modified), *also.expects),
        )
        if isinstance(await self._store.commit(txn, ORIGIN), Conflict):
            return False
        await self._load_authority(wanted.trust_domain)
        await self._load_configuration()
        self._tell()
        return True

    async def _load_authority(self, trust_domain: str) -> None:
        record = await self._store.get(AUTHORITY_KEY)
        if record is None:
            raise RuntimeError(f"{AUTHORITY_KEY} is gone, and nobody deletes it")
        self.authority = stored.decode(record, trust_domain, self._sealer)
        self._signer = self.authority.signer

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    async def renew(self) -> None:
        """Take another intermediate, of the same root.

        Raises:
            RefusedError: the provider gives none.
        """
        await self._renew(self.configuration.intermediate_lifetime)

    async def _renew(self, lifetime: timedelta, also: tuple[Put, ...] = ()) -> None:
        async with self.changing:
            active = self.authority.active
            made = await new_intermediate(self.provider, active, self.authority.trust_domain, lifetime)
            await self.replace(self.authority.roots, made, also)
        log.info("the intermediate was renewed", not_after=str(made.certificate.not_valid_after_utc))

    async def renew_if_due(self) -> None:
        """Renew the intermediate once half its life has passed; what hinders it is logged."""
        if not is_due(self.authority, self.configuration.intermediate_lifetime, self.clock()):
            return
        try:
            await self.renew()
        except (RefusedError, CommitFailedError) as error:
            end = self.authority.intermediate.certificate.not_valid_after_utc
            log.warning(
                "the intermediate can't be renewed; trying again", error=str(error), not_after=str(end)
            )

    def look_again(self) -> None:
        """Let `run` look now whether the intermediate is due."""
        self._look.set()

    async def run(self) -> None:
        """Renew the intermediate in time, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK.total_seconds()):
                    await self._look.wait()
            self._look.clear()
            await self.renew_if_due()


async def _no_rotation(_wanted: Configuration, _origin: Origin) -> None:
    what = (
        "another Provider, PrivateKeyType or PrivateKeyBits needs another root, and nothing here rotates it"
    )
    raise RefusedError(Problem(Place(path="Config"), what, "let a server do it", code=Code.TRUST))
