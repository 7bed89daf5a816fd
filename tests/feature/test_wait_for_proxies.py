"""A write that waits: the whole server in one process, and proxies that answer as they are told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
import httpx
import pytest
from envoy.service.discovery.v3 import discovery_pb2

from xdsmesh import __version__
from xdsmesh.api.about import About
from xdsmesh.api.serve import HttpServer
from xdsmesh.api.wait_for_proxies import WaitForProxies
from xdsmesh.loop import Loop
from xdsmesh.model.catalog import Node
from xdsmesh.model.resource import CLUSTER, LISTENER
from xdsmesh.status import Registry
from xdsmesh.store.memory import MemoryStore
from xdsmesh.xds.server import SERVICE, AdsServer

if TYPE_CHECKING:
    from tests.conftest import AtWork

PATIENCE = 10.0
NODE = Node("n1", "127.0.0.1", "dc1")
WAIT = {"wait-for-proxies": "60s"}
"""Longer than a test may take: whoever waits so long waits in vain."""

RESOLVER = {"Kind": "service-resolver", "Name": "admin", "ConnectTimeout": "3s"}
ENTRY = "/v1/config/service-resolver/admin"


class Proxy:
    """A delta stream that asks for clusters and listeners, and answers while it is told to."""

    def __init__(self, channel: Any, node: str, *, variant: str = "ack") -> None:
        self.variant = variant
        self.received: list[str] = []
        self._node = {"id": node}
        self._call = channel.stream_stream(
            f"/{SERVICE}/DeltaAggregatedResources",
            request_serializer=lambda it: it.SerializeToString(),
            response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
        )()
        self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        for type_url in (CLUSTER, LISTENER):
            await self._send(type_url)
        while (response := await self._call.read()) is not grpc.aio.EOF:
            self.received.append(response.type_url)
            if self.variant == "ack":
                await self._send(response.type_url, response_nonce=response.nonce)
            elif self.variant == "nack":
                error = {"code": 13, "message": "no such\nthing"}
                await self._send(response.type_url, response_nonce=response.nonce, error_detail=error)

    async def _send(self, type_url: str, **fields: Any) -> None:
        await self._call.write(
            discovery_pb2.DeltaDiscoveryRequest(node=self._node, type_url=type_url, **fields)
        )

    async def close(self) -> None:
        self._call.cancel()
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
            await self._running


Connect = Callable[[str], Proxy]


@dataclass
class Server:
    """A running server and what tests touch of it."""

    api: httpx.AsyncClient
    loop: Loop
    registry: Registry
    waits: WaitForProxies
    xds: str

    async def register(self, name: str, *upstreams: str, service_id: str = "") -> None:
        calls = [{"DestinationName": each, "LocalBindPort": 9000 + n} for n, each in enumerate(upstreams)]
        own = {"TTL": "1h", "Status": "passing"}  # the usual ones probe a port that others may have
        sidecar = {"SidecarService": {"Check": own, "Proxy": {"Upstreams": calls}}}
        body = {"Name": name, "ID": service_id or f"{name}-1", "Port": 80, "Connect": sidecar}
        # That it waits is also why the proxy may come at once: the registration is applied then.
        told(await self.api.put("/v1/agent/service/register", json=body, params=WAIT))

    async def until_synced(self, *proxies: str) -> None:
        """Return when these have acknowledged all that there is."""
        revision = self.loop.revision

        def synced() -> bool:
            streams = self.registry.streams(proxies)
            return len(streams) == len(proxies) and all(
                each.progress.revision() >= revision and len(each.status().types) > 1 for each in streams
            )

        await until(synced)


@pytest.fixture
async def server(at_work: AtWork) -> AsyncIterator[Server]:
    async with at_work(MemoryStore(), NODE) as parts:
        http = HttpServer(parts.app(About(__version__, NODE, "corp.consul", xds_port=0)))
        ads = AdsServer(parts.loop, parts.admissions, parts.registry, lambda: datetime.now(UTC))
        await parts.loop.wait_revision(0)
        xds = f"127.0.0.1:{await ads.start('127.0.0.1:0')}"
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the default one reads all roots of the machine
        url = f"http://127.0.0.1:{await http.start('127.0.0.1', 0)}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=unused, timeout=PATIENCE) as api:
            yield Server(api, parts.loop, parts.registry, parts.waits, xds)
        await http.stop()
        await ads.stop(0)


@pytest.fixture
async def connect(server: Server) -> AsyncIterator[Connect]:
    proxies: list[Proxy] = []
    async with grpc.aio.insecure_channel(server.xds) as channel:

        def connect(node: str) -> Proxy:
            proxies.append(Proxy(channel, node))
            return proxies[-1]

        yield connect
        for proxy in proxies:
            await proxy.close()


@pytest.fixture
async def callers(server: Server, connect: Connect) -> dict[str, Proxy]:
    """Three sidecars that call the service admin, connected and in sync; and one that does not."""
    await server.register("admin")
    for number in (1, 2, 3):
        await server.register("web", "admin", service_id=f"web-{number}")
    await server.register("other")
    names = ["web-1", "web-2", "web-3", "other-1"]
    proxies = {name: connect(f"{name}-sidecar-proxy") for name in names}
    await server.until_synced(*(f"{name}-sidecar-proxy" for name in names))
    return proxies


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - a status has no event to wait for
            await asyncio.sleep(0.005)


def told(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    waited: dict[str, Any] = json.loads(response.headers["X-Xdsmesh-Wait"])
    return waited


async def while_waiting(
    server: Server, write: Awaitable[httpx.Response], do: Callable[[], Awaitable[None]]
) -> httpx.Response:
    """Do something while a write is held."""
    writing = asyncio.ensure_future(write)
    await until(lambda: bool(server.waits._waits))
    await do()
    return await writing


async def test_the_answer_comes_when_all_who_are_affected_have_acknowledged_it(
    server: Server, callers: dict[str, Proxy]
) -> None:
    before = len(callers["other-1"].received)
    response = await server.api.put("/v1/config", json=RESOLVER, params=WAIT)
    assert response.json() is True
    waited = told(response)
    assert (waited["proxies"], waited["waiting"]) == (3, [])
    assert 0 <= waited["p50_ms"] <= waited["p99_ms"]
    assert waited["revision"] == (await server.api.get(ENTRY)).json()["ModifyIndex"]
    assert "more" not in waited
    await server.until_synced("web-1-sidecar-proxy", "web-2-sidecar-proxy", "web-3-sidecar-proxy")
    assert len(callers["other-1"].received) == before, "it is not affected"


async def test_a_deletion_and_a_registration_wait_too(server: Server, callers: dict[str, Proxy]) -> None:
    del callers
    await server.api.put("/v1/config", json=RESOLVER, params=WAIT)
    assert told(await server.api.delete(ENTRY, params=WAIT))["proxies"] == 3
    body = {"Name": "other", "ID": "other-1", "Port": 81, "Connect": {"SidecarService": {}}}
    response = await server.api.put("/v1/agent/service/register", json=body, params=WAIT)
    assert told(response)["proxies"] == 1
    assert response.content == b""


async def test_who_does_not_answer_is_named_when_the_time_is_over(
    server: Server, callers: dict[str, Proxy]
) -> None:
    callers["web-2"].variant = "silent"
    waited = told(await server.api.put("/v1/config", json=RESOLVER, params={"wait-for-proxies": "200ms"}))
    assert waited["proxies"] == 3
    assert {"proxy": "web-2-sidecar-proxy", "why": "has not answered CDS"} in waited["waiting"]
    assert (await server.api.get(ENTRY)).json()["ConnectTimeout"] == "3s", "it is written all the same"


async def test_who_rejects_it_is_named_with_the_reason_and_what_it_was_made_from(
    server: Server, callers: dict[str, Proxy]
) -> None:
    callers["web-1"].variant = "nack"
    waited = told(await server.api.put("/v1/config", json=RESOLVER, params=WAIT))
    assert waited["proxies"] == 3
    ((laggard),) = waited["waiting"]
    assert laggard["proxy"] == "web-1-sidecar-proxy"
    assert laggard["why"].startswith("rejected CDS (admin.default.dc1.internal.corp.consul): no such thing")
    assert laggard["why"].endswith("; made from service-resolver/admin (API, 127.0.0.1)")
    # What it rejects again is told again; what mends it is a success.
    callers["web-1"].variant = "ack"
    assert told(await server.api.delete(ENTRY, params=WAIT))["waiting"] == []


async def test_a_listener_that_is_rejected_comes_from_a_registration(
    server: Server, callers: dict[str, Proxy]
) -> None:
    callers["web-1"].variant = "nack"
    call = {"DestinationName": "admin", "LocalBindPort": 9500}
    sidecar = {"SidecarService": {"Proxy": {"Upstreams": [call]}}}
    body = {"Name": "web", "ID": "web-1", "Port": 80, "Connect": sidecar}
    waited = told(await server.api.put("/v1/agent/service/register", json=body, params=WAIT))
    (laggard,) = waited["waiting"]
    assert "rejected LDS (" in laggard["why"]
    assert "admin:127.0.0.1:9500" in laggard["why"]
    assert laggard["why"].endswith("; made from service web-1-sidecar-proxy (API, 127.0.0.1)")


async def test_a_write_that_changes_nothing_affects_nobody(server: Server, callers: dict[str, Proxy]) -> None:
    for proxy in callers.values():
        proxy.variant = "silent"
    unused = {"Kind": "service-resolver", "Name": "nobody"}
    for body in (unused, unused):
        waited = told(await server.api.put("/v1/config", json=body, params=WAIT))
        assert (waited["proxies"], waited["p50_ms"], waited["p99_ms"]) == (0, None, None)
        assert waited["waiting"] == []


async def test_who_disconnects_is_not_waited_for(server: Server, callers: dict[str, Proxy]) -> None:
    silent = callers["web-3"]
    silent.variant = "silent"
    write = server.api.put("/v1/config", json=RESOLVER, params=WAIT)
    waited = told(await while_waiting(server, write, silent.close))
    assert waited["proxies"] == 2
    assert waited["waiting"] == [{"proxy": "web-3-sidecar-proxy", "why": "disconnected"}]


async def test_who_comes_back_is_not_said_to_be_gone(
    server: Server, callers: dict[str, Proxy], connect: Connect
) -> None:
    for name in ("web-1", "web-3"):
        callers[name].variant = "silent"

    async def come_back() -> None:
        await callers["web-3"].close()
        await until(lambda: not server.registry.streams(["web-3-sidecar-proxy"]))
        connect("web-3-sidecar-proxy")
        await server.until_synced("web-3-sidecar-proxy")
        await callers["web-1"].close()

    write = server.api.put("/v1/config", json=RESOLVER, params=WAIT)
    waited = told(await while_waiting(server, write, come_back))
    assert waited["proxies"] == 1
    assert waited["waiting"] == [{"proxy": "web-1-sidecar-proxy", "why": "disconnected"}]


async def test_a_proxy_that_is_deregistered_is_not_waited_for(
    server: Server, callers: dict[str, Proxy]
) -> None:
    callers["web-1"].variant = "silent"
    waited = told(await server.api.put("/v1/agent/service/deregister/web-1", params=WAIT))
    assert (waited["proxies"], waited["waiting"]) == (0, [])


@pytest.mark.parametrize("wait", ["soon", "-1s", "10"])
async def test_a_wait_that_is_no_duration_is_refused_before_anything_is_written(
    server: Server, wait: str
) -> None:
    for write in (
        server.api.put("/v1/config", json=RESOLVER, params={"wait-for-proxies": wait}),
        server.api.put("/v1/agent/service/deregister/nobody", params={"wait-for-proxies": wait}),
    ):
        response = await write
        assert response.status_code == 400
        assert response.text.startswith("Invalid wait-for-proxies: ")
        assert "X-Xdsmesh-Wait" not in response.headers
    assert (await server.api.get(ENTRY)).status_code == 404


async def test_a_write_that_is_refused_and_a_read_do_not_wait(server: Server) -> None:
    refused = await server.api.put("/v1/config", json={"Kind": "service-router"}, params=WAIT)
    assert refused.status_code == 400
    read = await server.api.get("/v1/agent/services", params={"wait-for-proxies": "soon"})
    assert read.status_code == 200
    for response in (refused, read):
        assert "X-Xdsmesh-Wait" not in response.headers


async def test_without_a_value_it_waits_ten_seconds(server: Server, callers: dict[str, Proxy]) -> None:
    del callers
    assert told(await server.api.put("/v1/config?wait-for-proxies", json=RESOLVER))["proxies"] == 3


async def test_while_it_waits_it_gathers_nothing(server: Server, callers: dict[str, Proxy]) -> None:
    callers["web-1"].variant = "silent"

    async def look() -> None:
        assert not server.loop._recordings
        callers["web-1"]._call.cancel()

    write = server.api.put("/v1/config", json=RESOLVER, params=WAIT)
    (waiting,) = told(await while_waiting(server, write, look))["waiting"]
    assert waiting["why"] == "disconnected"


async def test_a_server_that_stops_answers_who_waits(server: Server, callers: dict[str, Proxy]) -> None:
    callers["web-1"].variant = "silent"

    async def stop() -> None:
        await server.until_synced("web-2-sidecar-proxy", "web-3-sidecar-proxy")
        server.waits.close()

    write = server.api.put("/v1/config", json=RESOLVER, params=WAIT)
    assert len(told(await while_waiting(server, write, stop))["waiting"]) == 1
    body = {**RESOLVER, "ConnectTimeout": "4s"}
    assert told(await server.api.put("/v1/config", json=body, params=WAIT))["proxies"] == 3


async def test_a_caller_that_hangs_up_is_not_waited_with(server: Server, callers: dict[str, Proxy]) -> None:
    callers["web-1"].variant = "silent"
    writing = asyncio.ensure_future(server.api.put("/v1/config", json=RESOLVER, params=WAIT))
    await until(lambda: bool(server.waits._waits))
    writing.cancel()
    await until(lambda: not server.waits._waits)


async def test_many_who_lag_fit_in_a_header(server: Server, connect: Connect) -> None:
    await server.register("admin")
    names = [f"{'w' * 100}{number}-ü" for number in range(60)]
    for name in names:
        await server.register("web", "admin", service_id=name)
    proxies = [connect(f"{name}-sidecar-proxy") for name in names]
    await server.until_synced(*(f"{name}-sidecar-proxy" for name in names))
    for proxy in proxies:
        proxy.variant = "silent"
    response = await server.api.put("/v1/config", json=RESOLVER, params={"wait-for-proxies": "100ms"})
    waited = told(response)
    assert len(response.headers["X-Xdsmesh-Wait"]) < 8000
    assert 0 < len(waited["waiting"]) < 60
    assert len(waited["waiting"]) + waited["more"] == 60 == waited["proxies"]
    assert waited["waiting"][0]["proxy"] == f"{'w' * 100}0-ü-sidecar-proxy"


async def test_what_a_proxy_should_hold_is_shown_without_its_key(
    server: Server, callers: dict[str, Proxy]
) -> None:
    del callers
    path = "/v1/xdsmesh/proxy-config/web-1-sidecar-proxy"
    async with asyncio.timeout(PATIENCE):
        while not (answer := await server.api.get(path)).json()["resources"]["secrets"]:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    held = answer.json()
    assert held["connected"]
    assert {each["state"] for each in held["resources"]["clusters"]} == {"SYNCED"}
    assert {each["state"] for each in held["resources"]["secrets"]} == {"NOT SENT"}, "it has not asked"
    leaf = next(each for each in held["resources"]["secrets"] if each["name"] == "leaf")
    assert leaf["resource"]["tls_certificate"]["certificate_chain"]["inline_string"].startswith("-----BEGIN")
    assert leaf["resource"]["tls_certificate"]["private_key"] == {"inline_string": "[redacted]"}
    assert "PRIVATE KEY" not in answer.text


async def test_a_proxy_is_told_of_with_its_last_error_also_when_it_is_mended(
    server: Server, callers: dict[str, Proxy]
) -> None:
    path = "/v1/xdsmesh/proxies/web-1-sidecar-proxy"
    callers["web-1"].variant = "nack"
    await server.api.put("/v1/config", json=RESOLVER, params=WAIT)
    clusters = (await server.api.get(path)).json()["streams"][0]["types"][0]
    assert (clusters["state"], clusters["error"]) == ("ERROR", "no such thing")
    assert clusters["causes"] == ["service-resolver/admin (API, 127.0.0.1)"]
    callers["web-1"].variant = "ack"
    await server.api.put("/v1/config", json={**RESOLVER, "ConnectTimeout": "4s"}, params=WAIT)
    shown = (await server.api.get(path)).json()
    assert (shown["service"], shown["kind"]) == ("web", "connect-proxy")
    clusters = shown["streams"][0]["types"][0]
    assert (clusters["state"], clusters["error"], clusters["causes"]) == ("SYNCED", "", [])
    assert clusters["last_error"]["error"] == "no such thing"
    assert clusters["last_error"]["causes"] == ["service-resolver/admin (API, 127.0.0.1)"]
    listed = (await server.api.get("/v1/xdsmesh/proxies")).json()["connected"]
    assert {each["kind"] for each in listed} == {"connect-proxy"}


async def test_a_proxy_need_not_be_connected_to_be_told_of(server: Server) -> None:
    await server.register("slashes", service_id="a/b/config")
    proxy = "a%2Fb%2Fconfig-sidecar-proxy"
    shown = (await server.api.get(f"/v1/xdsmesh/proxies/{proxy}")).json()
    assert (shown["service"], shown["streams"]) == ("slashes", [])
    held = (await server.api.get(f"/v1/xdsmesh/proxy-config/{proxy}")).json()
    assert not held["connected"]
    (listener,) = held["resources"]["listeners"]
    assert (listener["name"].split(":")[0], listener["state"]) == ("public_listener", "NOT SENT")


async def test_an_unknown_proxy_is_told_with_the_nearest(server: Server) -> None:
    await server.register("web")
    for path in ("proxies", "proxy-config"):
        response = await server.api.get(f"/v1/xdsmesh/{path}/web-1-sidecar")
        assert response.status_code == 404
        assert response.text == (
            'no proxy "web-1-sidecar" is registered here (did you mean web-1-sidecar-proxy?)'
        )
    (response,) = [await server.api.get("/v1/xdsmesh/proxies/web-1")]
    assert response.status_code == 404, "it is no proxy"
