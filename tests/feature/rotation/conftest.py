"""The whole server in one process, and sidecars that answer to their secrets as they are told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
import httpx
import pytest
from cryptography import x509
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.discovery.v3 import discovery_pb2

from xdsmesh import __version__
from xdsmesh.api.about import About
from xdsmesh.api.serve import HttpServer
from xdsmesh.model.catalog import Node
from xdsmesh.model.resource import SECRET
from xdsmesh.store.memory import MemoryStore
from xdsmesh.xds.server import SERVICE, AdsServer

if TYPE_CHECKING:
    from tests.conftest import AtWork
    from xdsmesh.parts import ServerParts

PATIENCE = 10.0
NODE = Node("n1", "127.0.0.1", "dc1")


class Sidecar:
    """A delta stream that asks for its secrets, and acknowledges them unless it is told otherwise."""

    def __init__(self, channel: Any, node: str, type_url: str = SECRET) -> None:
        self._deaf_to: tuple[str, ...] = ()
        self._nacks = False
        self.held: dict[str, secret_pb2.Secret] = {}
        self._unanswered: list[Any] = []
        self._node = {"id": node}
        self._type_url = type_url
        self._call = channel.stream_stream(
            f"/{SERVICE}/DeltaAggregatedResources",
            request_serializer=lambda it: it.SerializeToString(),
            response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
        )()
        self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        await self._send(resource_names_subscribe=["leaf", "roots"] if self._type_url == SECRET else [])
        while (response := await self._call.read()) is not grpc.aio.EOF:
            self._unanswered.append(response)
            await self._answer()

    async def _answer(self) -> None:
        while self._unanswered and not self._is_deaf(self._unanswered[0]):
            response = self._unanswered.pop(0)
            if self._nacks:
                error = {"code": 13, "message": "no such\nroot"}
                await self._send(response_nonce=response.nonce, error_detail=error)
                continue
            for resource in response.resources:
                secret = secret_pb2.Secret()
                if resource.resource.Unpack(secret):
                    self.held[secret.name] = secret
            await self._send(response_nonce=response.nonce)

    def _is_deaf(self, response: Any) -> bool:
        return any(resource.name in self._deaf_to for resource in response.resources)

    async def be(self, *, deaf_to: tuple[str, ...] = (), nacks: bool = False) -> None:
        """Answer so from now on, also to what was left open: not to responses with these secrets."""
        self._deaf_to, self._nacks = deaf_to, nacks
        await self._answer()

    @property
    def roots(self) -> list[x509.Certificate]:
        """The roots that it believes."""
        pem = self.held["roots"].validation_context.trusted_ca.inline_string
        return x509.load_pem_x509_certificates(pem.encode())

    @property
    def chain(self) -> list[x509.Certificate]:
        """Its leaf, and what comes after that."""
        pem = self.held["leaf"].tls_certificate.certificate_chain.inline_string
        return x509.load_pem_x509_certificates(pem.encode())

    async def _send(self, **fields: Any) -> None:
        request = discovery_pb2.DeltaDiscoveryRequest(node=self._node, type_url=self._type_url, **fields)
        await self._call.write(request)

    async def ended(self) -> None:
        """Return once the server has ended the stream."""
        await self._call.code()

    async def close(self) -> None:
        self._call.cancel()
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
            await self._running


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when it holds, within a bound."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 - a status has no event to wait for
            await asyncio.sleep(0.01)


@dataclass
class Server:
    """A running server and what tests touch of it."""

    api: httpx.AsyncClient
    parts: ServerParts
    connect: Callable[..., Sidecar]

    async def sidecar(self, service: str) -> Sidecar:
        """A registered sidecar that has what it needs."""
        await self.register(service)
        sidecar = self.connect(f"{service}-1-sidecar-proxy")

        async def has_secrets() -> bool:
            return sidecar.held.keys() == {"leaf", "roots"}

        await until(has_secrets)
        return sidecar

    async def register(self, service: str) -> None:
        """Register an instance with a sidecar that is found healthy."""
        sidecar = {"SidecarService": {"Check": {"TTL": "1h", "Status": "passing"}}}
        body = {"Name": service, "ID": f"{service}-1", "Port": 80, "Connect": sidecar}
        answer = await self.api.put("/v1/agent/service/register?wait-for-proxies=60s", json=body)
        assert answer.status_code == 200, answer.text

    async def rotate(self) -> httpx.Response:
        """Ask for a rotation."""
        return await self.api.put("/v1/xdsmesh/ca/rotate")

    async def status(self) -> dict[str, Any]:
        """How far it is."""
        answer = await self.api.get("/v1/xdsmesh/ca/status")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def at(self, stage: str, *waiting: str) -> dict[str, Any]:
        """How it stands once it is in a stage, and these proxies are waited for."""
        shown: dict[str, Any] = {}
        names = {f"{each}-1-sidecar-proxy" for each in waiting}

        async def there() -> bool:
            nonlocal shown
            shown = await self.status()
            waited = {each["proxy"] for each in shown["waiting"]}
            return shown["rotation"] is not None and (shown["rotation"]["stage"], waited) == (stage, names)

        try:
            await until(there)
        except TimeoutError:
            pytest.fail(f"not {stage} with {names}: {shown}")
        return shown


@pytest.fixture
async def server(at_work: AtWork) -> AsyncIterator[Server]:
    async with at_work(MemoryStore(), NODE) as parts:
        http = HttpServer(parts.app(About(__version__, NODE, "corp.consul", xds_port=0)))
        ads = AdsServer(parts.loop, parts.admissions, parts.registry, lambda: datetime.now(UTC))
        await parts.loop.wait_revision(0)
        parts.rotations.acknowledgements.return_seconds = 0.4
        xds = f"127.0.0.1:{await ads.start('127.0.0.1:0')}"
        url = f"http://127.0.0.1:{await http.start('127.0.0.1', 0)}"
        sidecars: list[Sidecar] = []
        async with (
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as api,
            grpc.aio.insecure_channel(xds) as channel,
        ):

            def connect(node: str, type_url: str = SECRET) -> Sidecar:
                sidecars.append(Sidecar(channel, node, type_url))
                return sidecars[-1]

            yield Server(api, parts, connect)
            for sidecar in sidecars:
                await sidecar.close()
        await http.stop()
        await ads.stop(0)
