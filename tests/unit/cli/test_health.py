"""``xdsmesh checks`` and ``xdsmesh maint``, and the health in ``xdsmesh services list``."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import Result

from xdsmesh.cli.check_words import row
from xdsmesh.cli.errors import CommandError

Call = Callable[..., Awaitable[Result]]

FILE = """\
service {
  name = "web"
  id = "web-1"
  port = 80
  check { id = "beat", name = "Beat", ttl = "10m" }
}
service { name = "db", port = 5432 }
check { id = "disk", name = "Disk", ttl = "10m", status = "passing" }
check { id = "cache", name = "Cache", service_id = "web-1", ttl = "10m", status = "passing" }
"""


async def printed(running: Awaitable[Result]) -> str:
    """What a command printed that was done without a complaint."""
    result = await running
    assert (result.exit_code, result.stderr, result.exception) == (0, "", None)
    return result.stdout


async def refused(running: Awaitable[Result]) -> str:
    """The complaint with which a command ended; what `main` prints before it exits 1."""
    result = await running
    assert isinstance(result.exception, CommandError)
    return str(result.exception)


@pytest.fixture
async def registered(call: Call, tmp_path: Path) -> None:
    """Two services, and checks of one of them and of the node."""
    (tmp_path / "web.hcl").write_text(FILE)
    assert await printed(call("services", "register", "web.hcl")) == (
        "Registered service: web\nRegistered service: db\nRegistered check: disk\nRegistered check: cache\n"
    )


async def health(call: Call) -> dict[str, str]:
    """What the list of services says of each instance."""
    lines = (await printed(call("services", "list"))).splitlines()[1:]
    return {line.split()[0]: line.split()[3] for line in lines}


@pytest.mark.usefixtures("registered")
async def test_checks_are_spoken_for_and_listed(call: Call) -> None:
    assert (await health(call)) == {"web-1": "critical", "db": "passing"}
    said = await printed(call("checks", "pass", "beat", "-note", "all fine"))
    assert said == "Check updated: beat (passing)\n"
    assert await printed(call("checks", "warn", "disk", "--wait")) == (
        "Check updated: disk (warning)\nNo connected proxy is affected.\n"
    )
    table = (await printed(call("checks", "list"))).splitlines()
    assert [line.split() for line in table] == [
        ["CHECK", "SERVICE", "STATUS", "OUTPUT"],
        ["beat", "web-1", "passing", "all", "fine"],
        ["cache", "web-1", "passing"],
        ["disk", "warning"],
    ]
    assert (await health(call)) == {"web-1": "warning", "db": "warning"}
    await printed(call("checks", "fail", "cache"))
    assert (await health(call)) == {"web-1": "critical", "db": "warning"}
    for service in ("web", "web-1"):
        shown = json.loads(await printed(call("checks", "list", "-service", service, "-format", "json")))
        assert list(shown) == ["beat", "cache"]
    assert "check" in await refused(call("checks", "pass", "absent"))


async def test_without_checks_that_is_said(call: Call) -> None:
    result = await call("checks", "list")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "There are no checks.\n")


async def test_a_check_that_the_server_refuses_is_told_with_its_place(call: Call, tmp_path: Path) -> None:
    (tmp_path / "check.hcl").write_text('# lone\ncheck { name = "c", service_id = "gone", ttl = "1m" }\n')
    assert (await refused(call("services", "register", "check.hcl"))).startswith("check.hcl:2:1: ")


def test_only_the_beginning_of_an_output_is_in_the_table() -> None:
    def output(text: str) -> object:
        return row({"CheckID": "c", "ServiceID": "", "Status": "passing", "Output": text})[3]

    assert output("") == ""
    assert output("  fine \n") == "fine"
    assert output("one\ntwo") == "one ..."
    assert output("x" * 100) == "x" * 60 + " ..."


@pytest.mark.usefixtures("registered")
async def test_a_service_goes_into_maintenance_and_back(call: Call) -> None:
    begun = await printed(call("maint", "-enable", "-service", "web-1", "-reason", "new disk"))
    assert begun == "Service maintenance is now enabled for 'web-1'\n"
    assert (await health(call))["web-1"] == "maintenance"
    assert "new disk" in await printed(call("checks", "list"))
    assert await printed(call("maint")) == "Service:\n  ID:     web-1\n  Reason: new disk\n"
    assert list(json.loads(await printed(call("maint", "-format", "json")))) == ["_service_maintenance:web-1"]
    ended = await printed(call("maint", "-disable", "-service", "web-1", "--wait"))
    assert ended == ("Service maintenance is now disabled for 'web-1'\nNo connected proxy is affected.\n")
    result = await call("maint")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "Nothing is in maintenance.\n")
    assert "gone" in await refused(call("maint", "-enable", "-service", "gone"))


@pytest.mark.usefixtures("registered")
async def test_all_of_the_node_goes_into_maintenance(call: Call) -> None:
    assert await printed(call("maint", "-enable", "-reason", "move")) == "Node maintenance is now enabled\n"
    assert await printed(call("maint")) == "Node:\n  Name:   node-1\n  Reason: move\n"
    assert set((await health(call)).values()) == {"maintenance"}
    assert await printed(call("maint", "-disable")) == "Node maintenance is now disabled\n"
