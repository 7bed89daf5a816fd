"""The server's own certificate: renewed in time, tried again when it can't be, and at once for a change."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder
from cryptography.x509.verification import Store as Trusted
from structlog.testing import capture_logs

from xdsmesh.ca.authority import Root, Standing
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.renewal import new_intermediate
from xdsmesh.ca.sealing import Sealer
from xdsmesh.ca.server_certificate import ServerCertificate, ServerNames
from xdsmesh.model.trust import Leaf
from xdsmesh.store.memory import MemoryStore

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIFETIME = timedelta(hours=1)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def issuer(clock: Clock) -> Issuer:
    return await Issuer.open(
        MemoryStore(), "mesh.example.com", clock, Sealer.in_memory(), leaf_lifetime=LIFETIME
    )


@pytest.fixture
async def certificate(issuer: Issuer, clock: Clock) -> AsyncIterator[ServerCertificate]:
    names = ServerNames("dc1", ("localhost",), ("127.0.0.1",))
    certificate = await ServerCertificate.make(issuer, names, clock, lambda low, _: low)
    running = asyncio.create_task(certificate.run())
    yield certificate
    running.cancel()


async def following(certificate: ServerCertificate, change: Callable[[], object]) -> Leaf:
    """The leaf that follows when something has changed."""
    told: asyncio.Queue[Leaf] = asyncio.Queue()
    certificate.listen(told.put_nowait)
    change()
    async with asyncio.timeout(10):
        leaf = await told.get()
    assert certificate.leaf is leaf
    return leaf


async def test_another_intermediate_makes_another_certificate_at_once(
    certificate: ServerCertificate, issuer: Issuer
) -> None:
    before = certificate.leaf
    renewing: list[asyncio.Task[None]] = []
    leaf = await following(certificate, lambda: renewing.append(asyncio.create_task(issuer.renew())))
    await renewing[0]
    assert leaf != before
    assert issuer.authority.intermediate.certificate_pem in leaf.chain_pem


async def test_who_knows_the_root_of_before_believes_the_server_while_it_vouches_for_the_next(
    certificate: ServerCertificate, issuer: Issuer, clock: Clock
) -> None:
    old = issuer.authority.active
    pem = await issuer.provider.generate_root()
    crossed = await issuer.provider.cross_sign(old.certificate_pem, pem)
    active = Root.load(pem, Standing.ACTIVE, crossed)
    made = await new_intermediate(issuer.provider, active, "mesh.example.com", timedelta(days=10))
    rotating: list[asyncio.Task[bool]] = []

    def rotate() -> None:
        roots = (active, replace(old, standing=Standing.RETIRING))
        rotating.append(asyncio.create_task(issuer.replace(roots, made)))

    leaf = await following(certificate, rotate)
    assert await rotating[0]
    for each in (old, active):
        verifier = PolicyBuilder().store(Trusted([each.certificate])).time(clock.now)
        first, *others = x509.load_pem_x509_certificates(leaf.chain_pem.encode())
        verifier.build_server_verifier(x509.DNSName("server.dc1.consul")).verify(first, others)


async def test_it_is_renewed_when_three_fifths_of_its_life_have_passed(issuer: Issuer, clock: Clock) -> None:
    certificate = await ServerCertificate.make(issuer, ServerNames("dc1"), clock, lambda low, _: low)
    before = certificate.leaf
    clock.now = START + LIFETIME * 0.59
    running = asyncio.create_task(certificate.run())
    await asyncio.sleep(0)
    assert certificate.leaf is before
    running.cancel()
    clock.now = START + LIFETIME * 0.61
    running = asyncio.create_task(certificate.run())
    async with asyncio.timeout(10):
        while certificate.leaf is before:  # noqa: ASYNC110 - a change that nobody announces
            await asyncio.sleep(0.001)
    running.cancel()
    assert certificate.leaf.not_after > before.not_after


async def test_a_certificate_that_cant_be_renewed_stays_and_the_log_says_why(
    issuer: Issuer, clock: Clock
) -> None:
    certificate = await ServerCertificate.make(issuer, ServerNames("dc1"), clock, lambda low, _: low)
    before = certificate.leaf
    clock.now = issuer.authority.intermediate.certificate.not_valid_after_utc
    with capture_logs() as log:
        running = asyncio.create_task(certificate.run())
        async with asyncio.timeout(10):
            while not log:  # noqa: ASYNC110 - a change that nobody announces
                await asyncio.sleep(0.001)
        running.cancel()
    assert certificate.leaf is before
    assert "expired" in log[0]["error"]
    assert before.key_pem not in str(log)
