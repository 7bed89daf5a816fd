"""``xdsmesh proxies config --diff`` and ``--wait`` with stock Envoys."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from xdsmesh.bootstrap import find_envoy
from xdsmesh.demo.control import Control
from xdsmesh.demo.layout import ADMINS, CLIENT, SERVER_HOST
from xdsmesh.demo.network import claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.demo.running import RunningMesh

DEFAULTS = """
Kind = "service-defaults"
Name = "client"
Protocol = "http"
UpstreamConfig { Defaults { ConnectTimeoutMs = 700 } }
"""


@pytest.mark.envoy
async def test_a_stock_envoy_has_what_the_server_holds_for_it_also_after_a_write_that_waits(
    tmp_path: Path,
) -> None:
    with claimed_network() as network:
        api = f"http://{network.host(SERVER_HOST)}:{network.http_port}"
        admin = f"{network.host(CLIENT.host)}:{network.admin_port}"

        async def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "xdsmesh", *arguments, "--http-addr", api]
            return await asyncio.to_thread(
                subprocess.run, command, input=stdin, capture_output=True, text=True, timeout=30, check=False
            )

        async def compare(proxy: str) -> subprocess.CompletedProcess[str]:
            return await run("proxies", "config", proxy, "--diff", "--envoy-admin", admin)

        async with Processes(tmp_path) as processes, Control(api) as control:
            mesh = RunningMesh(tmp_path, network, processes)
            mesh.write_config()
            await mesh.start_server()
            await mesh.wait(control.answers, 20, "the server answers")
            await mesh.start_envoy(find_envoy(), CLIENT)
            await mesh.wait(lambda: control.synced([CLIENT.proxy]), 30, "the proxy is in sync")

            other = await compare(ADMINS[0].proxy)
            assert other.returncode == 1
            assert "only Envoy has routes" in other.stdout
            assert "only Envoy has secrets leaf" in other.stdout

            written = await run("config", "write", "-", "--wait", stdin=DEFAULTS)
            assert written.returncode == 0, written.stderr
            assert "1 proxy has acknowledged it, in " in written.stdout
            same = await compare(CLIENT.proxy)
            assert (same.returncode, same.stderr) == (0, ""), same.stdout
            assert "PRIVATE KEY" not in other.stdout + same.stdout
