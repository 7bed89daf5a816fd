"""How the two datacenters come up, and become one mesh."""

import sys
from functools import partial
from typing import Final

from xdsmesh.demo.calls import ALLOWED, DENIED, ask, listen
from xdsmesh.demo.datacenters.gateways import start_gateway
from xdsmesh.demo.datacenters.layout import API, PATH, WEB
from xdsmesh.demo.datacenters.side import Side
from xdsmesh.demo.datacenters.spy import Spy
from xdsmesh.demo.datacenters.visits import upstream_url
from xdsmesh.demo.processes import Child
from xdsmesh.demo.stage import Scene

_XDSMESH: Final = (sys.executable, "-m", "xdsmesh")


async def start_control_planes(scene: Scene, primary: Side, secondary: Side) -> Child:
    """Start one for each datacenter; they know nothing of each other. Return that of the secondary."""
    with scene.show.step(f"start two control planes, {primary.name} and {secondary.name}"):
        for side in (primary, secondary):
            side.running.write_config()
        await primary.running.start_server()
        server = await secondary.running.start_server()
        await secondary.running.start_apps()  # nobody calls those of the primary
        for side in (primary, secondary):
            await side.wait(side.control.answers, f"the control plane of {side.name} answered")
    return server


async def start_envoys(scene: Scene, *sides: Side) -> None:
    """Start the mesh gateways and the sidecars."""
    count = sum(len(side.mesh.instances) for side in sides)
    with scene.show.step(f"start {len(sides)} mesh gateways and {count} sidecars"):
        for side in sides:
            await start_gateway(scene, side)
            await side.running.start_envoys(scene.envoy)
        for side in sides:
            synced = partial(side.control.synced, side.proxies)
            await side.wait(synced, f"all Envoys of {side.name} had acknowledged their configuration")
            await side.wait(side.control.found, f"all Envoys of {side.name} were found to listen")


async def join(scene: Scene, primary: Side, secondary: Side, spy: Spy) -> None:
    """Let a datacenter join another one; return when calls cross, and each control plane sees the other."""
    network = scene.network
    links = {f"server.{side.name}.consul" for side in (primary, secondary)}

    async def served() -> bool:
        answered = await ask(upstream_url(network, API, PATH))
        refused = await ask(upstream_url(network, WEB, PATH))
        greeted = await listen(network.host(API.host), network.tcp_upstream_port)
        return answered.observed == greeted.observed == ALLOWED and refused.observed == DENIED

    async def linked() -> bool:
        return links <= spy.server_names().keys()

    with scene.show.step(f"let {secondary.name} join {primary.name} [dim](xdsmesh dc token, dc join)[/]"):
        file = str(scene.folder / "join.token")
        made = ("dc", "token", "--out", file, "--http-addr", primary.running.http_addr)
        await scene.processes.finish("xdsmesh dc token", *_XDSMESH, *made)
        used = ("dc", "join", "--join-token-file", file, "--http-addr", secondary.running.http_addr)
        await scene.processes.finish("xdsmesh dc join", *_XDSMESH, *used)
    with scene.show.step("wait until calls cross"):
        await primary.wait(served, "api was served by db and ledger, and web was refused")
        await primary.wait(linked, "each control plane had reached the other one")
