"""The demo's mesh as processes: the control plane, the applications, and an Envoy beside each of them."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from xdsmesh.bootstrap import HostPort, make_bootstrap
from xdsmesh.demo.errors import DemoError
from xdsmesh.demo.layout import SHIFT_MESH, Instance, Mesh, write_apps, write_config
from xdsmesh.demo.network import Network
from xdsmesh.demo.processes import Child, Processes

ENVOY_OPTIONS: Final = ("--concurrency", "1", "--log-level", "warning")

_LOOK_SECONDS: Final = 0.05
_NO_TOKENS: Final[Mapping[str, Path]] = {}


class RunningMesh:
    """Starts the processes in a folder of their own, and waits for them.

    ``config`` is the config folder of the control plane, ``data`` its data folder, ``http_addr`` its API.
    """

    def __init__(self, folder: Path, network: Network, processes: Processes, mesh: Mesh = SHIFT_MESH) -> None:
        self.config = folder / "config"
        self.data = folder / "data"
        self._mesh = mesh
        self._folder = folder
        self._network = network
        self._processes = processes
        self._server = network.host(mesh.server_host)
        self.http_addr = f"{self._server}:{network.http_port}"

    def write_config(self) -> None:
        """Write the mesh's config files."""
        self.config.mkdir()
        write_config(self.config, self._network, self._mesh)

    async def start_server(self, *flags: str) -> Child:
        """Start the control plane on the config files, with a data folder that outlives it."""
        command = [sys.executable, "-m", "xdsmesh", "server", *self._mesh.server_flags, *flags]
        command += ["--datacenter", self._mesh.datacenter]
        command += ["--config-dir", str(self.config), "--data-dir", str(self.data)]
        command += ["--http-addr", self.http_addr]
        command += ["--xds-addr", f"{self._server}:{self._network.xds_port}", "--dns-addr", "off"]
        command += ["--federation-addr", f"{self._server}:{self._network.federation_port}"]
        return await self._processes.start(f"server of {self._mesh.datacenter}", *command)

    async def start_apps(self) -> None:
        """Start the applications, in one process."""
        file = self._folder / "apps.json"
        write_apps(file, self._network, self._mesh)
        command = (sys.executable, "-m", "xdsmesh.demo.apps", str(file))
        await self._processes.start(f"apps of {self._mesh.datacenter}", *command)

    async def start_envoys(self, envoy: Path, tokens: Mapping[str, Path] = _NO_TOKENS) -> None:
        """Start a stock Envoy for each instance; ``tokens`` are the files with the tokens of services."""
        for each in self._mesh.instances:
            await self.start_envoy(envoy, each, tokens.get(each.service))

    async def start_envoy(
        self, envoy: Path, instance: Instance, token_file: Path | None = None, name: str = ""
    ) -> Child:
        """Start a stock Envoy for one instance, which shows a token if there is a file with one.

        ``name`` tells it from another Envoy of the same instance.
        """
        name = name or instance.id
        xds = HostPort(self._server, self._network.xds_port)
        admin = HostPort(self._network.host(instance.host), self._network.admin_port)
        bootstrap = make_bootstrap(instance.proxy, instance.service, xds, admin, token_file)
        file = self._folder / f"{name}.json"
        file.write_text(json.dumps(bootstrap), "utf-8")
        # Without hot restart an Envoy needs no base id, and leaves no shared memory behind.
        options = ("--disable-hot-restart", *ENVOY_OPTIONS)
        return await self._processes.start(f"envoy of {name}", str(envoy), "-c", str(file), *options)

    async def wait(self, condition: Callable[[], Awaitable[bool]], seconds: float, what: str) -> None:
        """Return when the condition holds.

        Raises:
            DemoError: it does not hold in time, or a process has ended.
        """
        deadline = time.monotonic() + seconds
        while not await condition():
            self._processes.check()
            if time.monotonic() > deadline:
                raise DemoError(f"waited {seconds:.0f} s in vain until {what}")
            await asyncio.sleep(_LOOK_SECONDS)
