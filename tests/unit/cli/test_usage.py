import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from xdsmesh.cli import app

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_help_names_every_command(xdsmesh: Run) -> None:
    result = xdsmesh("--help")
    assert result.returncode == 0
    for command in (
        "server",
        "envoy",
        "config",
        "services",
        "intention",
        "ca",
        "catalog",
        "checks",
        "maint",
        "members",
        "reload",
        "watch",
        "validate",
        "chain",
        "proxies",
        "demo",
        "version",
    ):
        assert f" {command} " in result.stdout


def test_the_command_starts_without_what_only_some_commands_need() -> None:
    script = "import sys, xdsmesh.cli; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"httpx", "msgspec", "hcl2", "lark", "yaml", "grpc", "litestar", "rich", "cryptography"}
    assert not heavy & set(loaded.stdout.split())


def test_version(xdsmesh: Run) -> None:
    result = xdsmesh("version")
    assert result.returncode == 0
    assert result.stdout.startswith("xdsmesh 0.")
    number = json.loads(xdsmesh("version", "-format", "json").stdout)["Version"]
    assert result.stdout == f"xdsmesh {number}\n"


def test_reload_says_that_there_is_nothing_to_do(xdsmesh: Run) -> None:
    result = xdsmesh("reload")
    assert (result.returncode, result.stderr) == (0, "")
    assert "follows the files" in result.stdout


def test_the_command_alone_shows_its_help(xdsmesh: Run) -> None:
    alone, asked, short = xdsmesh(), xdsmesh("-help"), xdsmesh("-h")
    assert asked.returncode == short.returncode == 0
    assert alone.stdout.strip() == asked.stdout.strip() == short.stdout.strip()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["proxy"], "No such command"),
        (["server", "--colour"], "No such option"),
        (["server", "--dev", "--log-format", "xml"], "log-format"),
        (["demo", "--datacenters", "--identity"], "ask for one at a time"),
        (["envoy"], "--sidecar-for"),
        (["envoy", "--sidecar-for", "web-1", "--xds-addr", "8502"], "is not host:port"),
        (["envoy", "--sidecar-for", "web-1", "--admin-bind", "localhost:19000"], "is not an IP address"),
        (["envoy", "--sidecar-for", "web-1", "-proxy-id", "web-1-sidecar-proxy"], "--proxy-id or --gateway"),
        (["envoy", "-gateway", "ingress"], "ingress gateways are not served yet"),
        (["envoy", "-gateway", "mush"], "is not a kind of gateway"),
        (["envoy", "-gateway", "mesh", "-sidecar-for", "web-1"], "leave out --sidecar-for"),
        (["envoy", "-gateway", "mesh", "-address", "10.0.1.9:8443"], "add --register"),
        (["envoy", "-gateway", "mesh", "-register"], "give --address"),
        (["envoy", "-proxy-id", "web-1", "-register"], "--register is for gateways"),
        (["config", "write"], "Missing argument"),
        (["config", "read"], "name the entry"),
        (["config", "read", "service-router"], "name the entry"),
        (["config", "read", "service-router/web", "--name", "web"], "not both"),
        (["config", "delete", "--kind", "service-router"], "name the entry"),
        (["config", "write", "f.hcl", "-cas", "--cas", "3"], "not both"),
        (["config", "write", "f.hcl", "-modify-index", "3"], "goes with -cas"),
        (["config", "delete", "service-router/web", "-cas"], "above 0"),
        (["services", "register"], "either files, or --name"),
        (["services", "register", "web.hcl", "--name", "web"], "either files, or --name"),
        (["services", "register", "web.hcl", "--port", "80"], "either files, or --name"),
        (["services", "register", "--name", "web", "--meta", "version"], "KEY=VALUE"),
        (["services", "register", "-name", "web", "-socket", "/run/web.sock"], "--socket is not built yet"),
        (["services", "export", "-name", "web"], "--consumer-peers"),
        (["services", "export", "-name", "web", "-consumer-peers", " ,"], "at least one"),
        (["catalog", "services", "-node", "a", "-node-meta", "b=c"], "not both"),
        (["catalog", "nodes", "-node-meta", "rack"], "KEY=VALUE"),
        (["members", "-status", "("], "is no regular expression"),
        (["maint", "-enable", "-disable"], "not both"),
        (["maint", "-reason", "x"], "goes with --enable"),
        (["maint", "-service", "web-1"], "say what to do"),
        (["maint", "-enable", "-wait-timeout", "1s"], "goes with --wait"),
        (["checks", "pass"], "Missing argument"),
        (["services", "deregister"], "name what to deregister"),
        (["services", "deregister", "web-1", "--wait-timeout", "1s"], "goes with --wait"),
        (["config", "write", "f.hcl", "--wait", "--wait-timeout", "soon"], "is not a duration"),
        (["config", "write", "f.hcl", "--wait", "--wait-timeout", "-1s"], "less than nothing"),
        (["proxies", "--format", "json", "show", "web-1"], "options go behind the command"),
        (["proxies", "config", "web-1", "--diff"], "go together"),
        (["proxies", "config", "web-1", "--envoy-admin", "127.0.0.1:1"], "go together"),
        (["proxies", "config", "web-1", "gateways"], "is not one of"),
        (["services", "list", "--http-addr", "ftp://127.0.0.1:21"], "neither host:port nor a URL"),
        (["services", "list", "--http-addr", "mesh"], "neither host:port nor a URL"),
        (["services", "list", "--format", "xml"], "--format"),
        (["intention", "create", "web"], "name the two services"),
        (["intention", "create", "web", "db", "-allow", "-deny"], "not both"),
        (["intention", "create", "web.json", "-file", "-deny"], "a file says itself"),
        (["intention", "create", "web", "db", "-meta", "a"], "KEY=VALUE"),
        (["intention", "match", "web", "-source", "-destination"], "not both"),
        (["intention", "check", "web"], "Missing argument"),
        (["ca", "set-config"], "config-file"),
    ],
)
def test_wrong_usage_exits_2_and_says_what_is_wrong(
    arguments: list[str], said: str, environment: dict[str, str]
) -> None:
    result = CliRunner().invoke(app, arguments, env=environment)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_server_without_a_place_for_its_data_is_wrong_usage_with_all_problems(xdsmesh: Run) -> None:
    result = xdsmesh("server", "--http-addr", "nowhere", "--config-dir", "absent")
    assert result.returncode == 2
    lines = result.stderr.splitlines()
    assert [line.split(":")[0] for line in lines] == ["--data-dir", "--http-addr", "--config-dir"]
