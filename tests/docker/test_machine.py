"""A machine next to the containers: plain processes in a network namespace join the mesh of compose/."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.docker.load import Load
from tests.docker.mesh import BY_GATEWAYS, EVERYTHING, PROJECT, PROXIES
from tests.namespaces.namespaces import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.docker.mesh import Mesh

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600), pytest.mark.usefixtures("namespaces")]

NAMESPACE: Final = "xdsmesh-machine"
PROXY: Final = "api-2-sidecar-proxy"
NOTE: Final = "machine-run"
"""On its token."""
INTENTIONS: Final = "dc1/api-intentions.hcl"
CALLS: Final = 12
"""So many are shared among two instances of api; Envoy takes turns, more or less."""
SECONDS: Final = 60

Machine = subprocess.Popen[bytes]


@pytest.fixture
def plug_in(mesh: Mesh, tmp_path: Path) -> Iterator[Callable[[], Machine]]:
    """Starts the machine, and returns once it is called as the container is; at the end it has gone."""
    log = tmp_path / "machine.log"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COMPOSE_PROJECT_NAME": PROJECT,
    }
    started: list[Machine] = []

    def start() -> Machine:
        with log.open("wb") as out:
            machine = subprocess.Popen(
                [mesh.folder / "machine" / "run"], env=environment, stdout=out, stderr=subprocess.STDOUT
            )
        started.append(machine)

        def is_called() -> bool:
            assert machine.poll() is None, log.read_text()
            return callees(mesh) == {"container", "machine"}

        mesh.wait(is_called, "both instances of api were called")
        return machine

    yield start
    for machine in started:
        if machine.poll() is None:
            machine.send_signal(signal.SIGTERM)
            machine.wait(SECONDS)
    mesh.heals("the machine has gone")


def callees(mesh: Mesh) -> set[str]:
    """Which instances of api answer web's calls to it, and through it db's."""
    answers = (mesh.get(BY_GATEWAYS) for _ in range(CALLS))
    said = [each.json()["called"] for each in answers if each.status_code == 200]
    assert all(each["called"]["service"] == "db" for each in said)
    return {each.get("version", "container") for each in said}


def reaches(address: str, port: int) -> bool:
    """Whether a TCP connection from the machine comes about."""
    probe = ("ip", "netns", "exec", NAMESPACE, "timeout", "2", "bash", "-c")
    return subprocess.run([*probe, f"exec 3<>/dev/tcp/{address}/{port}"], check=False).returncode == 0


def crash() -> None:
    """Kill all processes on the machine."""
    pids = ("ip", "netns", "pids", NAMESPACE)
    found = subprocess.run(pids, capture_output=True, text=True, check=True)
    for pid in found.stdout.split():
        os.kill(int(pid), signal.SIGKILL)


def test_no_call_fails_while_a_machine_comes_is_called_like_a_container_and_goes(
    mesh: Mesh, plug_in: Callable[[], Machine]
) -> None:
    with Load(mesh, EVERYTHING) as load:
        machine = plug_in()
        assert mesh.connected("dc1") == PROXIES["dc1"] | {PROXY}
        load.goes_on(20)
        machine.send_signal(signal.SIGINT)
        assert machine.wait(SECONDS) == 0
        load.goes_on(20)
    assert load.failed == []
    assert callees(mesh) == {"container"}
    assert NAMESPACE not in names()
    assert not any(each["Description"] == NOTE for each in mesh.control("dc1", "token", "list"))


def test_a_machine_obeys_intentions_and_reaches_only_what_is_in_its_network(
    mesh: Mesh, plug_in: Callable[[], Machine]
) -> None:
    machine = plug_in()
    assert reaches("10.71.0.30", 21000), "the sidecar of the other instance"
    for place in (("10.71.30.3", 8080), ("10.72.0.50", 21000), ("10.70.0.21", 8443)):
        assert not reaches(*place)
    assert not mesh.reaches("web-envoy", "10.71.0.60", 8080), "its application is behind its sidecar"
    mesh.edit(INTENTIONS, '"allow"', '"deny"')
    try:
        mesh.wait(lambda: statuses(mesh) == {403}, "both instances denied web")
    finally:
        mesh.edit(INTENTIONS, '"deny"', '"allow"')
    mesh.wait(lambda: statuses(mesh) == {200}, "both instances let web in")
    second = subprocess.run([mesh.folder / "machine" / "run"], capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "runs already" in second.stderr
    assert machine.poll() is None


def test_a_machine_knows_the_control_plane_by_its_new_root_and_leaves_one_that_was_made_anew(
    mesh: Mesh, plug_in: Callable[[], Machine]
) -> None:
    machine = plug_in()
    code, said = mesh.run("dc1-control-plane", "xdsmesh", "ca", "rotate")
    assert code == 0, said
    mesh.compose("up", "--detach", "--no-build", "--no-deps", "--force-recreate", "dc1-control-plane")
    mesh.wait(lambda: PROXY in mesh.connected("dc1"), "the machine's proxy had come back")
    machine.send_signal(signal.SIGINT)
    assert machine.wait(SECONDS) == 0
    assert not any(each["Description"] == NOTE for each in mesh.control("dc1", "token", "list"))


def statuses(mesh: Mesh) -> set[int]:
    return {mesh.status("/call/api") for _ in range(CALLS)}


def test_a_machine_that_was_killed_is_no_longer_called_and_can_come_again(
    mesh: Mesh, plug_in: Callable[[], Machine]
) -> None:
    machine = plug_in()
    machine.kill()  # so that nothing tells its end
    machine.wait(SECONDS)
    crash()
    mesh.wait(lambda: statuses(mesh) == {200} and callees(mesh) == {"container"}, "the dead was left out")
    assert plug_in().poll() is None
