"""``xdsmesh watch`` as a process, beside the real HTTP API or a stand-in that answers what a test wants."""

import asyncio
import json
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.testing import Result

from xdsmesh.cli.errors import CommandError

Call = Callable[..., Awaitable[Result]]
Watch = Callable[..., Awaitable[Process]]

SECONDS = 60


@pytest.fixture
async def watch(command: Path, api: str, environment: dict[str, str], tmp_path: Path) -> AsyncIterator[Watch]:
    """Start watches; all have ended after the test."""
    started: list[Process] = []

    async def start(*arguments: str, address: str = api) -> Process:
        env = {**environment, "XDSMESH_HTTP_ADDR": address}
        process = await asyncio.create_subprocess_exec(
            command, "watch", *arguments, stdout=PIPE, stderr=PIPE, env=env, cwd=tmp_path
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def shown(process: Process) -> Any:
    """The next JSON that a watch prints."""
    assert process.stdout
    text = ""
    async with asyncio.timeout(SECONDS):
        while line := (await process.stdout.readline()).decode():
            text += line
            try:
                return json.loads(text)
            except ValueError:
                continue
    raise AssertionError(f"it ended after {text!r}: {await said(process)}")


async def said(process: Process) -> str:
    """The next line on stderr."""
    assert process.stderr
    async with asyncio.timeout(SECONDS):
        return (await process.stderr.readline()).decode()


async def test_each_change_is_printed_until_it_is_interrupted(watch: Watch, call: Call) -> None:
    watching = await watch("-type", "services")
    assert "web" not in await shown(watching)
    await call("services", "register", "-name", "web")
    assert "web" in await shown(watching)
    watching.send_signal(signal.SIGINT)
    async with asyncio.timeout(SECONDS):
        assert await watching.wait() == 130
    assert await said(watching) == ""


async def test_a_service_is_watched_by_tag_and_health(watch: Watch, call: Call) -> None:
    await call("services", "register", "-name", "web", "-id", "web-1", "-tag", "a")
    await call("services", "register", "-name", "web", "-id", "web-2", "-tag", "b")
    watching = await watch("-type=service", "-service=web", "-tag=a", "-passingonly=true")
    assert [each["Service"]["ID"] for each in await shown(watching)] == ["web-1"]
    await call("maint", "-enable", "-service", "web-1")
    assert await shown(watching) == []


async def test_an_instance_is_watched_by_its_hash(watch: Watch, call: Call) -> None:
    await call("services", "register", "-name", "web", "-port", "80")
    watching = await watch("-type", "agent_service", "-service-id", "web")
    assert (await shown(watching))["Port"] == 80
    await call("services", "register", "-name", "web", "-port", "81")
    assert (await shown(watching))["Port"] == 81


@pytest.mark.parametrize(
    ("flags", "key"),
    [
        (["nodes"], "Node"),
        (["checks"], "CheckID"),
        (["checks", "-state", "critical"], "CheckID"),
        (["checks", "-service", "web"], "CheckID"),
        (["connect_roots"], "ActiveRootID"),
        (["connect_leaf", "-service", "web"], "CertPEM"),
    ],
)
async def test_all_types_are_what_the_api_shows(watch: Watch, call: Call, flags: list[str], key: str) -> None:
    await call("services", "register", "-name", "web")
    await call("maint", "-enable", "-service", "web")
    found = await shown(await watch("-type", *flags))
    assert key in (found[0] if isinstance(found, list) else found)


async def test_the_key_of_a_leaf_is_for_a_command_and_is_not_printed(watch: Watch) -> None:
    printed = await shown(await watch("-type", "connect_leaf", "-service", "web"))
    assert "PRIVATE KEY" not in json.dumps(printed)
    watching = await watch("-type", "connect_leaf", "-service", "web", "--", "cat")
    assert "PRIVATE KEY" in (await shown(watching))["PrivateKeyPEM"]


async def test_a_command_gets_each_json_and_its_index(watch: Watch, call: Call, tmp_path: Path) -> None:
    watching = await watch("-type", "services", 'cat >> seen; echo "[$CONSUL_INDEX]"; exit 3')
    (first,) = await shown(watching)
    assert "exited with 3" in await said(watching)
    await call("services", "register", "-name", "web")
    (second,) = await shown(watching)
    assert second > first
    lines = (tmp_path / "seen").read_text().splitlines()
    assert ["web" in json.loads(line) for line in lines] == [False, True]


async def test_without_a_shell_the_words_are_the_commands_own(watch: Watch) -> None:
    watching = await watch("-type", "services", "-shell=false", "printf", "%s", "[1,", "-n]")
    async with asyncio.timeout(SECONDS):
        assert watching.stdout
        assert await watching.stdout.readexactly(6) == b"[1,-n]"
    watching = await watch("-type", "services", "-shell=false", "./absent")
    assert "cannot run './absent'" in await said(watching)
    assert await watching.wait() == 1


async def test_a_server_that_is_not_there_at_first_is_refused(call: Call) -> None:
    result = await call("watch", "-type", "services", "-http-addr", "127.0.0.1:1")
    assert isinstance(result.exception, CommandError)
    result = await call("watch", "-type", "agent_service", "-service-id", "absent")
    assert isinstance(result.exception, CommandError)


@dataclass(frozen=True)
class Answer:
    """What a stand-in of a server answers."""

    status: int
    index: int
    body: bytes


@pytest.fixture
def scripted() -> Iterator[tuple[int, list[Answer], list[str]]]:
    """A server that answers by a script, and holds the last question; and the queries that it was asked."""
    asked: list[str] = []
    script: list[Answer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(urlsplit(self.path).query)
            if not script:
                self.close_connection = True
                held.wait(SECONDS)
                return
            answer = script.pop(0)
            self.send_response(answer.status)
            self.send_header("X-Consul-Index", str(answer.index))
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *args: object) -> None:
            del args

    held = Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, script, asked
    held.set()
    server.shutdown()
    server.server_close()
    thread.join()


async def test_the_index_begins_anew_when_it_falls_and_errors_are_outlived(
    watch: Watch, scripted: tuple[int, list[Answer], list[str]]
) -> None:
    port, script, asked = scripted
    script += [
        Answer(200, 7, b"[1]"),
        Answer(200, 9, b"[1]"),  # woken without a change
        Answer(200, 3, b"[2]"),  # the server has lost its data
        Answer(200, 3, b"[2]"),
        Answer(500, 3, b"oops"),
        Answer(200, 4, b"[3]"),
    ]
    watching = await watch("-type", "nodes", address=f"127.0.0.1:{port}")
    assert [await shown(watching) for _ in range(3)] == [[1], [2], [3]]
    assert "oops; asking again" in await said(watching)
    assert asked[:6] == ["", "index=7", "index=9", "", "index=3", ""]


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ([], "--type"),
        (["-type", "key"], "is not one of"),
        (["-type", "service"], "needs --service"),
        (["-type", "connect_leaf"], "needs --service"),
        (["-type", "agent_service"], "needs --service-id"),
        (["-type", "nodes", "-service", "web"], "goes with --type"),
        (["-type", "nodes", "-service-id", "web"], "goes with --type"),
        (["-type", "nodes", "-state", "any"], "goes with --type"),
        (["-type", "nodes", "-tag", "a"], "go with --type"),
        (["-type", "checks", "-service", "web", "-state", "any"], "not both"),
    ],
)
async def test_flags_that_do_not_go_together_are_wrong_usage(call: Call, flags: list[str], text: str) -> None:
    result = await call("watch", *flags)
    assert result.exit_code == 2
    assert text in result.stderr
