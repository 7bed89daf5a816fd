"""A stock Envoy is configured in either variant of the protocol, and takes in changes."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from xdsmesh.bootstrap import HostPort, find_envoy, make_bootstrap
from xdsmesh.demo.control import Control
from xdsmesh.demo.layout import CLIENT, SERVER_HOST, shift_split
from xdsmesh.demo.network import Network, claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.demo.running import RunningMesh


def bootstrap_of(network: Network, api_type: str) -> dict[str, Any]:
    xds = HostPort(network.host(SERVER_HOST), network.xds_port)
    admin = HostPort(network.host(CLIENT.host), network.admin_port)
    bootstrap = make_bootstrap(CLIENT.proxy, CLIENT.service, xds, admin)
    bootstrap["dynamic_resources"]["ads_config"]["api_type"] = api_type
    return bootstrap


async def config_of(admin: str, section: str) -> str:
    async with httpx.AsyncClient(base_url=admin, trust_env=False) as http:
        answer = await http.get("/config_dump", params={"resource": section})
        return answer.raise_for_status().text


@pytest.mark.envoy
@pytest.mark.parametrize("api_type", ["DELTA_GRPC", "GRPC"])
async def test_envoy_is_configured_and_follows_a_change(tmp_path: Path, api_type: str) -> None:
    with claimed_network() as network:
        api = f"http://{network.host(SERVER_HOST)}:{network.http_port}"
        admin = f"http://{network.host(CLIENT.host)}:{network.admin_port}"
        async with Processes(tmp_path) as processes, Control(api) as control:
            mesh = RunningMesh(tmp_path, network, processes)
            mesh.write_config()
            await mesh.start_server()
            file = tmp_path / "bootstrap.json"
            file.write_text(json.dumps(bootstrap_of(network, api_type)))
            await mesh.wait(control.answers, 20, "the server answers")
            await processes.start("envoy", str(find_envoy()), "-c", str(file), "--disable-hot-restart")
            await mesh.wait(lambda: control.synced([CLIENT.proxy]), 20, "the proxy is in sync")
            (status,) = (await control.snapshot()).connected
            assert status.variant == ("delta" if api_type == "DELTA_GRPC" else "sotw")
            assert [each.type for each in status.types] == ["CDS", "EDS", "LDS", "RDS", "SDS"]
            assert '"weight": 9000' in await config_of(admin, "dynamic_route_configs")

            shift_split(mesh.config)

            async def shifted() -> bool:
                return '"weight": 5000' in await config_of(admin, "dynamic_route_configs")

            await mesh.wait(shifted, 20, "the proxy has taken in the change")
            (after,) = (await control.snapshot()).connected
            assert {each.type: each.nacks for each in after.types} == dict.fromkeys(
                ("CDS", "EDS", "LDS", "RDS", "SDS"), 0
            )
