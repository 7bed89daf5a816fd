"""Stock Envoys believe each other whichever kind of key the roots have."""

from pathlib import Path

import httpx
import pytest

from xdsmesh.bootstrap import find_envoy
from xdsmesh.ca.configuration import Configuration, put
from xdsmesh.ca.sealing import Sealer
from xdsmesh.ca.stored import ORIGIN
from xdsmesh.demo.control import Control
from xdsmesh.demo.layout import CLIENT, INSTANCES, SERVER_HOST
from xdsmesh.demo.load import Client
from xdsmesh.demo.network import claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.demo.running import RunningMesh
from xdsmesh.model.trust import KeyKind
from xdsmesh.store.base import Txn
from xdsmesh.store.sqlite import SQLiteStore

PROXIES = [instance.proxy for instance in INSTANCES]


@pytest.mark.envoy
@pytest.mark.parametrize(
    "kind", [KeyKind("ec", 224), KeyKind("ec", 384), KeyKind("ec", 521), KeyKind("rsa", 2048)], ids=str
)
async def test_a_request_passes_with_roots_of_this_kind(tmp_path: Path, kind: KeyKind) -> None:
    with claimed_network() as network:
        api = f"http://{network.host(SERVER_HOST)}:{network.http_port}"
        upstream = f"http://{network.host(CLIENT.host)}:{network.upstream_port}"
        async with Processes(tmp_path) as processes, Control(api) as control, Client(upstream) as client:
            mesh = RunningMesh(tmp_path, network, processes)
            mesh.write_config()
            store = await SQLiteStore.open(tmp_path / "data" / "state.db")
            await store.commit(Txn((put(Configuration(kind=kind), Sealer.in_memory()),)), ORIGIN)
            await store.close()
            await mesh.start_server()
            await mesh.start_apps()
            await mesh.wait(control.answers, 20, "the server answers")
            await mesh.start_envoys(find_envoy())
            await mesh.wait(lambda: control.synced(PROXIES), 30, "all proxies are in sync")
            await mesh.wait(control.found, 30, "all sidecars are found to listen")
            await mesh.wait(lambda: client.passes("/admin/x"), 20, "a request passes")
            async with httpx.AsyncClient(base_url=api) as http:
                (root,) = (await http.get("/v1/connect/ca/roots")).json()["Roots"]
            assert (root["PrivateKeyType"], root["PrivateKeyBits"]) == (kind.type, kind.bits)
