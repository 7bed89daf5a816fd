"""The name that a TLS client asks for, read from what it sends first. See RFC 8446 §4.1.2, RFC 6066 §3."""

from __future__ import annotations

from typing import Final

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_SERVER_NAME: Final = 0


class _Reader:
    """Takes what TLS writes: numbers, and vectors that begin with their length."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, size: int) -> bytes:
        if size > len(self.rest):
            raise EOFError
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> _Reader:
        """One whose length is a number of so many bytes."""
        return _Reader(self.take(self.number(size)))


def server_name(stream: bytes) -> str | None:
    """The SNI of the ClientHello that a TCP stream begins with; empty: it has none; None: no ClientHello."""
    try:
        hello = _Reader(_handshake(stream))
        if hello.number(1) != _CLIENT_HELLO:
            return None
        return _server_name(hello.vector(3))
    except EOFError:
        return None


def _handshake(stream: bytes) -> bytes:
    """What the handshake records at the beginning carry: a message may be spread over several."""
    records, carried = _Reader(stream), b""
    while records.rest and records.number(1) == _HANDSHAKE:
        records.take(2)
        carried += records.vector(2).rest
    return carried


def _server_name(hello: _Reader) -> str:
    hello.take(2 + 32)  # version, random
    for size in (1, 2, 1):  # session id, cipher suites, compression methods
        hello.vector(size)
    extensions = hello.vector(2)
    while extensions.rest:
        kind, content = extensions.number(2), extensions.vector(2)
        if kind == _SERVER_NAME:
            names = content.vector(2)
            names.take(1)  # host_name, the only type there is
            return names.vector(2).rest.decode("ascii")
    return ""
