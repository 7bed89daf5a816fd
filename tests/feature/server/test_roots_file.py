"""``--roots-file``: a server and the file by which it is known, from the start and through a rotation."""

from __future__ import annotations

import socket
import ssl
import threading
from typing import TYPE_CHECKING, Self

import pytest
from cryptography import x509

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Server, StartServer

TLS = ("--https-addr", "127.0.0.1:0")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "trust").mkdir()
    return tmp_path / "trust" / "roots.pem"


class Reader:
    """A context: reads a file again and again, as somebody would who knows of no change."""

    def __init__(self, file: Path) -> None:
        self.seen: set[str] = set()
        self._file = file
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.seen.add(self._file.read_text())


def roots(server: Server) -> str:
    pem: str = server.http.get("/v1/connect/ca/roots?pem=true").text
    return pem


def is_believed(server: Server, file: Path) -> bool:
    """Whether the server proves itself to who has the file."""
    context = ssl.create_default_context(cafile=str(file))
    host, _, port = server.events("serving HTTPS")[0]["address"].rpartition(":")
    with socket.create_connection((host, int(port)), 10) as plain:
        try:
            context.wrap_socket(plain, server_hostname="server.dc1.consul").close()
        except ssl.SSLCertVerificationError:
            return False
    return True


def rotate(server: Server) -> None:
    server.http.put("/v1/xdsmesh/ca/rotate").raise_for_status()

    def is_done() -> bool:
        stage: str = server.http.get("/v1/xdsmesh/ca/status").json()["rotation"]["stage"]
        return stage == "done"

    server.wait(is_done, "the rotation is done")


def test_who_has_the_file_believes_the_server_before_and_after_a_rotation(
    start: StartServer, file: Path
) -> None:
    server = start("--dev", *TLS, "--roots-file", str(file))
    old = file.read_text()
    assert old == roots(server)
    assert is_believed(server, file)
    with Reader(file) as reader:
        rotate(server)
        server.wait(lambda: file.read_text() == roots(server), "the file has the new root")
    server.wait(lambda: is_believed(server, file), "the server has a certificate of the new root")
    assert old not in file.read_text()
    for text in reader.seen:
        assert x509.load_pem_x509_certificates(text.encode()), "each who reads it gets it whole"
        assert text.endswith("-----END CERTIFICATE-----\n")


def test_a_server_that_starts_again_puts_right_what_somebody_wrote(start: StartServer, file: Path) -> None:
    flags = ("--data-dir", str(file.parent.parent / "data"), *TLS, "--roots-file", str(file))
    server = start(*flags)
    server.stop()
    file.write_text("what somebody wrote")
    again = start(*flags)
    assert file.read_text() == roots(again)
    assert is_believed(again, file)


def test_a_server_that_could_not_keep_the_file_does_not_start_and_says_why(
    start: StartServer, tmp_path: Path
) -> None:
    file = tmp_path / "missing" / "roots.pem"
    server = start("--dev", "--roots-file", str(file), ready=False)
    assert server.process.wait(30) == 1
    *_, said = server.output().splitlines()
    assert said.startswith(f"--roots-file: XM0504 {file} can't be written: No such file or directory (name ")
    assert not server.events("serving HTTP")


def test_a_server_that_can_write_no_more_goes_on_and_says_so(start: StartServer, file: Path) -> None:
    server = start("--dev", *TLS, "--roots-file", str(file))
    away = file.parent.rename(file.parent.with_name("away"))
    rotate(server)
    server.wait(lambda: "the roots can't be written" in server.output(), "the log says so")
    away.rename(file.parent)
    server.wait(lambda: file.read_text() == roots(server), "the file has the new root by itself")
