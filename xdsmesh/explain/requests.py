"""What Envoy makes of a request before it looks for a route, on a listener where an application calls out.

Such a listener takes paths as they are: nothing is decoded, merged or resolved. Observed on Envoy 1.40;
https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from xdsmesh.explain.types import Headers, Refusal, Request

METHODS: Final = frozenset(
    (
        "DELETE",
        "GET",
        "HEAD",
        "OPTIONS",
        "PATCH",
        "POST",
        "PUT",
        "TRACE",
        "ACL",
        "BIND",
        "CHECKOUT",
        "COPY",
        "LINK",
        "LOCK",
        "MERGE",
        "MKACTIVITY",
        "MKCOL",
        "MOVE",
        "PROPFIND",
        "PROPPATCH",
        "REBIND",
        "REPORT",
        "SEARCH",
        "UNBIND",
        "UNLINK",
        "UNLOCK",
        "MKCALENDAR",
        "MSEARCH",
        "NOTIFY",
        "PURGE",
        "SOURCE",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
    )
)
"""Those that Envoy takes over HTTP/1.1, but for CONNECT, which it only routes where it is told to."""

_TARGET: Final = re.compile(r"[!-~]+")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_SYNONYMS: Final = {"host": ":authority", ":scheme": "x-forwarded-proto"}
_ADDED: Final = {"x-forwarded-proto": "http", "x-request-id": "00000000-0000-4000-8000-000000000000"}
"""What Envoy adds where it is missing; an id is drawn for each request."""

_OF_THE_HOP: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}
)
_DISTRUSTED: Final = frozenset({"x-envoy-internal", "x-forwarded-client-cert"})


def refusal(request: Request) -> Refusal | None:
    """Why Envoy would not even look for a route, or None."""
    if request.method not in METHODS:
        return Refusal(400, f"Envoy takes no method {request.method}")
    if request.path == "*":
        return Refusal(404, "no route has the path *")
    wrong = next(chain(_wrong_in_path(request.path), _wrong_in_headers(request.headers)), "")
    return Refusal(400, wrong) if wrong else None


def _wrong_in_path(path: str) -> Iterator[str]:
    if not path.startswith("/"):
        yield 'a path begins with "/"'
    if not _TARGET.fullmatch(path):
        yield "a path holds neither spaces nor control characters nor any that is not ASCII"
    if "#" in path:
        yield "a path holds no fragment"


def _wrong_in_headers(headers: Headers) -> Iterator[str]:
    for name, value in headers:
        if not _NAME.fullmatch(name):
            yield f"{name!r} is not the name of a header"
        if not _VALUE.fullmatch(value):
            yield f"the value of {name} holds a control character"


def routed_headers(request: Request) -> Headers:
    """The headers by which a route is found, with lower-case names; what concerns the hop alone is gone."""
    headers = tuple((name.lower(), value.strip(" \t")) for name, value in request.headers)
    named = {
        token.strip().lower() for name, value in headers if name == "connection" for token in value.split(",")
    }
    dropped = _OF_THE_HOP | _DISTRUSTED | named
    return tuple(
        (name, value)
        for name, value in headers
        if name not in dropped and (name != "te" or value == "trailers")
    )


def values(request: Request, headers: Headers, name: str) -> list[str]:
    """The values of a header, in order, some of which Envoy adds. ``headers`` are the routed ones."""
    name = _SYNONYMS.get(name.lower(), name.lower())
    found = [value for own, value in headers if own == name]
    if name in _ADDED:
        return found or [_ADDED[name]]
    pseudo = {":path": request.path, ":method": request.method, ":authority": request.host}
    return [pseudo[name]] if name in pseudo else found


def query_value(path: str, name: str) -> str | None:
    """The first value of a query parameter as it stands in the path: nothing is decoded, no value is ""."""
    _, _, query = path.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return next((value for own, _, value in pairs if own == name), None)
