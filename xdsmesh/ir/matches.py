"""What a request must look like to take a route."""

from typing import Final

from xdsmesh.config.kinds.service_router import HeaderMatch, HTTPMatch, QueryParamMatch
from xdsmesh.ir.comparison import Comparison, PathMatch, ValueMatch
from xdsmesh.ir.types import RequestMatch

EVERYTHING: Final = RequestMatch(PathMatch(Comparison.PREFIX, "/"))
"""Every request."""

_Candidates = tuple[tuple[Comparison, str], ...]


def build_match(match: HTTPMatch | None) -> RequestMatch:
    """The conditions of a route; without any it takes every request."""
    if match is None:
        return EVERYTHING
    return RequestMatch(
        path=_path(match),
        headers=tuple(_header(header) for header in match.header),
        query=tuple(_query_param(parameter) for parameter in match.query_param),
        methods=tuple(match.methods),
    )


def _path(match: HTTPMatch) -> PathMatch:
    candidates = (
        (Comparison.EXACT, match.path_exact),
        (Comparison.PREFIX, match.path_prefix),
        (Comparison.REGEX, match.path_regex),
    )
    comparison, value = _given(candidates) or (Comparison.PREFIX, "/")
    return PathMatch(comparison, value, case_sensitive=not match.case_insensitive)


def _header(header: HeaderMatch) -> ValueMatch:
    candidates = (
        (Comparison.EXACT, header.exact),
        (Comparison.PREFIX, header.prefix),
        (Comparison.SUFFIX, header.suffix),
        (Comparison.REGEX, header.regex),
    )
    comparison, value = _given(candidates) or (Comparison.PRESENT, "")
    return ValueMatch(header.name, comparison, value, invert=header.invert)


def _query_param(parameter: QueryParamMatch) -> ValueMatch:
    candidates = ((Comparison.EXACT, parameter.exact), (Comparison.REGEX, parameter.regex))
    comparison, value = _given(candidates) or (Comparison.PRESENT, "")
    return ValueMatch(parameter.name, comparison, value)


def _given(candidates: _Candidates) -> tuple[Comparison, str] | None:
    """The one way of comparing that was written down; entries with several are refused before."""
    return next(((comparison, value) for comparison, value in candidates if value), None)
