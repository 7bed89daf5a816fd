"""One mesh of two datacenters: control planes, two mesh gateways each, sidecars and applications."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from tests.namespaces.calls import Calls
from tests.namespaces.control_plane import XDSMESH, ControlPlane, until
from xdsmesh.cli.gateways import Registration
from xdsmesh.demo.running import ENVOY_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.namespaces.datacenters import Datacenters
    from tests.namespaces.hosts import Host
    from tests.namespaces.services import Service
    from xdsmesh.demo.processes import Child

GATEWAYS: Final = ("gateway-1", "gateway-2")
GATEWAY_PORT: Final = 8443
ADMIN_PORT: Final = 19000
"""The admin interface of the first Envoy of a host, on its loopback; the next one has the next."""

GATEWAY_ADMIN_PORT: Final = 19009
"""That of a mesh gateway, which is not the only Envoy of its host if a service runs there."""

_PROGRAMS: Final = Path(__file__).with_name("programs")


class Mesh:
    """A context: dc1, the primary, and dc2 that has joined it, once ``start`` has returned."""

    def __init__(self, net: Datacenters, folder: Path) -> None:
        self.net = net
        self.gateways: dict[tuple[str, str], Child] = {}
        self._folder = folder
        self._tokens: dict[tuple[str, str], Path] = {}
        self._stack = AsyncExitStack()
        self.dc1, self.dc2 = (self._control_plane(name) for name in ("dc1", "dc2"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def start(self, entries: Sequence[dict[str, Any]], services: Sequence[Service]) -> None:
        """Bring it all up; return when every Envoy has what it should, and is found to listen."""
        both = (self.dc1, self.dc2)
        await asyncio.gather(*(each.start() for each in both))
        await self.dc1.put("/v1/xdsmesh/config", list(entries))
        for side in both:
            await self._register_gateways(side)
        await asyncio.gather(*(self.register(each) for each in services))
        await self._start_apps(services)
        await asyncio.gather(
            *(self.start_gateway(side, name) for side in both for name in GATEWAYS),
            *(self.start_sidecar(each) for each in services),
        )
        await asyncio.gather(*map(self.found, both))
        await self._join()
        await asyncio.gather(*map(self.found, both))

    def side(self, datacenter: str) -> ControlPlane:
        """The control plane of a datacenter."""
        return {"dc1": self.dc1, "dc2": self.dc2}[datacenter]

    def host(self, datacenter: str, name: str) -> Host:
        """A host of the network below."""
        return {"dc1": self.net.dc1, "dc2": self.net.dc2}[datacenter].host(name)

    async def register(self, service: Service) -> None:
        """Tell its control plane of a service and its sidecar."""
        address = self.host(service.datacenter, service.host).address
        await self.side(service.datacenter).put("/v1/agent/service/register", service.definition(address))

    async def start_sidecar(self, service: Service) -> None:
        """Run its Envoy on its host."""
        side = self.side(service.datacenter)
        token = await self._token(side, Service=service.name)
        host = self.host(service.datacenter, service.host)
        whose = ("--sidecar-for", service.id)
        await self._start_envoy(side, host, f"envoy-{service.id}", token, ADMIN_PORT + service.place, *whose)

    async def start_gateway(self, side: ControlPlane, name: str) -> None:
        """Run the Envoy of a mesh gateway on its host."""
        token = await self._token(side, Gateway="mesh", Name="mesh-gateway")
        host = self.host(side.datacenter, name)
        whose = ("--gateway", "mesh", "--proxy-id", name)
        child = await self._start_envoy(side, host, "gateway", token, GATEWAY_ADMIN_PORT, *whose)
        self.gateways[side.datacenter, name] = child

    async def kill_gateway(self, side: ControlPlane, name: str) -> None:
        """End a mesh gateway as a crash would."""
        await self.host(side.datacenter, name).kill(self.gateways[side.datacenter, name])

    async def call(self, caller: Service, pause: float) -> Calls:
        """Let a service call its upstreams from now on."""
        host = self.host(caller.datacenter, caller.host)
        program = (sys.executable, str(_PROGRAMS / "caller.py"), str(pause), json.dumps(caller.calls()))
        calls = Calls(await host.run(f"caller-{caller.name}", *program))
        self._stack.callback(calls.close)
        return calls

    async def found(self, side: ControlPlane) -> None:
        """Return when all Envoys of a datacenter are known to listen, and hold what they should."""

        async def settled() -> bool:
            critical = await side.get("/v1/health/state/critical")
            proxies = (await side.get("/v1/xdsmesh/proxies"))["connected"]
            return not critical and all(
                each["types"] and all(it["state"] in ("SYNCED", "NOT_SENT") for it in each["types"])
                for each in proxies
            )

        await until(settled, f"all Envoys of {side.datacenter} listen")

    def _control_plane(self, datacenter: str) -> ControlPlane:
        made = ControlPlane(datacenter, self.host(datacenter, "control-plane"), self._folder)
        self._stack.push_async_callback(made.aclose)
        return made

    async def _register_gateways(self, side: ControlPlane) -> None:
        """As ``xdsmesh envoy --register`` does, which needs the token of an operator."""
        for name in GATEWAYS:
            host = self.host(side.datacenter, name)
            lan, wan = (f"{address}:{GATEWAY_PORT}" for address in (host.address, host.outer))
            binds = [f"lan={lan}", f"wan={wan}"]
            body = Registration("mesh-gateway", "", name, lan, wan, binds).body()
            gateway = json.loads(body)
            gateway["Check"]["Interval"] = "1s"
            await side.put("/v1/agent/service/register", gateway)

    async def _start_apps(self, services: Iterable[Service]) -> None:
        by_host = defaultdict(list)
        for each in services:
            by_host[self.host(each.datacenter, each.host)].append(each.app())
        for host, apps in by_host.items():
            await host.run("apps", sys.executable, str(_PROGRAMS / "app.py"), json.dumps(apps))

    async def _start_envoy(
        self, side: ControlPlane, host: Host, name: str, token: Path, admin_port: int, *whose: str
    ) -> Child:
        command = (*XDSMESH, "envoy", *whose, "--http-addr", side.url, "--token-file", str(token))
        options = (*ENVOY_OPTIONS, "--use-dynamic-base-id")
        return await host.run(name, *command, "--admin-bind", f"127.0.0.1:{admin_port}", "--", *options)

    async def _token(self, side: ControlPlane, **of: str) -> Path:
        key = (side.datacenter, "-".join(of.values()))
        if key not in self._tokens:
            self._tokens[key] = await side.token(self._folder, **of)
        return self._tokens[key]

    async def _join(self) -> None:
        file = str(self._folder / "join.token")
        await self.dc1.command("dc", "token", "--out", file)
        await self.dc2.command("dc", "join", "--join-token-file", file)
        for side in (self.dc1, self.dc2):
            await until(partial(_is_up, side), f"the link of {side.datacenter} is up")


async def _is_up(side: ControlPlane) -> bool:
    return bool((await side.link())["state"] == "up")
