"""Commands that Consul's users try, and that are not here."""

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from xdsmesh.cli import app
from xdsmesh.cli.not_offered import WHY


@pytest.mark.parametrize("line", ["kv get x", "troubleshoot upstreams", "agent -dev", "peering list"])
def test_what_consul_has_and_we_have_not_is_answered_with_a_sentence(
    line: str, environment: dict[str, str]
) -> None:
    result = CliRunner().invoke(app, line.split(), env=environment)
    name = line.split(maxsplit=1)[0]
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{name} is not offered by xdsmesh: {WHY[name]}"[:80] in result.stderr


def test_none_of_them_is_here() -> None:
    assert not WHY.keys() & get_command(app).commands.keys()  # type: ignore[attr-defined]
