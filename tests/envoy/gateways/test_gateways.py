"""Calls cross from datacenter to datacenter through mesh gateways, which see nothing of them."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.envoy.gateways.conftest import DB_SNI, DEFAULTS, GATEWAY_PORT, PATIENCE, until, until_listening
from xdsmesh.model.federation import RemoteGateway, RemoteGateways

if TYPE_CHECKING:
    from tests.envoy.gateways.conftest import World

pytestmark = pytest.mark.envoy


@pytest.mark.parametrize("mode", ["none", "local", "remote"])
async def test_a_call_crosses_in_every_mode_and_intentions_hold(world: World, mode: str) -> None:
    await world.use(mode)
    allowed = await world.answers("api", 200)
    denied = await world.ask("web")

    assert allowed.text in ("db-1", "db-2")
    assert denied.status_code == 403
    through = [await _forwarded(world, name) for name in ("dc1-gateway-1", "dc2-gateway-1")]
    assert [each > 0 for each in through] == [mode == "local", mode != "none"]


@pytest.mark.parametrize("mode", ["none", "local", "remote"])
async def test_bytes_cross_in_every_mode_and_intentions_hold(world: World, mode: str) -> None:
    for datacenter in (world.here, world.there):
        await datacenter.write(DEFAULTS.replace('"http"', '"tcp"') + f'MeshGateway {{ Mode = "{mode}" }}')
    assert (await world.answers("api", 200)).text in ("db-1", "db-2")
    with pytest.raises(httpx.TransportError):
        await world.ask("web")


@pytest.mark.parametrize("protocol", ["http2", "grpc"])
async def test_requests_over_http2_cross_and_are_judged_where_they_arrive(
    world: World, protocol: str
) -> None:
    for datacenter in (world.here, world.there):
        await datacenter.write(DEFAULTS.replace('"http"', f'"{protocol}"') + 'MeshGateway { Mode = "local" }')
    await world.answers("web", 403)
    # The application speaks HTTP/1.1 alone, which its own Envoy finds out: the request has come so far.
    assert (await world.answers("api", 502)).text.endswith("protocol error")


async def _forwarded(world: World, gateway: str) -> int:
    """How many connections a gateway has forwarded."""
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        text = (await client.get(f"{world.admin(gateway)}/stats?filter=mesh_gateway.*cx_total")).text
    return sum(int(line.rpartition(": ")[2]) for line in text.splitlines())


@pytest.mark.parametrize(
    "name", ["db.default.dc1.internal.test.consul", "gateway", "dc2.internal.test.consul", "leaf", None]
)
async def test_a_server_name_that_is_not_routable_gets_nothing(world: World, name: str | None) -> None:
    context = world.context("api")
    with pytest.raises((ConnectionError, ssl.SSLError, asyncio.IncompleteReadError)):
        await _connect(world, context, name)
    if name:
        await until(lambda: name in world.log("dc2-gateway-1"), "the gateway has logged who asked for what")


async def test_a_service_named_like_another_but_for_case_stops_neither_it_nor_the_gateway(
    world: World,
) -> None:
    await world.use("local")
    sidecar = {"Port": world.network.sidecar_port}
    other = {"Name": "DB", "Address": world.host("spare"), "Port": world.network.app_port}
    await world.there.register({**other, "Connect": {"SidecarService": sidecar}})
    await world.there.synced()  # Envoy takes what it is told
    for _ in range(5):
        assert (await world.answers("api", 200)).text in ("db-1", "db-2")


async def test_plain_text_gets_nothing(world: World) -> None:
    reader, writer = await asyncio.open_connection(world.host("dc2-gateway-1"), GATEWAY_PORT)
    writer.write(b"GET / HTTP/1.1\r\nhost: db\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionError):  # as good
            assert await reader.read() == b""


async def test_a_gateway_holds_no_key_no_certificate_and_no_secret(world: World) -> None:
    await world.use("local")
    await world.answers("api", 200)
    for gateway in ("dc1-gateway-1", "dc2-gateway-1"):
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            dump = (await client.get(f"{world.admin(gateway)}/config_dump?include_eds")).text
            certificates = (await client.get(f"{world.admin(gateway)}/certs")).json()
        assert DB_SNI in dump or "dc2.internal" in dump, "it is this gateway's configuration"
        for word in ("private_key", "tls_certificate", "validation_context", '"transport_socket"', "BEGIN"):
            assert word not in dump
        (secrets,) = (each for each in json.loads(dump)["configs"] if "SecretsConfigDump" in each["@type"])
        assert secrets.keys() == {"@type"}, "it was never sent one"
        assert not any(certificates.get("certificates", ()))


async def test_who_listens_at_the_gateway_sees_nothing_of_the_call(world: World) -> None:
    seen = bytearray()
    spy = await asyncio.start_server(
        lambda reader, writer: _spy(world, seen, reader, writer), world.network.host(99), GATEWAY_PORT
    )
    async with spy:
        await world.knows_gateways((world.network.host(99), GATEWAY_PORT))
        await world.use("remote")
        await world.answers("api", 200)
        answer = await world.ask("api", {"x-word": "plain-word-of-the-caller"})

    assert answer.status_code == 200
    assert DB_SNI.encode() in seen, "the server name is what a gateway goes by"
    assert b"plain-word-of-the-caller" not in seen
    assert b"HTTP/1.1" not in seen


async def test_what_comes_and_goes_closes_no_connection_of_others(world: World) -> None:
    reader, writer = await _connect(world, world.context("api"), DB_SNI)
    assert await _asked(reader, writer) == "200"
    await world.there.register({"Name": "other", "Port": 9000, "Connect": {"SidecarService": {"Port": 9001}}})
    gateways = RemoteGateways((RemoteGateway("g", "127.0.0.1", 1),))
    await world.there.learn("dc3", "gateways", gateways)
    await world.there.synced()
    other = "other.default.dc2.internal.test.consul"
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        dump = (await client.get(f"{world.admin('dc2-gateway-1')}/config_dump")).text
    assert other in dump
    assert "dc3.internal" in dump
    await asyncio.sleep(2)  # longer than a connection is given that must end

    assert await _asked(reader, writer) == "200"
    writer.close()


async def test_a_gateway_may_be_known_by_a_host_name(world: World, unused_tcp_port: int) -> None:
    binds = {"out": {"address": "127.0.0.1", "port": unused_tcp_port}}
    config = {"envoy_gateway_bind_addresses": binds}
    await world.start_gateway(world.there, 2, Proxy={"Config": config})
    await until_listening("127.0.0.1", unused_tcp_port)
    await world.knows_gateways(("localhost", unused_tcp_port))
    await world.use("remote")
    assert (await world.answers("api", 200)).text.startswith("db")
    await world.use("local")
    assert (await world.answers("api", 200)).text.startswith("db")


async def _connect(
    world: World, context: ssl.SSLContext, name: str | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A caller's connection through the gateway of dc2, that asks for a server name."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(world.host("dc2-gateway-1"), GATEWAY_PORT)
        await writer.start_tls(context, server_hostname=name)
        return reader, writer


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """The status of the answer to one more request."""
    writer.write(b"GET / HTTP/1.1\r\nhost: db\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
    return head.split()[1].decode()


async def _spy(world: World, seen: bytearray, *client: Any) -> None:
    """Forward a connection to the gateway of dc2, and take note of all that passes."""
    server = await asyncio.open_connection(world.host("dc2-gateway-1"), GATEWAY_PORT)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            seen.extend(data)
            writer.write(data)
        writer.close()

    await asyncio.gather(pump(client[0], server[1]), pump(server[0], client[1]), return_exceptions=True)
