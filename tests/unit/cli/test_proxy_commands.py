"""``xdsmesh proxies`` and ``--wait`` against the real HTTP API, with proxies that a test moves."""

import asyncio
import json
import os
import pty
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import Result

from xdsmesh.cli.errors import CommandError
from xdsmesh.loop import Loop
from xdsmesh.model.facts import Fact
from xdsmesh.model.resource import CLUSTER, LISTENER, Resources
from xdsmesh.model.trust import Leaf
from xdsmesh.status import Registry, State, StreamRecord

Call = Callable[..., Awaitable[Result]]

SERVICE = """service {
  name = "web"
  id = "web-1"
  port = 8080
  connect { sidecar_service { proxy { upstreams = [{ destination_name = "admin", local_bind_port = 9 }] } } }
}
"""
SIDECAR = "web-1-sidecar-proxy"
RESOLVER = 'Kind = "service-resolver"\nName = "admin"\nConnectTimeout = "3s"\n'


class At:
    """A proxy that has acknowledged all up to a revision."""

    def __init__(self, revision: int) -> None:
        self._revision = revision

    def revision(self) -> int:
        return self._revision

    def settled(self) -> bool:
        return False

    def states(self, type_url: str, resources: Resources) -> dict[str, State]:
        del type_url
        return dict.fromkeys(resources, State.SYNCED)

    def wants(self, type_url: str, name: str) -> bool:
        del type_url, name
        return False


def connect(loop: Loop, registry: Registry, revision: int) -> StreamRecord:
    """Let the sidecar be connected, having acknowledged all up to a revision."""
    assert loop.attach(SIDECAR, lambda: None)
    stream = StreamRecord(SIDECAR, "web", "1.40.0", "127.0.0.1:4", "delta", datetime.now(UTC), At(revision))
    registry.connect(stream)
    return stream


async def printed(running: Awaitable[Result]) -> str:
    """What a command printed that was done without a complaint."""
    result = await running
    assert (result.exit_code, result.stderr, result.exception) == (0, "", None)
    return result.stdout


@pytest.fixture
async def web(call: Call, tmp_path: Path) -> None:
    """The service web with its sidecar, whose registration the server has taken in."""
    (tmp_path / "web.hcl").write_text(SERVICE)
    (tmp_path / "resolver.hcl").write_text(RESOLVER)
    said = await printed(call("services", "register", "web.hcl", "--wait"))
    assert said == "Registered service: web\nNo connected proxy is affected.\n"


@pytest.mark.usefixtures("web")
async def test_a_write_that_waits_tells_how_long_it_took(call: Call, loop: Loop, registry: Registry) -> None:
    connect(loop, registry, 1000)
    written, waited = (await printed(call("config", "write", "resolver.hcl", "--wait"))).splitlines()
    assert written == "Config entry written: service-resolver/admin"
    assert waited.startswith("1 proxy has acknowledged it, in ")
    deleted = await printed(
        call("config", "delete", "service-resolver/admin", "--wait", "--wait-timeout", "5s")
    )
    assert "1 proxy has acknowledged it, in " in deleted


@pytest.mark.usefixtures("web")
async def test_who_has_not_acknowledged_a_write_is_named_and_the_command_exits_1(
    call: Call, loop: Loop, registry: Registry
) -> None:
    stream = connect(loop, registry, -1)
    stream.requested(CLUSTER)
    stream.sent(CLUSTER, "v1", "1", 1, datetime.now(UTC))
    result = await call("config", "write", "resolver.hcl", "--wait", "--wait-timeout", "10ms")
    assert result.exit_code == 1
    assert result.stdout == "Config entry written: service-resolver/admin\n"
    assert result.stderr == f"{SIDECAR} has not acknowledged it: has not answered CDS\n"


@pytest.mark.usefixtures("web")
async def test_on_a_terminal_it_shows_that_it_waits(
    api: str, command: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    master, slave = pty.openpty()
    try:
        env = {**environment, "XDSMESH_HTTP_ADDR": api, "TERM": "xterm-256color"}
        process = await asyncio.create_subprocess_exec(
            *(command, "config", "write", "resolver.hcl", "--wait"),
            stdout=asyncio.subprocess.PIPE,
            stderr=slave,
            env=env,
            cwd=tmp_path,
        )
        said, _ = await asyncio.wait_for(process.communicate(), 30)
        shown = os.read(master, 4096).decode()
    finally:
        os.close(slave)
        os.close(master)
    assert said.decode().splitlines()[-1] == "No connected proxy is affected."
    assert "Waiting for the proxies" in shown


@pytest.mark.usefixtures("web")
async def test_several_writes_are_summed_up(
    call: Call, loop: Loop, registry: Registry, tmp_path: Path
) -> None:
    connect(loop, registry, 1000)
    (tmp_path / "web.hcl").write_text(SERVICE.replace("8080", "8081"))
    (tmp_path / "admin.hcl").write_text('service { name = "admin", connect { sidecar_service {} } }')
    said = (await printed(call("services", "register", "web.hcl", "admin.hcl", "--wait"))).splitlines()
    assert said[:2] == ["Registered service: web", "Registered service: admin"]
    assert said[2].startswith("2 acknowledgements of 2 writes, in ")
    gone = await printed(call("services", "deregister", "web-1", "--wait"))
    assert gone == "Deregistered service: web-1\nNo connected proxy is affected.\n"


@pytest.mark.usefixtures("web")
async def test_proxies_shows_who_is_connected_and_who_was_refused(
    call: Call, loop: Loop, registry: Registry
) -> None:
    assert await printed(call("proxies")) == "No proxy is connected.\n"
    now = datetime.now(UTC)
    stream = connect(loop, registry, 3)
    for type_url, nonce in ((CLUSTER, "1"), (LISTENER, "2")):
        stream.requested(type_url)
        stream.sent(type_url, "v1", nonce, 1, now)
    stream.acked(CLUSTER, "1", now + timedelta(hours=1), in_doubt=False)
    stream.rejected(LISTENER, "2", "unknown filter", ["public"], now)
    registry.refuse("ghost", "127.0.0.9", "it is not registered", now)
    table = await printed(call("proxies"))
    lines = table.splitlines()
    assert lines[1].split()[:4] == [SIDECAR, "web", "connect-proxy", "1.40.0"]
    assert lines[1].split()[5:] == ["SYNCED", "0s", "-", "ERROR", "-", "-", "3"]
    assert f"  {SIDECAR} LDS (public): unknown filter; made from service {SIDECAR} (API, 127.0.0.1)" in lines
    assert "  ghost from 127.0.0.9: it is not registered" in table
    snapshot = json.loads(await printed(call("proxies", "--format", "json")))
    assert snapshot["connected"][0]["types"][1]["error"] == "unknown filter"
    shown = await printed(call("proxies", "show", SIDECAR))
    assert "Kind:     connect-proxy" in shown
    assert f"LDS (public): unknown filter; made from service {SIDECAR} (API, 127.0.0.1) (0s ago)" in shown
    detail = json.loads(await printed(call("proxies", "show", SIDECAR, "--format", "json")))
    assert detail["streams"][0]["types"][1]["last_error"]["error"] == "unknown filter"


@pytest.mark.usefixtures("web")
@pytest.mark.parametrize("command", ["show", "config"])
async def test_an_unknown_proxy_is_an_error_with_what_was_probably_meant(call: Call, command: str) -> None:
    result = await call("proxies", command, "web-1-sidecar")
    assert isinstance(result.exception, CommandError)
    assert "did you mean web-1-sidecar-proxy?" in str(result.exception)


@pytest.mark.usefixtures("web")
async def test_what_the_server_holds_is_printed_without_keys(
    call: Call, loop: Loop, pair: Callable[..., tuple[str, str]]
) -> None:
    chain, key = pair()
    now = datetime.now(UTC)
    identity = "spiffe://corp.consul/ns/default/dc/dc1/svc/web"
    loop.tell(Fact(("leaf", SIDECAR), Leaf(identity, chain, key, now, now)))
    whole = await printed(call("proxies", "config", SIDECAR))
    assert list(json.loads(whole)) == ["clusters", "listeners", "routes", "endpoints", "secrets"]
    (cluster, local) = json.loads(await printed(call("proxies", "config", SIDECAR, "clusters")))
    assert (cluster["name"].split(".")[0], local["name"]) == ("admin", "local_app")
    secrets = await printed(call("proxies", "config", SIDECAR, "secrets"))
    assert '"[redacted]"' in secrets
    table = await printed(call("proxies", "config", SIDECAR, "--format", "table"))
    assert table.splitlines()[0].split() == ["TYPE", "NAME", "VERSION", "BYTES", "STATE"]
    assert table.splitlines()[1].endswith("NOT SENT")
    for said in (whole, secrets, table):
        assert "PRIVATE KEY" not in said


class Admin:
    """The admin interface of an Envoy that has what a test says."""

    def __init__(self) -> None:
        self.dump: Any = {}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(owner.dump).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - it is called so
                del format, arguments

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
def admin() -> Any:
    admin = Admin()
    thread = Thread(target=admin.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield admin
    admin.server.shutdown()
    thread.join()
    admin.server.server_close()


def dumped(config: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "configs": [
            {"dynamic_active_clusters": [{"cluster": each} for each in config["clusters"]]},
            {"dynamic_listeners": [{"active_state": {"listener": each}} for each in config["listeners"]]},
            {"dynamic_endpoint_configs": [{"endpoint_config": each} for each in config["endpoints"]]},
        ]
    }


@pytest.mark.usefixtures("web")
async def test_the_configuration_is_compared_with_an_envoys(call: Call, admin: Admin) -> None:
    compare = ("proxies", "config", SIDECAR, "--diff", "--envoy-admin", admin.address)
    config = json.loads(await printed(call("proxies", "config", SIDECAR)))
    admin.dump = dumped(config)
    assert await printed(call(*compare)) == (
        f"The Envoy at {admin.address} has what the server holds for {SIDECAR}.\n"
    )
    cluster, local = config["clusters"]
    config["clusters"] = [{**cluster, "connect_timeout": "9s"}, {"name": "theirs"}]
    admin.dump = dumped(config)
    result = await call(*compare)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert "only the server has clusters local_app" in lines
    assert "only Envoy has clusters theirs" in lines
    assert f"--- server: clusters {cluster['name']}" in lines
    assert f"+++ Envoy: clusters {cluster['name']}" in lines
    assert '-  "connect_timeout": "5s",' in lines
    assert '+  "connect_timeout": "9s",' in lines
    assert await printed(call(*compare[:3], "listeners", *compare[3:])), "only these are compared"
    del local


@pytest.mark.usefixtures("web")
async def test_an_envoy_that_cannot_be_asked_is_an_error(call: Call, admin: Admin) -> None:
    compare = ("proxies", "config", SIDECAR, "--diff", "--envoy-admin")
    for address, said in (
        ("127.0.0.1:1", "cannot reach the admin interface"),
        ("127.0.0.1:x", "cannot reach the admin interface"),
        (admin.address, "is not an Envoy's configuration"),
    ):
        result = await call(*compare, address)
        assert isinstance(result.exception, CommandError)
        assert said in str(result.exception)
        assert len(str(result.exception).splitlines()) == 1
