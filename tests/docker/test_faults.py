"""Containers are killed, paused, restarted and cut off: calls go on, and the mesh heals by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.docker.load import Load
from tests.docker.mesh import BY_GATEWAYS, EVERYTHING, PROJECT

if TYPE_CHECKING:
    from tests.docker.mesh import Mesh

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

CONTROL_PLANES: Final = ("dc1-control-plane", "dc2-control-plane")
OTHERS: Final = (
    "dc1-mesh-gateway",
    "dc2-mesh-gateway",
    "client-envoy",
    "web",
    "web-envoy",
    "api",
    "api-envoy",
    "admin-v1",
    "admin-v1-envoy",
    "admin-v2",
    "admin-v2-envoy",
    "db",
    "db-envoy",
)

CRASH: Final = """
for each in /proc/[0-9]*; do
    read -r _ _ _ parent _ <"$each/stat" && [ "$parent" = 1 ] && kill -9 "${each#/proc/}"
done
"""
"""Kills what a container's init has started. A `docker kill` would be a person's wish to end it."""


def crash(mesh: Mesh, service: str) -> None:
    """Kill a container's process, and see that the engine has started it again."""
    container = mesh.container(service)
    container.exec_run(["sh", "-c", CRASH])

    def is_back() -> bool:
        container.reload()
        return bool(container.attrs["RestartCount"]) and container.status == "running"

    mesh.wait(is_back, f"{service} was started again")


@pytest.mark.parametrize("service", CONTROL_PLANES)
def test_no_call_fails_while_a_control_plane_is_restarted(mesh: Mesh, service: str) -> None:
    with Load(mesh, EVERYTHING) as load:
        load.goes_on(40)
        mesh.container(service).restart(timeout=20)
        mesh.heals(f"the restart of {service}")
        load.goes_on(40)
    assert load.failed == []


@pytest.mark.parametrize("service", CONTROL_PLANES)
def test_no_call_fails_while_a_control_plane_is_killed(mesh: Mesh, service: str) -> None:
    with Load(mesh, EVERYTHING) as load:
        load.goes_on(40)
        crash(mesh, service)
        mesh.heals(f"{service} was killed")
        load.goes_on(40)
    assert load.failed == []


@pytest.mark.parametrize("service", CONTROL_PLANES)
def test_no_call_fails_while_a_control_plane_hangs(mesh: Mesh, service: str) -> None:
    container = mesh.container(service)
    with Load(mesh, EVERYTHING) as load:
        container.pause()
        try:
            load.goes_on(200)
        finally:
            container.unpause()
        mesh.heals(f"{service} hung")
        load.goes_on(40)
    assert load.failed == []


def test_no_call_fails_while_a_control_plane_is_made_anew_and_all_can_be_started_again(mesh: Mesh) -> None:
    with Load(mesh, EVERYTHING) as load:
        mesh.compose("up", "--detach", "--no-build", "--no-deps", "--force-recreate", "dc1-control-plane")
        mesh.heals("dc1-control-plane was made anew")
    assert load.failed == []
    # That starts as well what has ended beside it: none of it may miss the container that has gone.
    mesh.compose("start", "dc1-mesh-gateway", "dc1-join-token")


def test_a_datacenter_whose_data_is_lost_makes_new_tokens_and_joins_again(mesh: Mesh) -> None:
    mesh.compose("down")
    mesh.engine.volumes.get(f"{PROJECT}_dc2-data").remove()
    mesh.up()
    mesh.heals("dc2 lost its data")


@pytest.mark.parametrize("service", OTHERS)
def test_the_mesh_heals_after_a_container_was_restarted(mesh: Mesh, service: str) -> None:
    mesh.container(service).restart(timeout=20)
    mesh.heals(f"the restart of {service}")


@pytest.mark.parametrize("service", OTHERS)
def test_the_mesh_heals_after_a_container_was_killed(mesh: Mesh, service: str) -> None:
    crash(mesh, service)
    mesh.heals(f"{service} was killed")


@pytest.mark.parametrize("service", OTHERS)
def test_the_mesh_heals_after_a_container_hung(mesh: Mesh, service: str) -> None:
    container = mesh.container(service)
    container.pause()
    try:
        for path in EVERYTHING:
            mesh.status(path, seconds=1)
    finally:
        container.unpause()
    mesh.heals(f"{service} hung")


def test_without_a_gateway_calls_across_fail_and_others_do_not(mesh: Mesh) -> None:
    gateway = mesh.container("dc2-mesh-gateway")
    gateway.stop(timeout=20)
    try:
        mesh.wait(lambda: mesh.status(BY_GATEWAYS) == 503, "calls across failed")
        with Load(mesh, {"/": 200, "/admin": 200, "/call/api": 200}) as load:
            load.goes_on(60)
    finally:
        gateway.start()
    mesh.heals("its gateway was away")
    assert load.failed == []


@pytest.mark.parametrize(
    ("service", "network", "address", "aliases"),
    [
        ("dc1-mesh-gateway", "gateways", "10.70.0.11", []),
        ("dc2-mesh-gateway", "dc2", "10.72.0.5", []),
        ("api-envoy", "dc1", "10.71.0.30", []),
        ("dc1-control-plane", "dc1", "10.71.0.2", ["control-plane"]),
        ("dc2-control-plane", "dc2", "10.72.0.2", ["control-plane"]),
    ],
)
def test_the_mesh_heals_after_a_container_was_cut_off(
    mesh: Mesh, service: str, network: str, address: str, aliases: list[str]
) -> None:
    container = mesh.container(service)
    cable = mesh.engine.networks.get(f"{PROJECT}_{network}")
    within = {"/": 200, "/admin": 200}
    everything = service in CONTROL_PLANES
    with Load(mesh, EVERYTHING if everything else within) as load:
        cable.disconnect(container)
        try:
            load.goes_on(300)
        finally:
            cable.connect(container, ipv4_address=address, aliases=aliases)
        mesh.heals(f"{service} was cut off")
        load.goes_on(100)
    assert load.failed == []
