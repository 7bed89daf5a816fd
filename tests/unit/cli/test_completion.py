"""What the shell completes, asked as bash, zsh and fish ask."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable

import pytest
from typer.testing import Result

Run = Callable[..., subprocess.CompletedProcess[str]]
Call = Callable[..., Awaitable[Result]]

NOWHERE = "127.0.0.1:1"
SERVICE = 'service {\n  name = "web"\n  id = "web-1"\n  port = 8080\n  connect { sidecar_service {} }\n}\n'


def completed(xdsmesh: Run, line: str, api: str = NOWHERE) -> list[str]:
    """What bash gets to complete the last word of a line."""
    words = line.split(" ")
    result = xdsmesh(
        _XDSMESH_COMPLETE="complete_bash",
        COMP_WORDS=line,
        COMP_CWORD=str(len(words) - 1),
        XDSMESH_HTTP_ADDR=api,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(xdsmesh: Run, shell: str) -> None:
    result = xdsmesh("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"complete_{shell}" in result.stdout


def test_commands_flags_and_choices_are_completed(xdsmesh: Run) -> None:
    assert completed(xdsmesh, "xdsmesh cat") == ["catalog"]
    assert completed(xdsmesh, "xdsmesh catalog ") == ["datacenters", "nodes", "services"]
    assert completed(xdsmesh, "xdsmesh config write --wait-") == ["--wait-timeout"]
    assert completed(xdsmesh, "xdsmesh members --format ") == ["table", "json"]
    assert completed(xdsmesh, "xdsmesh config read service-r") == ["service-resolver", "service-router"]
    assert completed(xdsmesh, "xdsmesh config list --kind me") == ["mesh"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_complete_as_well(xdsmesh: Run, shell: str) -> None:
    result = xdsmesh(
        _XDSMESH_COMPLETE=f"complete_{shell}",
        _TYPER_COMPLETE_ARGS="xdsmesh cat",
        _TYPER_COMPLETE_FISH_ACTION="get-args",
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "catalog" in result.stdout


async def test_ids_are_those_that_the_server_knows(xdsmesh: Run, call: Call, api: str) -> None:
    await call("services", "register", "-", stdin=SERVICE)
    await call("maint", "--enable", "--service", "web-1")
    for line, names in {
        "xdsmesh services deregister ": ["web-1", "web-1-sidecar-proxy"],
        "xdsmesh envoy --sidecar-for w": ["web-1"],
        "xdsmesh envoy --proxy-id ": ["web-1-sidecar-proxy"],
        "xdsmesh proxies show ": ["web-1-sidecar-proxy"],
        "xdsmesh checks pass _": ["_service_maintenance:web-1"],
        "xdsmesh chain x": [],
    }.items():
        assert await asyncio.to_thread(completed, xdsmesh, line, api) == names


async def test_the_names_of_entries_follow_their_kind(xdsmesh: Run, call: Call, api: str) -> None:
    await call("config", "write", "-", stdin='Kind = "service-defaults"\nName = "web"\nProtocol = "http"\n')
    line = "xdsmesh config delete service-defaults "
    assert await asyncio.to_thread(completed, xdsmesh, line, api) == ["web"]


@pytest.mark.parametrize("address", [NOWHERE, "ftp://nowhere", "not an address"])
def test_without_a_server_there_is_nothing_and_no_complaint(xdsmesh: Run, address: str) -> None:
    assert completed(xdsmesh, "xdsmesh services deregister ", address) == []
