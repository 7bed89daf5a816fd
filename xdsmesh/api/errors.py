"""How failures are told: plain text that a person can act on, under the status that clients look for."""

import secrets
from typing import Final, cast

import structlog
from litestar import MediaType, Response
from litestar.exceptions import ClientException, HTTPException, ValidationException
from litestar.status_codes import (
    HTTP_400_BAD_REQUEST,
    HTTP_404_NOT_FOUND,
    HTTP_405_METHOD_NOT_ALLOWED,
    HTTP_409_CONFLICT,
    HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    HTTP_500_INTERNAL_SERVER_ERROR,
    HTTP_503_SERVICE_UNAVAILABLE,
)
from litestar.types import ExceptionHandlersMap

from xdsmesh.api.request import AnyRequest, path_of
from xdsmesh.model.errors import (
    NeededError,
    NoPathError,
    NotFoundError,
    OutOfReachError,
    OwnershipError,
    RefusedError,
    UnderWayError,
)

MAX_BODY: Final = 1 << 20
"""The largest request body, in bytes."""

_log = structlog.get_logger(__name__)


def _refused(_request: AnyRequest, error: RefusedError) -> Response[str]:
    return _text(str(error), HTTP_400_BAD_REQUEST)


def _not_found(_request: AnyRequest, error: NotFoundError) -> Response[str]:
    return _text(str(error), HTTP_404_NOT_FOUND)


def _owned_by_another(_request: AnyRequest, error: OwnershipError) -> Response[str]:
    return _text(str(error), HTTP_409_CONFLICT)


def _needed(_request: AnyRequest, error: NeededError) -> Response[str]:
    return _text(str(error), HTTP_409_CONFLICT)


def _under_way(_request: AnyRequest, error: UnderWayError) -> Response[str]:
    return _text(str(error), HTTP_409_CONFLICT)


def _no_path(_request: AnyRequest, error: NoPathError) -> Response[str]:
    return _text(str(error), HTTP_500_INTERNAL_SERVER_ERROR)  # as in Consul


def _out_of_reach(_request: AnyRequest, error: OutOfReachError) -> Response[str]:
    return _text(str(error), HTTP_503_SERVICE_UNAVAILABLE)


def _http_error(request: AnyRequest, error: HTTPException) -> Response[str]:
    if error.status_code >= HTTP_500_INTERNAL_SERVER_ERROR:
        return _fault(request, error)
    if error.status_code == HTTP_404_NOT_FOUND:
        return _unknown_path(request)
    return _text(_describe(request, error), error.status_code, error.headers)


def _unknown_path(request: AnyRequest) -> Response[str]:
    try:
        path = path_of(request)
    except ClientException as error:
        return _text(error.detail, error.status_code)
    return _text(f"Invalid URL path: {path} is not part of the API", HTTP_404_NOT_FOUND)


def _describe(request: AnyRequest, error: HTTPException) -> str:
    if error.status_code == HTTP_405_METHOD_NOT_ALLOWED:
        return f"method {request.scope['method']} not allowed on this path"
    if error.status_code == HTTP_413_REQUEST_ENTITY_TOO_LARGE:
        return f"Request body too large (the limit is {MAX_BODY} bytes)"
    if isinstance(error, ValidationException):
        problems = cast("list[dict[str, str]]", error.extra or [])
        return "\n".join(
            f"Invalid {problem.get('key', 'request')}: {problem['message']}" for problem in problems
        )
    return error.detail


def _fault(request: AnyRequest, error: Exception) -> Response[str]:
    """The server's own fault: the caller gets an id to quote, the log gets the traceback."""
    fault = secrets.token_hex(4)
    _log.error(
        "request failed", fault=fault, method=request.method, path=request.scope["path"], exc_info=error
    )
    return _text(
        f"Internal error {fault} (this is a fault of the server; its log has the details under this id)",
        HTTP_500_INTERNAL_SERVER_ERROR,
    )


def _text(text: str, status: int, headers: dict[str, str] | None = None) -> Response[str]:
    return Response(
        text,
        status_code=status,
        headers={**(headers or {}), "X-Content-Type-Options": "nosniff"},
        media_type=MediaType.TEXT,
    )


HANDLERS: Final[ExceptionHandlersMap] = {
    RefusedError: _refused,
    NotFoundError: _not_found,
    OwnershipError: _owned_by_another,
    NeededError: _needed,
    UnderWayError: _under_way,
    NoPathError: _no_path,
    OutOfReachError: _out_of_reach,
    HTTPException: _http_error,
    Exception: _fault,
}
"""What answers an exception of each type, the nearest base deciding."""
