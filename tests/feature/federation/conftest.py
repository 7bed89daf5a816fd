"""Two datacenters, dc1 the primary and dc2, each with its HTTP API on a real socket."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from xdsmesh.api.about import About
from xdsmesh.api.serve import HttpServer
from xdsmesh.catalog.codec import encode_federated
from xdsmesh.catalog.keys import CURSOR, ENTRIES, GUARD, MEMBER, MEMBERSHIP, remote_key, shared_key
from xdsmesh.federation.errors import NoRouteError, UnreachableError
from xdsmesh.federation.status import LinkState, LinkStatus
from xdsmesh.model.catalog import Node
from xdsmesh.model.federation import Cursor, Member, Membership
from xdsmesh.model.origin import Origin, Source
from xdsmesh.parts import ServerParts
from xdsmesh.store.base import Put, Txn
from xdsmesh.store.memory import MemoryStore

if TYPE_CHECKING:
    from tests.conftest import AtWork

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Peer:
    datacenter: str


@dataclass
class Link:
    """A link that works until it is cut."""

    own: str
    to: dict[str, ServerParts] = field(default_factory=dict)
    cut: bool = False
    ask_count: int = 0

    def status(self) -> tuple[LinkStatus, ...]:
        state = LinkState.DOWN if self.cut else LinkState.UP
        return tuple(LinkStatus(each, state, NOW, "127.0.0.1:8443") for each in sorted(self.to))

    def call(self, datacenter: str) -> Any:
        if datacenter not in self.to:
            raise NoRouteError(datacenter, "no gateway is known")
        self._far = self.to[datacenter]
        return self

    async def ask(self, request: Any, seconds: float) -> Any:
        if self.cut:
            raise UnreachableError("dc", "connection refused")
        async with asyncio.timeout(seconds):
            return await self._far.answering(Peer(self.own), request)


@dataclass
class Datacenter:
    name: str
    store: MemoryStore
    parts: ServerParts
    api: httpx.AsyncClient
    link: Link


@asynccontextmanager
async def _served(at_work: AtWork, name: str, store: MemoryStore, link: Link) -> AsyncIterator[Datacenter]:
    node = Node(f"server-{name}", "127.0.0.1", name)
    async with AsyncExitStack() as stack:
        parts = replace(await stack.enter_async_context(at_work(store, node)), links=link)
        server = HttpServer(parts.app(About("0.1.0", node, "corp.consul")))
        port = await server.start("127.0.0.1", 0)
        stack.push_async_callback(server.stop)
        stack.callback(parts.close)
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        api = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=unused, timeout=20)
        )
        yield Datacenter(name, store, parts, api, link)


async def _follow(primary: MemoryStore, secondary: MemoryStore) -> None:
    async for revision in primary.watch("", 0):
        origin = Origin(Source.PRIMARY, "dc1")
        entries = [each for each in revision.changes if each.key.startswith(ENTRIES)]
        puts = [Put(each.key, each.record.value) for each in entries if each.record]
        deletes = [each.key for each in entries if not each.record]
        cursor = encode_federated(Cursor("s", revision.number, NOW))
        puts += [Put(remote_key("dc1", CURSOR), cursor), Put(GUARD, str(revision.number).encode())]
        await secondary.commit(Txn(tuple(puts), tuple(deletes)), origin)


@pytest.fixture
async def datacenters(at_work: AtWork) -> AsyncIterator[tuple[Datacenter, Datacenter]]:
    one, two = MemoryStore(), MemoryStore()
    links = Link("dc1"), Link("dc2")
    server = Origin(Source.SERVER, "federation")
    members = {each: encode_federated(Member(each, each == "dc1", NOW)) for each in ("dc1", "dc2")}
    await one.commit(Txn(tuple(Put(shared_key(MEMBER + k), v) for k, v in members.items())), server)
    known = [Put(remote_key("dc1", MEMBER + k), v) for k, v in members.items()]
    known.append(Put(MEMBERSHIP, encode_federated(Membership("dc1", NOW))))
    await two.commit(Txn(tuple(known)), server)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(_served(at_work, "dc1", one, links[0]))
        second = await stack.enter_async_context(_served(at_work, "dc2", two, links[1]))
        links[0].to["dc2"], links[1].to["dc1"] = second.parts, first.parts
        following = asyncio.create_task(_follow(one, two))
        yield first, second
        following.cancel()
        await asyncio.wait((following,))


@pytest.fixture
def primary(datacenters: tuple[Datacenter, Datacenter]) -> Datacenter:
    return datacenters[0]


@pytest.fixture
def secondary(datacenters: tuple[Datacenter, Datacenter]) -> Datacenter:
    return datacenters[1]
