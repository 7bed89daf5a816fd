"""A control plane is cut off from those whom it probes, and blames nobody for it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Self

import pytest

from tests.namespaces.control_plane import ControlPlane, until
from tests.namespaces.datacenters import Datacenters
from tests.namespaces.namespaces import ip
from xdsmesh.probes.routes import obstacle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.namespaces.hosts import Host

    Cut = Callable[[Datacenters, Host], None]

PORT: Final = 8000
SLOW_PORT: Final = 8001
CUT_SECONDS: Final = 4
"""Longer than Linux asks by ARP, and than any probe here waits."""


def take_down(_: Datacenters, host: Host) -> None:
    ip("link set lan down", namespace=host.namespace.name)


def put_up(_: Datacenters, host: Host) -> None:
    ip("link set lan up", namespace=host.namespace.name)


CUTS: Final = {
    "the cable is pulled": (Datacenters.unplug, Datacenters.plug_in),
    "the interface is taken down": (take_down, put_up),
    "the interface is removed": (Datacenters.detach, Datacenters.attach),
}


@pytest.mark.parametrize(("cut", "heal"), CUTS.values(), ids=CUTS)
async def test_who_is_cut_off_calls_nobody_critical_but_who_has_really_died(
    net: Datacenters, tmp_path: Path, cut: Cut, heal: Cut
) -> None:
    host, web, db = (net.dc1.host(name) for name in ("control-plane", "web", "db"))
    async with AsyncExitStack() as stack:
        plane = ControlPlane("dc1", host, tmp_path)
        stack.push_async_callback(plane.aclose)
        await plane.start()
        for each in (web, db):
            await stack.enter_async_context(serving(each, PORT))
        await stack.enter_async_context(serving(web, SLOW_PORT, seconds=1))
        mortal = await stack.enter_async_context(AsyncExitStack())
        await mortal.enter_async_context(serving(net.dc1.host("api"), PORT))
        for service in services(web, net.dc1.host("api"), db):
            await plane.put("/v1/agent/service/register", service)
        await until(partial(all_pass, plane), "all checks pass")

        await stack.enter_async_context(talking(host, web, db))
        watch = await stack.enter_async_context(Watch(plane))
        cut(net, host)
        await until(partial(all_say, plane, "not probed: this machine has no way to 10.0.1."), "all say why")
        await mortal.aclose()
        await watch.look_on(CUT_SECONDS)
        assert not watch.critical
        assert [each["Status"] for each in await checks(plane)] == ["passing"] * len(await checks(plane))

        heal(net, host)
        await until(lambda: told(watch.critical), "the dead one is critical")
        await until(partial(probed_again, plane), "the others are probed again")
        assert watch.critical == {"api"}
        events = [line for line in plane.server.log.read_text().splitlines() if "cut off" in line]
        assert ["seems to be cut off" in line for line in events] == [True, False]


async def test_the_kernel_says_whether_there_is_a_way(net: Datacenters) -> None:
    host, api = net.dc1.host("web"), net.dc1.host("api")

    def why(address: str) -> str:
        return host.namespace.submit(obstacle, ip_address(address)).result(20)

    async def found(address: str, expected: str) -> bool:
        return why(address) == expected

    assert not why(api.address)
    assert why("192.0.2.1") == "Network is unreachable"
    net.unplug(host)
    await until(partial(found, api.address, "its link is down"), "the link is known to be down")
    assert not why(host.address)
    net.plug_in(host)
    await until(partial(found, api.address, ""), "the link is known to be up")


class Watch:
    """A context that asks all the time who is critical, and remembers all of them."""

    def __init__(self, plane: ControlPlane) -> None:
        self.critical: set[str] = set()
        self._plane = plane

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})

    async def look_on(self, seconds: float) -> None:
        """Watch for a while."""
        ended, _ = await asyncio.wait({self._task}, timeout=seconds)
        assert not ended

    async def _watch(self) -> None:
        index = "0"
        while True:
            path = f"/v1/health/state/critical?index={index}&wait=2s"
            answer = await self._plane.ask("GET", path)
            index = answer.raise_for_status().headers["X-Consul-Index"]
            self.critical |= {each["ServiceName"] for each in answer.json()}


@asynccontextmanager
async def serving(host: Host, port: int, seconds: float = 0) -> AsyncIterator[None]:
    """An HTTP server that answers after some seconds."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(seconds)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, sock=host.listen(port))
    try:
        yield
    finally:
        server.close()


@asynccontextmanager
async def talking(host: Host, *others: Host) -> AsyncIterator[None]:
    """Somebody on a host talks to others all the time: in a cut they are asked for by ARP, and given up."""

    async def talk(sock: socket.socket) -> None:
        while True:
            for other in others:
                with suppress(OSError):
                    sock.sendto(b"", (other.address, PORT))
            await asyncio.sleep(0.05)

    with host.namespace.submit(socket.socket, socket.AF_INET, socket.SOCK_DGRAM).result() as sock:
        sock.settimeout(0)
        task = asyncio.create_task(talk(sock))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


def services(web: Host, api: Host, db: Host) -> Iterator[dict[str, Any]]:
    """Services with a check each; one that is slow has a probe under way nearly always."""
    for name, target in {
        "web": {"HTTP": f"http://{web.address}:{PORT}/"},
        "slow": {"HTTP": f"http://{web.address}:{SLOW_PORT}/", "Timeout": "3s"},
        "api": {"TCP": f"{api.address}:{PORT}"},
        "db": {"TCP": f"{db.address}:{PORT}"},
    }.items():
        yield {"Name": name, "Check": {"Interval": "500ms", "Timeout": "1s", **target}}


async def checks(plane: ControlPlane) -> list[dict[str, Any]]:
    return list((await plane.get("/v1/agent/checks")).values())


async def all_pass(plane: ControlPlane) -> bool:
    return all(each["Status"] == "passing" for each in await checks(plane))


async def all_say(plane: ControlPlane, words: str) -> bool:
    return all(each["Output"].startswith(words) for each in await checks(plane))


async def probed_again(plane: ControlPlane) -> bool:
    return not any("not probed" in each["Output"] for each in await checks(plane))


async def told(names: set[str]) -> bool:
    return bool(names)
