"""A secondary trusts what the primary trusts, and signs below the root that is active there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from xdsmesh.ca import common_trust
from xdsmesh.ca.authority import Authority, Root, Standing
from xdsmesh.ca.certificates import create_request
from xdsmesh.ca.configuration import PRIMARY
from xdsmesh.ca.following import TrustFollower
from xdsmesh.ca.intermediate import Intermediate
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.keys import generate, key_pem
from xdsmesh.ca.renewal import new_intermediate
from xdsmesh.ca.sealing import Sealer
from xdsmesh.ca.stored import trust_problem
from xdsmesh.model.errors import RefusedError
from xdsmesh.model.facts import Batch, Fact
from xdsmesh.model.trust import P256
from xdsmesh.rotation.stages import Stage, roots_in
from xdsmesh.store.base import Expect, Put, Txn
from xdsmesh.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from xdsmesh.model.federation import Trust

YEAR = timedelta(days=365)


class Pair:
    """A primary, and a secondary that has joined it; ``is_cut`` is the link between them."""

    def __init__(self, primary: Issuer, secondary: Issuer) -> None:
        self.primary, self.secondary = primary, secondary
        self.store = MemoryStore()
        self.is_cut = False
        secondary.ask_primary = self._sign

    async def _sign(self, root_id: str, request: str, lifetime: timedelta) -> str:
        if self.is_cut:
            raise trust_problem("the link is cut", "wait")
        root = next(each for each in self.primary.authority.roots if each.id == root_id)
        return await self.primary.provider.sign_intermediate(root.certificate_pem, request, lifetime)

    def told(self) -> Trust:
        return common_trust.told(self.primary.authority)

    async def join(self) -> None:
        key, root = generate(P256), self.primary.authority.active
        request = create_request("corp.consul", key)
        pem = await self.primary.provider.sign_intermediate(root.certificate_pem, request, YEAR)
        intermediate = Intermediate.load(pem, key_pem(key))
        wanted = Authority.of("corp.consul", common_trust.taken(self.told()), intermediate)
        configuration = replace(self.secondary.configuration, provider=PRIMARY, primary="dc1")
        async with self.secondary.changing:
            assert await self.secondary.adopt(wanted, configuration, Txn())

    async def trust_another(self) -> None:
        """The first stage of a rotation."""
        provider, authority = self.primary.provider, self.primary.authority
        pem = await provider.generate_root()
        crossed = await provider.cross_sign(authority.active.certificate_pem, pem)
        await self.primary.replace(
            (*authority.roots, Root.load(pem, Standing.NEXT, crossed)), authority.intermediate
        )

    async def enter(self, stage: Stage) -> None:
        """One of the later ones."""
        roots = roots_in(stage, self.primary.authority.roots)
        active = next(each for each in roots if each.standing is Standing.ACTIVE)
        made = await new_intermediate(self.primary.provider, active, "corp.consul", YEAR)
        await self.primary.replace(roots, made)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[Callable[[], None]]:
        """The secondary follows; call what comes when the primary has told something."""
        follower = TrustFollower(self.secondary, self.told)
        running = asyncio.create_task(follower.run())
        yield lambda: follower.take(Batch(1, (Fact(("trust",), self.told()),)))
        running.cancel()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)

    def same_roots(self) -> bool:
        return self.primary.authority.roots == self.secondary.authority.roots


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def pair() -> Pair:
    primary = await Issuer.open(MemoryStore(), "corp.consul", now, Sealer.in_memory())
    secondary = await Issuer.open(MemoryStore(), None, now, Sealer.in_memory())
    made = Pair(primary, secondary)
    await made.join()
    return made


async def test_who_joins_keeps_no_root_of_its_own() -> None:
    store, sealer = MemoryStore(), Sealer.in_memory()
    secondary = await Issuer.open(store, None, now, sealer)
    primary = await Issuer.open(MemoryStore(), "corp.consul", now, Sealer.in_memory())
    told: list[str] = []
    secondary.listen(lambda: told.append(secondary.authority.trust_domain))
    await Pair(primary, secondary).join()
    assert told == ["corp.consul"]
    keys = [record.key for record in (await store.list("ca/"))[1]]
    assert keys == ["ca/authority", "ca/configuration", "ca/trust-domain"]
    again = await Issuer.open(store, None, now, sealer)
    assert again.authority.roots == primary.authority.roots
    assert (again.configuration.provider, again.configuration.primary) == ("primary", "dc1")
    leaf = again.issue("spiffe://corp.consul/ns/default/dc/dc2/svc/web")
    certificates = x509.load_pem_x509_certificates(leaf.chain_pem.encode())
    certificates[1].verify_directly_issued_by(primary.authority.active.certificate)


async def test_what_is_not_as_expected_changes_nothing(pair: Pair) -> None:
    before = pair.secondary.authority
    async with pair.secondary.changing:
        also = Txn((Put("federation/membership", b"{}"),), expects=(Expect("guard/entries", 7),))
        assert not await pair.secondary.adopt(before, pair.secondary.configuration, also)
    assert pair.secondary.authority == before


async def test_a_secondary_follows_each_stage_of_a_rotation(pair: Pair) -> None:
    async with pair.following() as hear:
        signs = pair.secondary.authority.intermediate
        await pair.trust_another()
        hear()
        await pair.until(pair.same_roots)
        assert pair.secondary.authority.intermediate.certificate == signs.certificate
        await pair.enter(Stage.ISSUING)
        hear()
        await pair.until(pair.same_roots)
        assert len(pair.secondary.authority.intermediates_pem) == 2, "the old root vouches for the new one"
        await pair.enter(Stage.RETIRING)
        hear()
        await pair.until(pair.same_roots)
        assert len(pair.secondary.authority.roots) == 1


async def test_all_roots_are_trusted_while_no_intermediate_of_the_new_one_can_be_had(pair: Pair) -> None:
    old = pair.secondary.authority.active
    await pair.trust_another()
    await pair.enter(Stage.ISSUING)
    pair.is_cut = True
    async with pair.following() as hear:
        hear()
        await pair.until(lambda: len(pair.secondary.authority.roots) == 2)
        assert pair.secondary.authority.active.id == old.id
        assert pair.secondary.bundle == pair.primary.bundle
        pair.is_cut = False
        hear()
        await pair.until(pair.same_roots)


async def test_the_intermediate_is_renewed_by_the_primary(pair: Pair) -> None:
    before = pair.secondary.authority.intermediate
    pair.is_cut = True
    with pytest.raises(RefusedError, match="the link is cut"):
        await pair.secondary.renew()
    assert pair.secondary.authority.intermediate.certificate == before.certificate
    pair.is_cut = False
    await pair.secondary.renew()
    renewed = pair.secondary.authority.intermediate.certificate
    assert renewed != before.certificate
    renewed.verify_directly_issued_by(pair.primary.authority.active.certificate)


async def test_a_secondary_makes_and_configures_no_root(pair: Pair) -> None:
    secondary = pair.secondary
    with pytest.raises(RefusedError, match=r"rotated in the primary datacenter \(ask the server of dc1"):
        secondary.check_has_roots()
    with pytest.raises(RefusedError, match="ask the server of dc1"):
        await secondary.provider.generate_root()
    with pytest.raises(RefusedError, match="ask the server of dc1"):
        await secondary.provider.cross_sign("", "")
