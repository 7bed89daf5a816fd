"""How an answer is put: JSON, compact or on ``?pretty`` indented, with the revision it was read at."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from litestar import MediaType, Response
from litestar.response.base import ASGIResponse

from xdsmesh.api.request import AnyRequest

T = TypeVar("T")

_encoder: Final = msgspec.json.Encoder()
_INDENT: Final = 4


class Reply(Response[T]):
    """A value as JSON.

    ``index`` is the store's revision that the value was read at. Clients take an index below 1 for a
    fault, and read no further header after a missing ``X-Consul-LastContact``; so both are always right.
    """

    def __init__(
        self, content: T, *, index: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(
            content, headers={**(headers or {}), **_index_headers(index)}, media_type=MediaType.JSON
        )

    def to_asgi_response(self, app: Any, request: AnyRequest, **options: Any) -> ASGIResponse:
        """Encode for this request."""
        body = _encoder.encode(self.content)
        if "pretty" in request.query_params:
            body = msgspec.json.format(body, indent=_INDENT) + b"\n"
        return Response(body, headers=self.headers, media_type=self.media_type).to_asgi_response(
            app, request, **options
        )


def empty() -> Response[bytes]:
    """The answer of a write that has nothing to say."""
    return Response(b"", media_type=MediaType.TEXT)


def _index_headers(index: int | None) -> dict[str, str]:
    if index is None:
        return {}
    return {
        "X-Consul-Index": str(max(index, 1)),
        "X-Consul-KnownLeader": "true",
        "X-Consul-LastContact": "0",
        "X-Consul-Effective-Consistency": "leader",
    }
