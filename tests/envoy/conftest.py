"""The demo's mesh of stock Envoys, to change while it runs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from xdsmesh.bootstrap import find_envoy
from xdsmesh.demo.control import Control
from xdsmesh.demo.layout import CLIENT, INSTANCES, SERVER_HOST, WEB
from xdsmesh.demo.load import Answer, Client, Load
from xdsmesh.demo.network import Network, claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.demo.running import RunningMesh


class Mesh:
    """The demo's mesh, whose config files a test changes while it runs."""

    def __init__(
        self, running: RunningMesh, network: Network, processes: Processes, control: Control, client: Client
    ) -> None:
        self.client = client
        self.network = network
        self._running = running
        self._processes = processes
        self._control = control
        self._revision = 0

    @property
    def upstream(self) -> str:
        return f"http://{self.network.host(CLIENT.host)}:{self.network.upstream_port}"

    async def change(self, files: dict[str, str | None]) -> None:
        """Write or remove config files, in order; return when every proxy has acknowledged what follows."""
        for name, text in files.items():
            before = max(proxy.revision for proxy in (await self._control.snapshot()).connected)
            if text is None:
                (self._running.config / name).unlink()
            else:
                draft = self._running.config.parent / f"{name}.new"
                draft.write_text(text)
                draft.replace(self._running.config / name)
            await self.wait(partial(self._control.at_revision, before + 1), f"{name} is taken in")
        await self.synced()

    async def synced(self) -> None:
        """Return when all registered proxies are connected and healthy, and hold what they should."""
        registered = {each.proxy for each in INSTANCES if (each is not WEB or self.has("web.hcl"))}
        await self.wait(lambda: self._control.synced(registered), "all proxies are in sync")
        await self.wait(self._control.found, "all sidecars are found to listen")

    def has(self, name: str) -> bool:
        return (self._running.config / name).exists()

    async def wait(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        await self._running.wait(condition, 30, what)

    async def kill_envoy(self, name: str) -> None:
        await self._processes.kill(next(it for it in self._processes._children if it.name == name))

    def text(self, name: str) -> str:
        return (self._running.config / name).read_text()

    async def answers(self, load: Load, count: int = 300) -> list[Answer]:
        """The answers to so many requests that are sent from now on."""
        begin = len(load.answers)
        await self.wait(lambda: load.has_sent(begin + 16), "requests that were under way are answered")
        begin = len(load.answers)
        await self.wait(lambda: load.has_sent(begin + count), f"{count} more requests are answered")
        return load.answers[begin:]


@pytest.fixture
async def mesh(tmp_path: Path) -> AsyncIterator[Mesh]:
    with claimed_network() as network:
        api = f"http://{network.host(SERVER_HOST)}:{network.http_port}"
        upstream = f"http://{network.host(CLIENT.host)}:{network.upstream_port}"
        async with Processes(tmp_path) as processes, Control(api) as control, Client(upstream) as client:
            running = RunningMesh(tmp_path, network, processes)
            running.write_config()
            await running.start_server()
            await running.start_apps()
            await running.wait(control.answers, 20, "the server answers")
            await running.start_envoys(find_envoy())
            mesh = Mesh(running, network, processes, control, client)
            await mesh.synced()
            yield mesh
