"""What several kinds say about HTTP requests: methods, conditions to retry on, paths."""

from collections.abc import Iterator, Sequence
from typing import Final

from xdsmesh.config import paths, rules
from xdsmesh.config.wording import quoted
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE")

RETRY_CONDITIONS: Final = (
    "5xx",
    "gateway-error",
    "reset",
    "connect-failure",
    "envoy-ratelimited",
    "retriable-4xx",
    "refused-stream",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
)
"""Envoy's words, https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter"""


def method_problems(path: str, methods: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with a list of methods in upper case."""
    for index, method in enumerate(methods):
        at = paths.item(path, index)
        if method not in METHODS:
            what = f"{quoted(method)} is not an HTTP method"
            yield rules.problem(at, what, f"use one of {', '.join(METHODS)}", code=Code.NOT_A_CHOICE)
        elif method in methods[:index]:
            yield rules.problem(at, f"{method} is given twice", "keep one of them", code=Code.GIVEN_TWICE)


def retry_problems(path: str, conditions: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with a list of conditions to retry on."""
    for index, condition in enumerate(conditions):
        if condition not in RETRY_CONDITIONS:
            what = f"{quoted(condition)} is no condition to retry on"
            remedy = f"use one of {', '.join(RETRY_CONDITIONS)}"
            yield rules.problem(paths.item(path, index), what, remedy, code=Code.NOT_A_CHOICE)


def path_problems(path: str, *, exact: str, prefix: str, regex: str) -> Iterator[Problem]:
    """What is wrong with ``PathExact``, ``PathPrefix`` and ``PathRegex``, of which one may be given."""
    yield from rules.exclusive(path, {"PathExact": exact, "PathPrefix": prefix, "PathRegex": regex})
    for label, value in (("PathExact", exact), ("PathPrefix", prefix)):
        yield from rules.single_line(f"{path}.{label}", value)
        yield from rules.begins_with_slash(f"{path}.{label}", value)
    yield from rules.regex(f"{path}.PathRegex", regex)
