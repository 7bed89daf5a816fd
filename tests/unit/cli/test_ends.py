"""How commands end when something is wrong around them: the exit code, and never a traceback."""

import os
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from xdsmesh.cli import app
from xdsmesh.cli.errors import CommandError

Run = Callable[..., subprocess.CompletedProcess[str]]

READS = (
    "services list",
    "services exported-services",
    "catalog services",
    "catalog nodes",
    "catalog datacenters",
    "checks list",
    "config list",
    "intention match web",
    "members",
    "maint",
    "ca roots",
    "proxies",
    "watch -type nodes",
)


@pytest.mark.parametrize("line", ["services list", "watch -type nodes"])
def test_a_server_that_is_not_there_is_told_in_a_line(xdsmesh: Run, line: str) -> None:
    result = xdsmesh(*line.split(), "-http-addr", "127.0.0.1:1")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("cannot reach a server at http://127.0.0.1:1: ")
    assert result.stderr.count("\n") == 1


def test_a_reader_that_goes_away_is_no_trouble(command: Path, environment: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = subprocess.run(
            [command, "version"],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=30,
            check=False,
        )
    finally:
        os.close(writing)
    assert (result.returncode, result.stderr) == (1, b"")


def test_bytes_that_are_no_text_are_wrong_usage(command: Path, environment: dict[str, str]) -> None:
    for arguments in ([b"services", b"deregister", b"\xff"], [b"catalog", b"nodes", b"-service", b"\xff"]):
        result = subprocess.run(
            [os.fsencode(command), *arguments], capture_output=True, env=environment, timeout=30, check=False
        )
        assert (result.returncode, result.stdout) == (2, b"")
        assert b"bytes that are no text" in result.stderr


@pytest.fixture(scope="module")
def somebody_else() -> Iterator[str]:
    """The address of a server that is not one of ours."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>Welcome!</html>")

        def log_message(self, *args: object) -> None:
            del args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("line", READS)
def test_a_server_of_another_kind_is_named(
    line: str, somebody_else: str, environment: dict[str, str]
) -> None:
    result = CliRunner().invoke(app, [*line.split(), "-http-addr", somebody_else], env=environment)
    assert isinstance(result.exception, CommandError)
    assert str(result.exception).startswith(f"http://{somebody_else}/v1/")
    assert result.stdout == ""
