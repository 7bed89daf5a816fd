"""How far a dialled address leads, against servers that are real."""

import asyncio
import random
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.sealing import Sealer
from xdsmesh.ca.server_certificate import ServerCertificate, ServerNames
from xdsmesh.ca.tls import load_leaf
from xdsmesh.federation.diagnosis import Step
from xdsmesh.federation.probing import probe, probe_context
from xdsmesh.model.trust import Leaf, TrustBundle
from xdsmesh.store.memory import MemoryStore

NAME = "server.dc1.consul"


class Mesh:
    """A certificate authority, and a certificate of a control plane."""

    def __init__(self, leaf: Leaf, bundle: TrustBundle) -> None:
        self.leaf = leaf
        self.bundle = bundle

    @property
    def client(self) -> ssl.SSLContext:
        return probe_context(self.leaf, self.bundle)

    @property
    def server(self) -> ssl.SSLContext:
        """As a control plane listens: whoever comes must be of this mesh."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=self.bundle.roots_pem)
        context.set_alpn_protocols(["h2"])
        load_leaf(context, self.leaf)
        return context


async def make_mesh(datacenter: str = "dc1", age: timedelta = timedelta()) -> Mesh:
    def clock() -> datetime:
        return datetime.now(UTC) - age

    issuer = await Issuer.open(MemoryStore(), "corp.consul", clock, Sealer.in_memory())
    certificate = await ServerCertificate.make(issuer, ServerNames(datacenter), clock, random.uniform)
    return Mesh(certificate.leaf, issuer.bundle)


@pytest.fixture
async def mesh() -> Mesh:
    return await make_mesh()


@asynccontextmanager
async def listening(context: ssl.SSLContext | None, greeting: bytes = b"settings") -> AsyncIterator[str]:
    """A server that greets, or hangs up at once if it has nothing to say; its address."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if greeting:
            writer.write(greeting)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_control_plane_that_is_there_is_reached(mesh: Mesh) -> None:
    async with listening(mesh.server) as address:
        assert (await probe(address, NAME, mesh.client)).step is Step.THROUGH


async def test_an_address_where_nobody_listens_is_told_as_such(mesh: Mesh) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        probed = await probe(address, NAME, mesh.client)
    assert (probed.step, probed.reason, probed.address) == (Step.CONNECT, "connection refused", address)


async def test_a_gateway_that_knows_no_such_name_closes_before_any_certificate(mesh: Mesh) -> None:
    async with listening(None, b"") as address:
        probed = await probe(address, NAME, mesh.client)
    assert (probed.step, probed.reason) == (Step.HANDSHAKE, "the connection was closed")


async def test_a_gateway_that_never_answers_is_not_waited_for_long(mesh: Mesh) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        probed = await probe(address, NAME, mesh.client, seconds=0.3)
    assert (probed.step, probed.reason) == (Step.HANDSHAKE, "nobody answers")


async def test_the_root_of_another_mesh_is_not_believed(mesh: Mesh) -> None:
    other = await make_mesh()
    async with listening(other.server) as address:
        probed = await probe(address, NAME, mesh.client)
    assert probed.step is Step.CERTIFICATE
    assert "certificate" in probed.reason


async def test_a_certificate_that_has_expired_or_is_anothers_is_not_believed(mesh: Mesh) -> None:
    async with listening(mesh.server) as address:
        probed = await probe(address, "server.dc2.consul", mesh.client)
    assert probed.step is Step.CERTIFICATE
    assert "server.dc2.consul" in probed.reason
    old = await make_mesh(age=timedelta(days=30))
    async with listening(old.server) as address:
        probed = await probe(address, NAME, old.client)
    assert (probed.step, probed.reason) == (Step.CERTIFICATE, "certificate has expired")


async def test_that_the_other_side_does_not_believe_us_is_told_apart(mesh: Mesh) -> None:
    other = await make_mesh()
    server = mesh.server  # knows no root but its own
    client = probe_context(other.leaf, mesh.bundle)
    async with listening(server) as address:
        probed = await probe(address, NAME, client)
    assert probed.step is Step.ADMISSION
