"""The datacenters in network namespaces are what the tests of mesh gateways take them for."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from tests.namespaces.datacenters import LAN, OUTER, Datacenters
from tests.namespaces.echo import PORT, echo, told
from tests.namespaces.namespaces import PREFIX, delete, delete_leftovers, ip, names

if TYPE_CHECKING:
    from pathlib import Path

    from tests.namespaces.hosts import Host

NOBODY: Final = 0.5
"""Seconds after which nothing is expected any more."""


async def passes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> bool:
    """Whether a connection to ``echo`` still carries bytes, both ways."""
    writer.write(b"?")
    try:
        async with asyncio.timeout(seconds):
            return await reader.readexactly(1) == b"?"
    except TimeoutError:
        return False


async def test_an_address_of_the_lan_is_another_host_in_each_datacenter(net: Datacenters) -> None:
    async with echo(net.dc1.host("db"), b"db of dc1\n"), echo(net.dc2.host("db"), b"db of dc2\n"):
        assert net.dc1.host("db").address == net.dc2.host("db").address == LAN["db"]
        assert await told(net.dc1.host("web"), LAN["db"]) == b"db of dc1\n"
        assert await told(net.dc2.host("web"), LAN["db"]) == b"db of dc2\n"
        assert await told(net.dc1.host("gateway-1"), LAN["db"]) == b"db of dc1\n"


async def test_only_gateways_reach_gateways_of_the_other_datacenter(net: Datacenters) -> None:
    for name, outer in OUTER["dc2"].items():
        async with echo(net.dc2.host(name), b"dc2\n"):
            for mine in OUTER["dc1"]:
                assert await told(net.dc1.host(mine), outer) == b"dc2\n"
            for mine in LAN.keys() - OUTER["dc1"].keys():
                with pytest.raises(OSError, match="Network is unreachable"):
                    await told(net.dc1.host(mine), outer)


async def test_a_gateway_routes_nothing_for_a_host_that_tries(net: Datacenters) -> None:
    web, target = net.dc1.host("web"), OUTER["dc2"]["gateway-1"]
    route = await web.run("route", "ip", "route", "add", "192.0.2.0/24", "via", LAN["gateway-1"])
    assert await asyncio.wait_for(route.process.wait(), 20) == 0, route.tail()
    async with echo(net.dc2.host("gateway-1"), b"dc2\n"), net.dc1.host("gateway-1").capture() as gateway:
        with pytest.raises(TimeoutError):
            await web.connect(target, PORT, seconds=NOBODY)
    assert gateway.frames("lan")
    assert not gateway.frames("outer")


async def test_a_cut_loses_packets_silently_until_it_is_healed(net: Datacenters) -> None:
    mine, target = net.dc1.host("gateway-1"), net.dc2.host("gateway-1")
    async with echo(target, b""):
        connection = await mine.connect(target.outer, PORT)
        assert await passes(*connection, seconds=10)
        net.cut()
        assert not await passes(*connection, seconds=NOBODY)
        net.heal()
        assert await passes(*connection, seconds=30)
        connection[1].close()


async def test_who_connects_during_a_cut_is_never_told_that_nobody_is_there(net: Datacenters) -> None:
    net.cut()
    # After three seconds without an answer to ARP, a host would say so.
    with pytest.raises(TimeoutError):
        await net.dc1.host("gateway-1").connect(OUTER["dc2"]["gateway-1"], PORT, seconds=4)


async def test_a_gateway_is_cut_alone_and_keeps_its_lan(net: Datacenters) -> None:
    mine, cut, other = net.dc1.host("gateway-1"), net.dc2.host("gateway-1"), net.dc2.host("gateway-2")
    async with echo(cut, b"cut\n"), echo(other, b"other\n"):
        net.cut_gateway(cut)
        with pytest.raises(TimeoutError):
            await mine.connect(cut.outer, PORT, seconds=NOBODY)
        with pytest.raises(TimeoutError):
            await other.connect(cut.outer, PORT, seconds=NOBODY)
        assert await told(mine, other.outer) == b"other\n"
        assert await told(net.dc2.host("web"), cut.address) == b"cut\n"
        net.heal()
        assert await told(mine, cut.outer) == b"cut\n"


async def test_a_process_runs_on_a_host_until_it_is_killed(net: Datacenters) -> None:
    db, web = net.dc2.host("db"), net.dc2.host("web")
    server = await db.run("server", sys.executable, "-u", "-m", "http.server", str(PORT))
    url = f"http://{db.address}:{PORT}/"
    deadline = time.monotonic() + 30
    while not await is_ok(web, url):
        assert time.monotonic() < deadline, server.tail()
    assert "GET / HTTP/1.1" in server.tail()
    assert not await is_ok(net.dc1.host("web"), url)
    await db.kill(server)
    assert not await is_ok(web, url)


async def is_ok(host: Host, url: str) -> bool:
    try:
        return (await asyncio.wait_for(host.request(url), 20)).is_success
    except httpx.TransportError:
        return False


async def test_nothing_is_left_after_a_test_that_failed(tmp_path: Path) -> None:
    sleepers = []

    def ours() -> list[str]:
        return [name for name in names() if name.startswith(f"{PREFIX}-{os.getpid()}-")]

    async def fail() -> None:
        async with Datacenters(tmp_path) as net:
            sleepers.append(await net.dc1.host("web").run("sleep", "sleep", "1000"))
            assert ours()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert sleepers[0].ended
    assert not ours()


def test_namespaces_of_a_run_that_was_killed_are_removed() -> None:
    gone = subprocess.Popen((sys.executable, "-c", ""))
    gone.wait(20)
    left, alive = f"{PREFIX}-{gone.pid}-1-switch", f"{PREFIX}-{os.getpid()}-0-switch"
    ip(f"netns add {left}", f"netns add {alive}")
    try:
        delete_leftovers()
        assert left not in names()
        assert alive in names()
    finally:
        delete(alive)
