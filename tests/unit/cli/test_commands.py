"""Commands against the real HTTP API."""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import Result

from xdsmesh.cli.errors import CommandError

Run = Callable[..., subprocess.CompletedProcess[str]]
Call = Callable[..., Awaitable[Result]]

DEFAULTS = 'Kind = "service-defaults"\nName = "web"\nProtocol = "http"\n'
MESH = """\
- { Kind: service-router, Name: web, Routes: [{ Destination: { ServiceSubset: v1 } }] }
- { Kind: service-splitter, Name: web, Splits: [{ Weight: 100, ServiceSubset: v1 }] }
- { Kind: service-resolver, Name: web, Subsets: { v1: { Filter: "Service.Meta.version == 1" } } }
- { Kind: proxy-defaults, Name: global, Config: { protocol: http } }
"""
SERVICE = 'service {\n  name = "web"\n  id = "web-1"\n  port = 8080\n  connect { sidecar_service {} }\n}\n'


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


async def test_an_entry_is_written_listed_read_and_deleted(call: Call) -> None:
    assert await printed(call("config", "write", "-", stdin=DEFAULTS)) == (
        "Config entry written: service-defaults/web\n"
    )
    assert await printed(call("config", "list")) == "service-defaults/web\n"
    assert await printed(call("config", "list", "--kind", "service-defaults")) == "web\n"
    read = await printed(call("config", "read", "--kind", "service-defaults", "--name", "web"))
    assert json.loads(read)["Protocol"] == "http"
    table = await printed(call("config", "read", "service-defaults/web", "-format", "table"))
    assert ["Protocol", "http"] in [line.split() for line in table.splitlines()]
    # What was read can be written back.
    await printed(call("config", "write", "-", stdin=read))
    await printed(call("config", "delete", "service-defaults/web"))
    assert await printed(call("config", "list", "--format", "json")) == "[]\n"
    assert "service-defaults" in await refused(call("config", "read", "service-defaults/web"))


async def test_compare_and_set_refuses_to_undo_what_others_did(call: Call) -> None:
    await printed(call("config", "write", "-", "--cas", "0", stdin=DEFAULTS))
    tcp = DEFAULTS.replace("http", "tcp")
    said = await refused(call("config", "write", "-", "--cas", "0", stdin=tcp))
    assert "config read service-defaults/web" in said
    assert "not changed" in await refused(call("config", "delete", "service-defaults/web", "--cas", "99"))
    read = json.loads(await printed(call("config", "read", "service-defaults", "web")))
    assert read["Protocol"] == "http"
    await printed(call("config", "delete", "service-defaults/web", "--cas", str(read["ModifyIndex"])))


async def test_compare_and_set_in_the_words_of_consuls_command(call: Call) -> None:
    await printed(call("config", "write", "-cas", "-", stdin=DEFAULTS))
    names = ("-kind", "service-defaults", "-name", "web")
    index = str(json.loads(await printed(call("config", "read", *names)))["ModifyIndex"])
    tcp = DEFAULTS.replace("http", "tcp")
    assert "not changed" in await refused(call("config", "write", "-cas", "-", stdin=tcp))
    await printed(call("config", "write", "-cas", "-modify-index", index, "-", stdin=tcp))
    assert "not changed" in await refused(call("config", "delete", *names, "-cas", "-modify-index", index))
    assert await printed(call("config", "list", "-kind", "service-defaults")) == "web\n"


async def test_what_has_no_effect_is_said_with_its_place_when_it_is_written(
    call: Call, tmp_path: Path
) -> None:
    file = tmp_path / "modes.hcl"
    file.write_text(
        """config_entries { bootstrap = [
  { kind = "service-defaults", name = "web", mode = "transparent" },
  { kind = "service-defaults", name = "web-2", protocol = "http" },
  { kind = "proxy-defaults", expose { checks = true } },
] }
"""
    )
    for arguments in (("modes.hcl",), ("modes.hcl",)):  # also if it is there already
        result = await call("config", "write", *arguments)
        assert result.exit_code == 0
        assert result.stderr.splitlines() == [
            "modes.hcl:4:3: warning: proxy-defaults/global: Expose has no effect yet",
            "modes.hcl:2:3: warning: service-defaults/web: Mode has no effect yet",
        ]
    mesh = 'Kind = "mesh"\nPeering { PeerThroughMeshGateways = true }\n'
    result = await call("config", "write", "--cas", "0", "-", stdin=mesh)
    assert result.stderr == "stdin.hcl:1:1: warning: mesh/mesh: Peering has no effect yet\n"


async def test_entries_of_every_kind_in_one_file_are_written_and_listed(call: Call, tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text(MESH)
    assert await printed(call("config", "write", "mesh.yaml")) == (
        "Config entry written: proxy-defaults/global\n"
        "Config entry written: service-resolver/web\n"
        "Config entry written: service-splitter/web\n"
        "Config entry written: service-router/web\n"
    )
    assert (await printed(call("config", "list"))).splitlines() == [
        "proxy-defaults/global",
        "service-resolver/web",
        "service-router/web",
        "service-splitter/web",
    ]


async def test_the_list_can_be_filtered(call: Call, tmp_path: Path) -> None:
    (tmp_path / "two.hcl").write_text(DEFAULTS)
    (tmp_path / "three.hcl").write_text(DEFAULTS.replace("web", "api").replace("http", "grpc"))
    await printed(call("config", "write", "two.hcl", "three.hcl"))
    kind = ("-kind", "service-defaults")
    assert await printed(call("config", "list", *kind, "-filter", "Protocol == grpc")) == "api\n"
    assert "Protokol" in await refused(call("config", "list", *kind, "--filter", "Protokol == grpc"))


async def test_what_the_server_refuses_is_told_with_the_place_in_the_file(call: Call, tmp_path: Path) -> None:
    (tmp_path / "router.hcl").write_text('# routes\nKind = "service-router"\nName = "web"\n')
    assert (await refused(call("config", "write", "router.hcl"))).startswith("router.hcl:2:1: ")


async def test_services_are_registered_from_files_and_flags(call: Call, tmp_path: Path) -> None:
    (tmp_path / "web.hcl").write_text(SERVICE)
    flags = ("--name", "db", "--id", "db-1", "--port", "5432", "--tag", "a", "--tag", "b", "--meta", "k=v=w")
    assert await printed(call("services", "register", "web.hcl")) == "Registered service: web\n"
    assert await printed(call("services", "register", *flags)) == "Registered service: db\n"
    table = (await printed(call("services", "list"))).splitlines()
    assert [line.split()[0] for line in table] == ["ID", "db-1", "web-1", "web-1-sidecar-proxy"]
    assert table[1].split() == ["db-1", "db", "service", "passing", ":5432", "a,b", "k=v=w"]
    assert await printed(call("services", "deregister", "web.hcl", "db-1")) == (
        "Deregistered service: web-1\nDeregistered service: db-1\n"
    )
    assert await printed(call("services", "list", "--format", "json")) == "{}\n"
    assert "db-1" in await refused(call("services", "deregister", "--id", "db-1"))


async def test_the_bootstrap_leads_the_registered_sidecar_to_the_server(call: Call, tmp_path: Path) -> None:
    (tmp_path / "web.hcl").write_text(SERVICE)
    await printed(call("services", "register", "web.hcl"))
    bootstrap = json.loads(await printed(call("envoy", "--sidecar-for", "web-1", "--bootstrap")))
    assert bootstrap["node"] == {"id": "web-1-sidecar-proxy", "cluster": "web"}
    assert '"address": "127.0.0.1", "port_value": 18502' in json.dumps(bootstrap)
    other = await printed(call("envoy", "--sidecar-for", "web-1", "--bootstrap", "--xds-addr", "mesh:1"))
    assert '"address": "mesh", "port_value": 1}' in json.dumps(json.loads(other))
    again = await printed(
        call("envoy", "-proxy-id", "web-1-sidecar-proxy", "-bootstrap", "-grpc-addr", "mesh:1")
    )
    assert again == other
    assert (
        await printed(call("connect", "envoy", "-sidecar-for", "web-1", "-bootstrap", "-grpc-addr=mesh:1"))
        == other
    )
    assert "is an ordinary service" in await refused(call("envoy", "-proxy-id", "web-1"))
    assert "no proxy with the id 'api-1'" in await refused(call("envoy", "-proxy-id", "api-1"))
    assert "no service with the id 'api-1'" in await refused(call("envoy", "--sidecar-for", "api-1"))


@pytest.mark.envoy
async def test_envoy_gets_the_bootstrap_and_what_follows_the_dashes(
    call: Call, xdsmesh: Run, api: str, tmp_path: Path
) -> None:
    (tmp_path / "web.hcl").write_text(SERVICE)
    await printed(call("services", "register", "web.hcl"))
    # Where the command becomes Envoy, it needs a process of its own.
    arguments = ("envoy", "--sidecar-for", "web-1", "--http-addr", api, "--", "--mode", "validate")
    result = await asyncio.to_thread(xdsmesh, *arguments)
    assert result.returncode == 0, result.stderr
    assert "OK" in result.stdout
