"""Leaves are renewed, and roots rotated, under load: no request fails, and no CDS or LDS is sent."""

from __future__ import annotations

import asyncio
import os
import random
import ssl
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from cryptography import x509

from xdsmesh import __version__
from xdsmesh.api.about import About
from xdsmesh.api.serve import HttpServer
from xdsmesh.bootstrap import find_envoy
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.sealing import Sealer
from xdsmesh.demo.control import Control
from xdsmesh.demo.layout import ADMINS, CLIENT, INSTANCES, SERVER_HOST
from xdsmesh.demo.load import Client, Load, failures
from xdsmesh.demo.network import Network, claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.demo.running import RunningMesh
from xdsmesh.folder import ConfigFolder
from xdsmesh.model.catalog import Node
from xdsmesh.store.memory import MemoryStore
from xdsmesh.xds.server import AdsServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.conftest import AtWork
    from tests.envoy.conftest import Mesh

pytestmark = pytest.mark.envoy

PATIENCE: Final = 30
UPDATES: Final = ("cluster_manager.cds.update_success", "listener_manager.lds.update_success")
ADMIN: Final = ADMINS[0]
PATH: Final = "/admin/x"
ROTATIONS: Final = 5
LEAF_LIFETIME: Final = timedelta(seconds=4)
RENEWALS: Final = 3


class Envoys:
    """The Envoys of the mesh, by their admin ports."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def reuse_no_connection(self) -> None:
        """Let each close every connection after one answer, so that each request begins with a handshake."""
        for instance in INSTANCES:
            await self._ask("POST", instance.host, "/healthcheck/fail")

    async def updates(self) -> dict[str, int]:
        """How many clusters' and listeners' updates each has taken."""
        return {
            f"{instance.id} {name}": count
            for instance in INSTANCES
            for name, count in (await self._stats(instance.host)).items()
            if name in UPDATES
        }

    async def handshakes(self) -> int:
        """How many TLS handshakes there were, on either side."""
        stats = [await self._stats(instance.host) for instance in INSTANCES]
        return sum(count for each in stats for name, count in each.items() if name.endswith("ssl.handshake"))

    async def shown(self, root_pem: str, leaf: dict[str, Any], folder: Path) -> x509.Certificate:
        """The leaf that an Envoy shows to a caller with a leaf, who trusts one root only.

        Raises:
            ssl.SSLError: one of them does not believe the other.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(cadata=root_pem)
        file = folder / "caller.pem"
        file.write_text(leaf["PrivateKeyPEM"] + leaf["CertPEM"])
        context.load_cert_chain(file)
        place = self._network.host(ADMIN.host), self._network.sidecar_port
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(*place, ssl=context)
            try:
                writer.write(b"GET / HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")
                assert (await reader.readline()).startswith(b"HTTP/1.1 200"), "its leaf is believed"
                der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            finally:
                writer.close()
        return x509.load_der_x509_certificate(der)

    async def _stats(self, host: int) -> dict[str, int]:
        text = await self._ask("GET", host, "/stats?type=Counters")
        pairs = (line.rpartition(": ") for line in text.splitlines())
        return {name: int(count) for name, _, count in pairs}

    async def _ask(self, method: str, host: int, path: str) -> str:
        url = f"http://{self._network.host(host)}:{self._network.admin_port}{path}"
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as admin:
            return (await admin.request(method, url)).raise_for_status().text


async def sent(control: Control) -> dict[tuple[str, str], int]:
    """How many responses each proxy was sent of each type but secrets."""
    return {
        (proxy.proxy, each.type): each.responses
        for proxy in (await control.snapshot()).connected
        for each in proxy.types
        if each.type != "SDS"
    }


async def secrets(control: Control) -> dict[str, int]:
    """How many responses with secrets each proxy has acknowledged."""
    return {
        proxy.proxy: each.responses
        for proxy in (await control.snapshot()).connected
        for each in proxy.types
        if each.type == "SDS"
    }


async def test_rotations_of_the_root_fail_no_request(mesh: Mesh, tmp_path: Path) -> None:
    network, envoys = mesh.network, Envoys(mesh.network)
    url = f"http://{network.host(SERVER_HOST)}:{network.http_port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False) as api, Control(url) as control:

        async def roots() -> str:
            return (await api.get("/v1/connect/ca/roots?pem=true")).text

        async def leaf() -> dict[str, Any]:
            found: dict[str, Any] = (await api.get("/v1/agent/connect/ca/leaf/client")).json()
            return found

        old, old_leaf = await roots(), await leaf()
        before = await envoys.shown(old, old_leaf, tmp_path)
        await mesh.wait(lambda: mesh.client.passes(PATH), "a request passes")
        await envoys.reuse_no_connection()
        updates, responses = await envoys.updates(), await sent(control)
        assert len(updates) == len(UPDATES) * len(INSTANCES)
        load = Load(mesh.client, PATH)
        async with load:
            await mesh.answers(load)
            handshakes = await envoys.handshakes()
            await mesh.answers(load)
            assert await envoys.handshakes() > handshakes + 600, "each request begins with handshakes"
            told = [await rotate(url) for _ in range(ROTATIONS)]
            await mesh.answers(load)
        assert failures(load.answers) == {}
        assert await sent(control) == responses
        assert await envoys.updates() == updates

        new, new_leaf = await roots(), await leaf()
        assert new != old
        for lines in told:
            assert [line.split(":")[0] for line in lines[:3]] == ["trusting", "issuing", "retiring"]
        after = await envoys.shown(new, new_leaf, tmp_path)
        assert after.issuer != before.issuer
        with pytest.raises(ssl.SSLError):
            await envoys.shown(old, old_leaf, tmp_path)  # TLS 1.3: the caller hears of it when it reads


async def rotate(url: str) -> list[str]:
    """What the command prints."""
    command = [sys.executable, "-m", "xdsmesh", "ca", "rotate"]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "XDSMESH_HTTP_ADDR": url},
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
    return out.decode().splitlines()


@asynccontextmanager
async def serving(at_work: AtWork, network: Network, folder: Path) -> AsyncIterator[None]:
    """A server on the config files of a folder, whose leaves live for seconds."""

    def now() -> datetime:
        return datetime.now(UTC)

    store, node = MemoryStore(), Node("n1", "127.0.0.1", "dc1")
    issuer = await Issuer.open(store, "corp.consul", now, Sealer.in_memory(), leaf_lifetime=LEAF_LIFETIME)
    host = network.host(SERVER_HOST)
    async with at_work(store, node, issuer, random.uniform) as parts:
        await ConfigFolder(folder, parts.repository).load()
        ads = AdsServer(parts.loop, parts.admissions, parts.registry, now)
        port = await ads.start(f"{host}:{network.xds_port}")
        http = HttpServer(parts.app(About(__version__, node, "corp.consul", port)))
        await http.start(host, network.http_port)
        try:
            yield
        finally:
            await http.stop()
            await ads.stop(0)


async def test_renewals_of_leaves_fail_no_request(at_work: AtWork, tmp_path: Path) -> None:
    with claimed_network() as network:
        url = f"http://{network.host(SERVER_HOST)}:{network.http_port}"
        upstream = f"http://{network.host(CLIENT.host)}:{network.upstream_port}"
        envoys, proxies = Envoys(network), [instance.proxy for instance in INSTANCES]
        async with Processes(tmp_path) as processes, Control(url) as control, Client(upstream) as client:
            running = RunningMesh(tmp_path, network, processes)
            running.write_config()
            async with serving(at_work, network, running.config):
                await running.start_apps()
                await running.start_envoys(find_envoy())
                await running.wait(control.found, PATIENCE, "all sidecars are found to listen")
                await running.wait(lambda: client.passes(PATH), PATIENCE, "a request passes")
                await envoys.reuse_no_connection()
                updates, responses, before = (
                    await envoys.updates(),
                    await sent(control),
                    await secrets(control),
                )

                async def renewed() -> bool:
                    counts = await secrets(control)
                    return all(counts[proxy] >= before[proxy] + RENEWALS for proxy in proxies)

                load = Load(client, PATH)
                async with load:
                    await running.wait(renewed, PATIENCE, "the leaves are renewed")
                assert failures(load.answers) == {}
                assert await sent(control) == responses
                assert await envoys.updates() == updates
