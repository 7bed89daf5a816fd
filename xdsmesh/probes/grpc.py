"""The gRPC check: the standard health service says SERVING.

Protocol: https://github.com/grpc/grpc/blob/master/doc/health-checking.md and PROTOCOL-HTTP2.md beside it.
It is spoken here frame by frame, since gRPC's own client can't skip the check of a certificate.
"""

import struct
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import grpc
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived

from xdsmesh.model.checks import CheckStatus, Health, Probe
from xdsmesh.probes.http2 import http2

_STREAM: Final = 1
_CODES: Final = {str(code.value[0]): code.name for code in grpc.StatusCode}
_SERVING: Final = "SERVING"
_STATUSES: Final = ("UNKNOWN", _SERVING, "NOT_SERVING", "SERVICE_UNKNOWN")


async def probe_grpc(probe: Probe) -> CheckStatus:
    """Passing if the server, or the service after the target's slash, is serving.

    Raises:
        OSError: there is no connection, or it ends before.
        ValueError: the target is no address.
        h2.exceptions.ProtocolError: the server does not speak HTTP/2.
    """
    address, _, service = probe.target.partition("/")
    async with http2(probe, address) as connection:
        connection.state.send_headers(_STREAM, _headers(probe, address))
        connection.state.send_data(_STREAM, _request(service), end_stream=True)
        await connection.flush()
        heads: dict[str, str] = {}
        body = bytearray()
        async for event in connection.events():
            match event:
                case ResponseReceived() | TrailersReceived():
                    heads |= {str(name): str(value) for name, value in event.headers}
                case DataReceived():
                    body += event.data  # no more than h2's first window, which is never widened
                case StreamReset():
                    return CheckStatus(Health.CRITICAL, f"the server reset the call: {event.error_code!r}")
                case StreamEnded():
                    break
    return _judge(heads, bytes(body), probe.output_max_size)


def _headers(probe: Probe, address: str) -> list[tuple[str, str]]:
    return [
        (":method", "POST"),
        (":scheme", "https" if probe.use_tls else "http"),
        (":path", "/grpc.health.v1.Health/Check"),
        (":authority", probe.tls_server_name or address),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "Consul Health Check"),
    ]


def _request(service: str) -> bytes:
    """A framed ``HealthCheckRequest``: its only field is the service's name."""
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return struct.pack(">BI", 0, len(message)) + message


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _judge(heads: Mapping[str, str], body: bytes, limit: int) -> CheckStatus:
    if heads.get(":status") != "200":
        return CheckStatus(Health.CRITICAL, f"no gRPC: the answer is HTTP {heads.get(':status')}")
    code = heads.get("grpc-status", "")
    if code != "0":
        text = f"{_CODES.get(code, 'no status')}: {unquote(heads.get('grpc-message', ''))}"
        return CheckStatus(Health.CRITICAL, text[:limit])
    status = _status(body[5:])
    if status == _SERVING:
        return CheckStatus(Health.PASSING, "success")
    return CheckStatus(Health.CRITICAL, f"the serving status is {status}")


def _status(message: bytes) -> str:
    """The status in a ``HealthCheckResponse``: its only field, absent when it is zero."""
    number = message[1] if message[:1] == b"\x08" and message[1:] else 0
    return _STATUSES[number] if number < len(_STATUSES) else str(number)
