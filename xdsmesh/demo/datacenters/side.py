"""One side of the picture: a datacenter with its control plane and its mesh gateway."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from xdsmesh.demo.control import Control
from xdsmesh.demo.datacenters.layout import Gateway
from xdsmesh.demo.layout import Mesh
from xdsmesh.demo.running import RunningMesh
from xdsmesh.demo.stage import Scene

SECONDS: Final = 60
"""How long anything may take to come about."""


@dataclass(frozen=True, slots=True)
class Side:
    """A datacenter: what it consists of, its processes, and who asks its control plane."""

    mesh: Mesh
    gateway: Gateway
    running: RunningMesh
    control: Control

    @property
    def name(self) -> str:
        """The datacenter's."""
        return self.mesh.datacenter

    @property
    def proxies(self) -> set[str]:
        """The node ids of all its Envoys."""
        return {self.gateway.proxy, *(each.proxy for each in self.mesh.instances)}

    async def wait(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        """Return when the condition holds.

        Raises:
            DemoError: it does not hold in time, or a process has ended.
        """
        await self.running.wait(condition, SECONDS, what)


@asynccontextmanager
async def side(scene: Scene, mesh: Mesh, gateway: Gateway) -> AsyncIterator[Side]:
    """A datacenter that is not running yet."""
    running = scene.mesh(mesh)
    async with Control(f"http://{running.http_addr}") as control:
        yield Side(mesh, gateway, running, control)
