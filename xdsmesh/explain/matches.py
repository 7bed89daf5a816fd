"""Whether a request takes a route: https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import re2

from xdsmesh.explain.requests import query_value, values
from xdsmesh.explain.types import Headers, Request
from xdsmesh.ir.comparison import Comparison, PathMatch, ValueMatch
from xdsmesh.ir.types import RequestMatch

_IGNORING_CASE: Final = "(?i)"


def matches(match: RequestMatch, request: Request, headers: Headers) -> bool:
    """Whether all conditions hold. ``headers`` are the routed ones."""
    return (
        _path(match.path, request.path.partition("?")[0])
        and (not match.methods or request.method in match.methods)
        and all(_header(header, values(request, headers, header.name)) for header in match.headers)
        and all(_query(parameter, query_value(request.path, parameter.name)) for parameter in match.query)
    )


def _path(match: PathMatch, path: str) -> bool:
    if match.case_sensitive:
        return _compare(match.comparison, match.value, path)
    if match.comparison is Comparison.REGEX:
        return _compare(match.comparison, _IGNORING_CASE + match.value, path)
    return _compare(match.comparison, lowered(match.value), lowered(path))


def _header(match: ValueMatch, found: list[str]) -> bool:
    """A header that is missing fails every condition, inverted or not, but that of its presence.

    Of several with the name one is enough to meet a condition, and so to fail an inverted one.
    """
    if match.comparison is Comparison.PRESENT:
        return bool(found) is not match.invert
    return bool(found) and _any(match, found) is not match.invert


def _query(match: ValueMatch, found: str | None) -> bool:
    return found is not None and _any(match, (found,))


def _any(match: ValueMatch, found: Iterable[str]) -> bool:
    return any(_compare(match.comparison, match.value, value) for value in found)


def _compare(comparison: Comparison, expected: str, text: str) -> bool:
    match comparison:
        case Comparison.EXACT:
            return text == expected
        case Comparison.PREFIX:
            return text.startswith(expected)
        case Comparison.SUFFIX:
            return text.endswith(expected)
        case Comparison.CONTAINS:
            return expected in text
        case Comparison.REGEX:
            return fits(expected, text)
        case Comparison.PRESENT:
            return True


def lowered(text: str) -> str:
    """The text with lower-case ASCII letters; Envoy leaves all others alone."""
    return text.encode().lower().decode()


def fits(regex: str, text: str) -> bool:
    """Whether the whole text matches a regular expression of RE2."""
    return _compiled(regex).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _compiled(regex: str) -> Any:
    return re2.compile(regex)
