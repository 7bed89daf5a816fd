"""Two datacenters with their HTTP APIs on real sockets: dc1, the primary, and dc2."""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.feature.federation.conftest import until
from xdsmesh.api.about import About
from xdsmesh.api.serve import HttpServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.feature.federation.conftest import Datacenter, Mesh
    from xdsmesh.parts import ServerParts


@dataclass
class Served:
    """A datacenter, its API, its address, and the relay that stands for its gateway."""

    name: str
    datacenter: Datacenter
    api: httpx.AsyncClient
    relay: Any

    @property
    def parts(self) -> ServerParts:
        return self.datacenter.parts

    async def entry(self, path: str, **params: str) -> Any:
        return (await self.api.get(f"/v1/config/{path}", params=params)).json()


async def _serve(stack: AsyncExitStack, mesh: Mesh, datacenter: Datacenter) -> Served:
    parts = datacenter.parts
    server = HttpServer(parts.app(About("0.1.0", parts.repository.node, "corp.consul")))
    port = await server.start("127.0.0.1", 0)
    stack.push_async_callback(server.stop)
    stack.callback(parts.close)
    parts.overview.prove_by(datacenter.certificate)
    unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the default one reads all roots of the machine
    api = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=unused, timeout=40)
    await stack.enter_async_context(api)
    return Served(datacenter.name, datacenter, api, mesh.relays[datacenter.name])


@pytest.fixture
async def served(mesh: Mesh) -> AsyncIterator[tuple[Served, Served]]:
    """Both, linked."""
    async with AsyncExitStack() as stack:
        one, two = await mesh.start("dc1"), await mesh.start("dc2")
        first, second = await _serve(stack, mesh, one), await _serve(stack, mesh, two)
        await mesh.federate("dc1", "dc2")
        await until(lambda: one.is_up("dc2") and two.is_up("dc1"), "both are linked")
        yield first, second


@pytest.fixture
def primary(served: tuple[Served, Served]) -> Served:
    return served[0]


@pytest.fixture
def secondary(served: tuple[Served, Served]) -> Served:
    return served[1]
