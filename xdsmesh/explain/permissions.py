"""Whether a request that comes in is one that a permission is about."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from xdsmesh.config.parts.permission import HeaderPermission, HTTPPermission
from xdsmesh.explain import types
from xdsmesh.explain.matches import fits, lowered
from xdsmesh.explain.requests import routed_headers, values
from xdsmesh.explain.tokens import Tokens
from xdsmesh.explain.types import Headers

_HOST: Final = "host"
CLIENT_CERT: Final = "x-forwarded-client-cert"
"""Names the caller by its certificate: Envoy drops what the request carries, and writes its own."""
_UNKNOWN: Final = ""
"""Stands for a value that is there, and is not known."""


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """A request that comes in at a destination, after its Envoy has normalized the path.

    ``path`` may carry a query. ``headers`` may hold a name several times, and ``Host``. ``names_caller``:
    Envoy writes ``x-forwarded-client-cert``, which holds more than is known here, such as a hash.
    """

    method: str = "GET"
    path: str = "/"
    headers: Headers = ()
    tokens: Tokens = field(default_factory=dict)
    names_caller: bool = True

    def as_sent(self) -> types.Request:
        """As an application has sent it, with its host in a place of its own."""
        hosts = [value for name, value in self.headers if name.lower() == _HOST]
        others = tuple((name, value) for name, value in self.headers if name.lower() != _HOST)
        return types.Request("", self.path, self.method, others, *hosts[:1])

    def values(self, name: str) -> list[str]:
        """The values of a header, in order; some are added by Envoy."""
        if name.lower() == CLIENT_CERT:
            return [_UNKNOWN] if self.names_caller else []
        sent = self.as_sent()
        return values(sent, routed_headers(sent), name)


def depends_on_certificate(http: HTTPPermission, request: InboundRequest) -> bool:
    """Whether all conditions hold but those on a value of ``x-forwarded-client-cert``, and there are such."""
    known = [each for each in http.header if each.present or each.name.lower() != CLIENT_CERT]
    if not request.names_caller or len(known) == len(http.header):
        return False
    return is_about(msgspec.structs.replace(http, header=known), request)


def is_about(http: HTTPPermission, request: InboundRequest) -> bool:
    """Whether all conditions hold: on the path, each header, and the method.

    Ask ``depends_on_certificate`` first.
    """
    return (
        _path(http, _bare(request.path))
        and all(_header(header, request.values(header.name)) for header in http.header)
        and (not http.methods or request.method in http.methods)
    )


def _bare(path: str) -> str:
    """Neither the query string nor a fragment is part of a path."""
    return path.partition("?")[0].partition("#")[0]


def _path(http: HTTPPermission, path: str) -> bool:
    if http.path_exact:
        return path == http.path_exact
    if http.path_prefix:
        return path.startswith(http.path_prefix)
    return not http.path_regex or fits(http.path_regex, path)


def _header(header: HeaderPermission, found: list[str]) -> bool:
    """Of several values one is enough to meet the condition, and so to fail it inverted.

    A header that is missing does not meet it, and so meets it inverted: a permission that denies whoever does
    not show a value is also about those who show none. Routes of Envoy are otherwise.
    """
    met = bool(found) if header.present else any(_value(header, value) for value in found)
    return met is not header.invert


def _value(header: HeaderPermission, value: str) -> bool:
    fold: Callable[[str], str] = lowered if header.ignore_case else str
    value = fold(value)
    if header.exact:
        return value == fold(header.exact)
    if header.prefix:
        return value.startswith(fold(header.prefix))
    if header.suffix:
        return value.endswith(fold(header.suffix))
    if header.contains:
        return fold(header.contains) in value
    return fits(header.regex, value)
