"""How an answer is put: JSON, compact or on ``?pretty`` indented, small on the wire, with its index."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Generic, Self, TypeVar

import msgspec
from litestar import MediaType, Response
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_404_NOT_FOUND
from litestar.types import Receive, Scope, Send

from xdsmesh.api.freshness import consistency
from xdsmesh.api.request import AnyRequest, accepts_gzip, is_pretty

T = TypeVar("T")

_encoder: Final = msgspec.json.Encoder()
_INDENT: Final = 4
_WORTH_PACKING: Final = 1400
"""Bytes: less than this fits in one packet anyway."""
_LEVEL: Final = 3
"""The best one takes ten times as long for a sixth less, and all others wait meanwhile."""
_WARNING: Final = "X-Xdsmesh-Warning"
_MAX_WARNINGS: Final = 20
"""Clients take a limited number of headers, and people read fewer."""
_MAX_TEXT: Final = 500
_CONTENT_TYPES: Final[dict[str, str]] = {
    MediaType.JSON: "application/json",
    MediaType.TEXT: "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class Answer:
    """A body that is ready to be sent, to as many as ask for it."""

    body: bytes
    status: int = HTTP_200_OK
    media_type: MediaType | str = MediaType.JSON

    @classmethod
    def of(cls, content: object, missing: str = "", *, pretty: bool = False) -> Self:
        """Encode what was read; or, of something that is not there, what to say about it."""
        if missing:
            return cls(missing.encode(), HTTP_404_NOT_FOUND, MediaType.TEXT)
        return cls(as_json(content, pretty=pretty))

    def on_the_wire(self, request: AnyRequest) -> tuple[bytes, dict[str, str]]:
        """The body as one caller gets it, and the headers that say so."""
        if len(self.body) < _WORTH_PACKING:
            return self.body, {}
        if not accepts_gzip(request):
            return self.body, {"Vary": "Accept-Encoding"}
        return self._packed, {"Vary": "Accept-Encoding", "Content-Encoding": "gzip"}

    @cached_property
    def _packed(self) -> bytes:
        return gzip.compress(self.body, _LEVEL, mtime=0)


class Reply(Response[T], Generic[T]):
    """A value as JSON, for what has no index to wait by; each warning is a header of its own."""

    def __init__(self, content: T, warnings: Sequence[str] = ()) -> None:
        super().__init__(content, media_type=MediaType.JSON)
        self._warnings = warnings

    def to_asgi_response(self, app: Any, request: AnyRequest, **options: Any) -> ASGIResponse:
        """Encode for this request."""
        body, headers = Answer.of(self.content, pretty=is_pretty(request)).on_the_wire(request)
        response = Response(
            body,
            status_code=self.status_code,
            headers={**self.headers, **headers},
            media_type=self.media_type,
        )
        sent = response.to_asgi_response(app, request, **options)
        for warning in _told(self._warnings):
            sent.headers.add(_WARNING, warning)
        return sent


class Sent:
    """An answer on its way to one caller, as an ASGI application.

    It is little work, since one write may have thousands of them sent.
    """

    def __init__(self, answer: Answer, request: AnyRequest, headers: Mapping[str, str]) -> None:
        self._status = answer.status
        self._body, encoding = answer.on_the_wire(request)
        told = {
            **headers,
            **encoding,
            "Content-Type": _CONTENT_TYPES.get(answer.media_type, answer.media_type),
            "Content-Length": str(len(self._body)),
        }
        self._headers = [(name.encode(), value.encode()) for name, value in told.items()]

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})


def header_text(text: str) -> str:
    """A text as the value of a header, RFC 9110 section 5.5: one line of visible ASCII, not too long."""
    line = " ".join(text.split()).encode("ascii", "backslashreplace").decode()
    return line if len(line) <= _MAX_TEXT else f"{line[:_MAX_TEXT]}..."


def _told(warnings: Sequence[str]) -> Iterator[str]:
    """Warnings as values of headers, and not too many of them."""
    yield from map(header_text, warnings[:_MAX_WARNINGS])
    if len(warnings) > _MAX_WARNINGS:
        yield f"there are {len(warnings) - _MAX_WARNINGS} more warnings"


def empty() -> Response[bytes]:
    """The answer of a write that has nothing to say."""
    return Response(b"", media_type=MediaType.TEXT)


def as_json(content: object, *, pretty: bool) -> bytes:
    """A value as JSON; indented it also ends with a line feed."""
    body = _encoder.encode(content)
    return msgspec.json.format(body, indent=_INDENT) + b"\n" if pretty else body


def index_headers(request: AnyRequest, index: int) -> dict[str, str]:
    """What tells a caller how new an answer is.

    Clients take an index below 1 for a fault, and read no further header after a missing
    ``X-Consul-LastContact``; so both are always right.
    """
    headers = {
        "X-Consul-Index": str(max(index, 1)),
        "X-Consul-KnownLeader": "true",
        "X-Consul-LastContact": "0",
        "X-Consul-Effective-Consistency": consistency(request),
        "X-Consul-Query-Backend": "blocking-query",
    }
    return {**headers, "X-Cache": "MISS"} if "cached" in request.query_params else headers
