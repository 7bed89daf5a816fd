"""docs/getting-started.md, by hand: its commands as they are. tests/docker/ has the rest of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.getting_started import BY_HAND, CONTAINERS, INSTALLATION, PAGE, SYSTEMD, blocks

if TYPE_CHECKING:
    from tests.feature.init.conftest import Machine


def test_the_page_has_no_command_that_is_not_tried() -> None:
    tried = (INSTALLATION, BY_HAND, CONTAINERS, SYSTEMD)
    assert blocks(PAGE, "sh") == [block for part in tried for block in blocks(part, "sh")]
    # What Dockerfile does is this, too.
    (installation,) = blocks(INSTALLATION, "sh")
    assert installation.splitlines() == [
        "python3 -m venv /opt/xdsmesh",
        "/opt/xdsmesh/bin/pip install '.[demo]'",
        "export PATH=/opt/xdsmesh/bin:$PATH",
    ]


@pytest.mark.envoy
def test_by_hand_a_call_crosses_and_is_denied_when_it_is_forbidden(machine: Machine) -> None:
    for name, text in zip(("api.hcl", "web.hcl", "http.hcl"), blocks(BY_HAND, "hcl"), strict=True):
        (machine.folder / name).write_text(text)
    running, register, sidecars, call, forbid = blocks(BY_HAND, "sh")

    def does(commands: str, expected: str) -> bool:
        done = machine.run("bash", "-ec", commands)
        return done.returncode == 0 and expected in done.stdout

    for command in running.splitlines():
        machine.start(*command.split())
    machine.wait(lambda: does(register, "Registered service: web"), "the services are registered")
    for command in sidecars.splitlines():
        machine.start(*command.split())
    machine.wait(lambda: does(call, "api.hcl"), "the call is answered with the files in api's folder")
    (create,) = forbid.replace(call, "").splitlines()
    assert does(create, "")
    machine.wait(lambda: does(call, "denied by an intention"), "the call is denied")
