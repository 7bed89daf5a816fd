import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT

import pytest

from xdsmesh.cli.client import Client
from xdsmesh.cli.errors import CommandError

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"{host}:{port}"


def receive(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(4096)
    return data.decode()


@contextmanager
def answering(listener: socket.socket, status: str, body: str) -> Iterator[list[str]]:
    """Answer one request as a server that is not ours might; yields what was asked, once it was."""
    requests: list[str] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            requests.append(receive(connection))
            head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            connection.sendall((head + body).encode())

    thread = threading.Thread(target=serve)
    thread.start()
    yield requests
    thread.join(timeout=30)


def test_without_a_server_one_sentence_says_where_it_looked_and_what_to_do(xdsmesh: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        address = address_of(closed_soon)
    result = xdsmesh("services", "list", XDSMESH_HTTP_ADDR=address)
    assert result.returncode == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert f"http://{address}" in line
    assert "xdsmesh server --dev" in line
    assert "XDSMESH_HTTP_ADDR" in line


def test_who_told_consuls_command_where_to_ask_hears_that_it_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("xdsmesh.cli.client.DEFAULT_HTTP_ADDR", "http://127.0.0.1:1")
    monkeypatch.delenv("XDSMESH_HTTP_ADDR", raising=False)
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "consul.example:8500")
    with Client("http://127.0.0.1:1") as client, pytest.raises(CommandError) as caught:
        client.services()
    assert "CONSUL_HTTP_ADDR, which is consul.example:8500, is not read" in str(caught.value)


def test_a_token_that_no_header_can_hold_is_refused_and_not_shown() -> None:
    with pytest.raises(CommandError, match="line breaks") as caught:
        Client("http://127.0.0.1:1", "se\ncret")
    assert "cret" not in str(caught.value)


def test_a_flag_wins_over_the_environment_and_the_token_is_sent(
    xdsmesh: Run, listener: socket.socket
) -> None:
    with answering(listener, "200 OK", "{}") as requests:
        result = xdsmesh(
            *("services", "list", "--http-addr", address_of(listener), "--format", "json"),
            XDSMESH_HTTP_ADDR="127.0.0.1:1",
            XDSMESH_TOKEN="secret-of-mine",
            HTTP_PROXY="http://127.0.0.1:1",
        )
    assert (result.returncode, result.stdout) == (0, "{}\n")
    assert "x-consul-token: secret-of-mine" in requests[0].lower()


@pytest.mark.parametrize("body", ["<html>hello</html>", "[]", '{"web": 1}'])
def test_an_answer_of_another_server_is_told_as_such(listener: socket.socket, body: str) -> None:
    with (
        answering(listener, "200 OK", body),
        Client(f"http://{address_of(listener)}") as client,
        pytest.raises(CommandError, match="is it an xdsmesh server"),
    ):
        client.services()


def test_a_refusal_is_shown_in_the_servers_words(listener: socket.socket) -> None:
    with (
        answering(listener, "409 Conflict", "service-router/web belongs to mesh.hcl:1:1\n"),
        Client(f"http://{address_of(listener)}") as client,
        pytest.raises(CommandError, match=r"^service-router/web belongs to mesh\.hcl:1:1$"),
    ):
        client.delete_entry("service-router", "web")


def test_a_fault_of_the_server_is_told_as_such(listener: socket.socket) -> None:
    with (
        answering(listener, "500 Internal Server Error", "Internal error 1f"),
        Client(f"http://{address_of(listener)}") as client,
        pytest.raises(CommandError, match=r"failed \(500\): Internal error 1f"),
    ):
        client.services()


def test_names_are_sent_as_they_are(listener: socket.socket) -> None:
    with (
        answering(listener, "200 OK", "") as requests,
        Client(f"http://{address_of(listener)}/mesh/") as client,
    ):
        client.deregister_service("web/1 ü?#")
    assert requests[0].startswith("PUT /mesh/v1/agent/service/deregister/web%2F1%20%C3%BC%3F%23 HTTP/1.1")


def test_an_address_that_is_none_is_an_error() -> None:
    with pytest.raises(CommandError, match="is not the address of a server"):
        Client("http://127.0.0.1:8500/\x00")


@pytest.mark.parametrize("file", ["absent.pem", "wrong.pem"])
def test_ca_certificates_that_cannot_be_read_are_an_error(file: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.pem").write_text("no certificate")
    with pytest.raises(CommandError, match=f"cannot use the CA certificates in .*{file}: "):
        Client("https://127.0.0.1:8501", ca_cert=tmp_path / file)


HEED_CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""A shell lets its background jobs ignore Ctrl-C, and their children inherit that.

It runs before the command, and not between fork and exec: other threads of this process may hold locks then.
"""


def test_ctrl_c_ends_quietly_with_130(
    listener: socket.socket, command: Path, environment: dict[str, str]
) -> None:
    arguments = [str(command), "services", "list", "--http-addr", address_of(listener)]
    with subprocess.Popen(
        [sys.executable, "-c", HEED_CTRL_C, *arguments], stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        connection, _ = listener.accept()
        with connection:
            receive(connection)
            process.send_signal(SIGINT)
            _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.strip() == ""
