"""The control plane may die: traffic goes on, and when it is back only differences are sent."""

from pathlib import Path

import pytest

from xdsmesh.bootstrap import find_envoy
from xdsmesh.demo.control import Control
from xdsmesh.demo.layout import CLIENT, INSTANCES, SERVER_HOST
from xdsmesh.demo.load import Client, Load, failures
from xdsmesh.demo.network import claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.demo.running import RunningMesh

PROXIES = [instance.proxy for instance in INSTANCES]


@pytest.mark.envoy
async def test_kill_9_under_load_fails_no_request_and_resends_nothing(tmp_path: Path) -> None:
    with claimed_network() as network:
        api = f"http://{network.host(SERVER_HOST)}:{network.http_port}"
        upstream = f"http://{network.host(CLIENT.host)}:{network.upstream_port}"
        async with Processes(tmp_path) as processes, Control(api) as control:
            mesh = RunningMesh(tmp_path, network, processes)
            mesh.write_config()
            server = await mesh.start_server()
            await mesh.start_apps()
            await mesh.wait(control.answers, 20, "the server answers")
            await mesh.start_envoys(find_envoy())
            await mesh.wait(lambda: control.synced(PROXIES), 30, "all proxies are in sync")
            await mesh.wait(control.found, 30, "all sidecars are found to listen")

            async def more_answers(load: Load) -> None:
                count = len(load.answers) + 200
                await mesh.wait(lambda: load.has_sent(count), 20, "200 more requests are answered")

            async with Client(upstream) as client:
                await mesh.wait(lambda: client.passes("/admin/x"), 20, "a request passes")
                load = Load(client, "/admin/x")
                async with load:
                    await more_answers(load)
                    await processes.kill(server)
                    await more_answers(load)
                    await mesh.start_server()
                    await mesh.wait(control.answers, 20, "the server answers again")
                    await mesh.wait(lambda: control.synced(PROXIES), 60, "all proxies are in sync again")
                    await more_answers(load)

            assert failures(load.answers) == {}
            sent = {
                (proxy.proxy, status.type): status.resources
                for proxy in (await control.snapshot()).connected
                for status in proxy.types
                if status.type != "SDS"
            }
            assert len(sent) > 2 * len(PROXIES)
            assert set(sent.values()) == {0}
