"""What the units of `xdsmesh init systemd` start is a mesh: their commands as they are, without systemd."""

from __future__ import annotations

import shlex
import string
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.feature.init.conftest import Machine

ASKED = "--service web:8080 --service api:9090 --upstream web:api:9191"


def exec_start(unit: Path, environment: Mapping[str, str]) -> list[str]:
    """The command of a unit, read as systemd reads it."""
    lines = unit.read_text().replace("\\\n", " ").splitlines()
    (command,) = (line.partition("=")[2] for line in lines if line.startswith("ExecStart="))
    return shlex.split(string.Template(command).substitute(environment))


@pytest.mark.envoy
def test_the_commands_of_the_units_are_a_mesh_in_which_only_what_was_asked_for_is_allowed(
    machine: Machine,
) -> None:
    made = machine.run("xdsmesh", "init", "systemd", *ASKED.split(), "--out", "mine")
    assert made.returncode == 0, made.stderr
    units = sorted((machine.folder / "mine" / "units").iterdir())
    assert [each.name for each in units] == [
        "xdsmesh-sidecar-api.service",
        "xdsmesh-sidecar-web.service",
        "xdsmesh.service",
    ]
    environment = {
        "CONFIGURATION_DIRECTORY": str(machine.folder / "mine"),
        "STATE_DIRECTORY": str(machine.folder / "state"),
    }
    sidecars = [exec_start(unit, environment) for unit in units[:2]]
    machine.start(*exec_start(units[2], environment))
    machine.start(sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "9090")
    machine.wait(lambda: machine.get("http://127.0.0.1:8500/v1/status/leader"), "the control plane answers")
    for command in sidecars:
        machine.start(*command)

    def status() -> int:
        answer = machine.get("http://127.0.0.1:9191/")
        return answer.status_code if answer else 0

    machine.wait(lambda: status() == 200, "web's call arrives at api")
    intentions = machine.folder / "mine" / "mesh" / "intentions-api.hcl"
    draft = intentions.with_suffix(".draft")
    draft.write_text(intentions.read_text().replace('Name   = "web"', 'Name   = "shop"'))
    draft.replace(intentions)
    machine.wait(lambda: status() == 403, "web is denied, since nothing allows it any more")
