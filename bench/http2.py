"""One gRPC stream over HTTP/2, client side: just enough protocol to spend no time on it.

A client from grpcio would cost as much CPU as the server that is measured. Frames: RFC 9113 section 6.
Header block: RFC 7541 section 6.2.3, literal fields that are never indexed. Messages on it: gRPC over
HTTP/2, https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

import asyncio
import struct
from collections.abc import Callable
from typing import Final

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS, PADDED = 0x1, 0x1, 0x4, 0x8

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_INITIAL_WINDOW_SIZE, _MAX_FRAME_SIZE = 4, 5
_WINDOW: Final = 2**31 - 1  # so large that the client never has to give it back
_DEFAULT_WINDOW: Final = 65_535  # what the server may take from us before its first WINDOW_UPDATE
_FRAME_HEADER: Final = 9
_MESSAGE_HEADER: Final = 5
_STREAM: Final = 1


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    assert len(name) < 127
    assert len(value) < 127
    return b"\x10" + bytes((len(name),)) + name + bytes((len(value),)) + value


def _opening(path: str) -> bytes:
    settings = struct.pack(">HIHI", _INITIAL_WINDOW_SIZE, _WINDOW, _MAX_FRAME_SIZE, 2**20)
    fields = {
        b":method": b"POST",
        b":scheme": b"http",
        b":path": path.encode(),
        b":authority": b"xdsmesh",
        b"te": b"trailers",
        b"content-type": b"application/grpc",
    }
    return (
        _PREFACE
        + _frame(SETTINGS, 0, 0, settings)
        + _frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", _WINDOW - _DEFAULT_WINDOW))
        + _frame(HEADERS, END_HEADERS, _STREAM, b"".join(_literal(*field) for field in fields.items()))
    )


class GrpcStream(asyncio.Protocol):
    """A connection that carries one stream. Each received message goes to ``on_message``.

    ``failure`` says why the stream ended; empty as long as it lives.
    """

    def __init__(self, path: str, on_message: Callable[[bytes], None]) -> None:
        self.failure = ""
        self._opening = _opening(path)
        self._on_message = on_message
        self._frames = bytearray()
        self._messages = bytearray()
        self._credit = _DEFAULT_WINDOW
        self._transport: asyncio.Transport | None = None

    def send(self, message: bytes) -> None:
        """Send one message, at once."""
        assert self._transport is not None
        self._credit -= _MESSAGE_HEADER + len(message)
        if self._credit < 0:
            raise RuntimeError("the server gives no window back: it does not read what it is sent")
        payload = struct.pack(">BI", 0, len(message)) + message
        self._transport.write(_frame(DATA, 0, _STREAM, payload))

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._opening)

    def connection_lost(self, exc: Exception | None) -> None:
        self.failure = self.failure or f"connection lost: {exc or 'closed by the server'}"

    def data_received(self, data: bytes) -> None:
        buffer = self._frames
        buffer += data
        start = 0
        while len(buffer) - start >= _FRAME_HEADER:
            length = int.from_bytes(buffer[start : start + 3], "big")
            end = start + _FRAME_HEADER + length
            if len(buffer) < end:
                break
            self._take(buffer[start + 3], buffer[start + 4], bytes(buffer[start + _FRAME_HEADER : end]))
            start = end
        del buffer[:start]

    def _take(self, kind: int, flags: int, payload: bytes) -> None:
        assert self._transport is not None
        if kind == DATA:
            self._data(payload[1 : -payload[0] or None] if flags & PADDED else payload)
        elif kind == PING and not flags & ACK:
            self._transport.write(_frame(PING, ACK, 0, payload))
        elif kind == SETTINGS and not flags & ACK:
            self._transport.write(_frame(SETTINGS, ACK, 0, b""))
        elif kind == WINDOW_UPDATE:
            self._credit += int.from_bytes(payload, "big")
        elif kind in (RST_STREAM, GOAWAY) or (kind == HEADERS and flags & END_STREAM):
            self.failure = f"ended by the server: {payload!r}"

    def _data(self, payload: bytes) -> None:
        buffer = self._messages
        buffer += payload
        while len(buffer) >= _MESSAGE_HEADER:
            end = _MESSAGE_HEADER + int.from_bytes(buffer[1:_MESSAGE_HEADER], "big")
            if len(buffer) < end:
                return
            message = bytes(buffer[_MESSAGE_HEADER:end])
            del buffer[:end]
            self._on_message(message)
