"""The flags that Consul's command takes everywhere."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import Result

from xdsmesh.cli import app
from xdsmesh.cli.spelling import as_declared

Call = Callable[..., Awaitable[Result]]


@pytest.mark.parametrize(
    "flags",
    [
        "-datacenter dc1",
        "--datacenter=dc1",
        "-stale",
        "-stale=true",
        "-namespace default",
        "-partition= -namespace=default",
        "-datacenter dc1 -stale -http-addr ADDRESS",
    ],
)
async def test_what_names_the_one_that_there_is_changes_nothing(call: Call, api: str, flags: str) -> None:
    plain = await call("catalog", "nodes")
    told = await call("catalog", "nodes", *flags.replace("ADDRESS", api).split())
    assert (told.exit_code, told.stdout, told.stderr) == (0, plain.stdout, "")


@pytest.mark.parametrize("line", ["catalog nodes", "proxies", "proxies show x", "config list", "maint"])
async def test_the_server_says_that_it_is_of_another_datacenter(call: Call, line: str) -> None:
    result = await call(*line.split(), "-datacenter", "paris")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "No path to datacenter 'paris' (there is dc1)" in str(result.exception)


async def test_a_datacenter_is_told_for_one_command_only(call: Call) -> None:
    assert (await call("catalog", "nodes", "-datacenter", "paris")).exit_code == 1
    assert (await call("catalog", "nodes")).exit_code == 0


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("-namespace billing", "there is only the namespace 'default', and not 'billing'"),
        ("-partition=billing", "there is only the partition 'default', and not 'billing'"),
        ("-token-file absent", "cannot read the token in absent: No such file"),
        ("-datacenter", "--datacenter requires an argument"),
    ],
)
async def test_what_there_is_not_is_wrong_usage(call: Call, flags: str, said: str) -> None:
    result = await call("catalog", "nodes", *flags.split())
    assert result.exit_code == 2
    assert said in result.stderr


async def test_who_asks_no_server_takes_none_of_them(call: Call) -> None:
    result = await call("validate", "-stale", "mesh")
    assert (result.exit_code, "No such option: --stale" in result.stderr) == (2, True)


def test_a_token_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret-of-mine\n")
    members: Any = get_command(app).commands["members"]  # type: ignore[attr-defined]
    told = as_declared(["-token-file", f"{tmp_path}/token"], members.params, intermixed=True)
    assert told == ["--token", "secret-of-mine"]
