"""A caller's Envoy speaks only to the service that it means to reach."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.envoy.intentions.conftest import Services
    from xdsmesh.model.trust import Leaf

pytestmark = pytest.mark.envoy

CLIENT, FAKE, UPSTREAM_PORT = 30, 40, 9191


def _shows(services: Services, leaf: Leaf, file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    file.write_text(leaf.key_pem + leaf.chain_pem)
    context.load_cert_chain(file)
    context.load_verify_locations(cadata=services.parts.leaves.issuer.bundle.roots_pem)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    writer.close()


@pytest.mark.parametrize("shown", ["pay", "web"])
async def test_cve_2021_32574_an_upstream_that_shows_another_services_certificate_gets_no_request(
    services: Services, tmp_path: Path, shown: str
) -> None:
    network = services.network
    context = _shows(services, services.leaf(shown), tmp_path / "shown.pem")
    server = await asyncio.start_server(_answer, network.host(FAKE), network.sidecar_port, ssl=context)
    fake = {"Port": network.sidecar_port, "Checks": []}
    await services.write('Kind = "service-defaults"\nName = "pay"\nProtocol = "http"\n')
    await services.register(
        {"Name": "pay", "ID": "pay-1", "Address": network.host(FAKE), "Connect": {"SidecarService": fake}}
    )
    upstream = {
        "DestinationName": "pay",
        "LocalBindAddress": network.host(CLIENT),
        "LocalBindPort": UPSTREAM_PORT,
    }
    sidecar = {"Port": network.sidecar_port, "Proxy": {"Upstreams": [upstream]}}
    await services.register(
        {
            "Name": "client",
            "ID": "client-1",
            "Address": network.host(CLIENT),
            "Connect": {"SidecarService": sidecar},
        }
    )
    await services.start_envoy("client", CLIENT)
    await services.synced()
    upstream_url = f"http://{network.host(CLIENT)}:{UPSTREAM_PORT}/"
    stats_url = f"http://{network.host(CLIENT)}:{network.admin_port}/stats?filter=fail_verify_san"
    statuses: set[int] = set()
    async with server, httpx.AsyncClient() as client:

        async def has_asked() -> bool:
            statuses.add(await _status(client, upstream_url))
            refused = ": 1" in (await client.get(stats_url)).text
            return refused if shown == "web" else 200 in statuses

        await until(has_asked, "Envoy has met the other end")
    assert (200 in statuses) is (shown == "pay")


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + 20
    while not await condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        await asyncio.sleep(0.02)


async def _status(client: httpx.AsyncClient, url: str) -> int:
    try:
        return (await client.get(url)).status_code
    except httpx.ConnectError:
        return 0  # Envoy does not listen yet
