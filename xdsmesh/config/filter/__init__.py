"""The filter language: which instances of a service are part of a subset, which rows a reply shows.

The filter of a subset is read once (``parse``) and then asked about instances (``Filter.matches``). A text
that can be read may still not fit an instance: ``check`` tells, so that whoever writes it can be warned. The
filter of a request is made for the rows of its reply (``rows``), or selects from instances as a reply shows
them (``instances``): as a health row does, like the filter of a subset, or as other lists of services do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeVar

from msgspec import Struct

from xdsmesh.config.filter.bind import Test, bind
from xdsmesh.config.filter.errors import FilterSyntaxError, FilterTypeError
from xdsmesh.config.filter.instance import INSTANCE, NODE_SERVICE, SERVICE_NODE
from xdsmesh.config.filter.reply import row_of
from xdsmesh.config.filter.shapes import Object
from xdsmesh.config.filter.syntax import parse_expression
from xdsmesh.model.catalog import Instance

__all__ = [
    "INSTANCE",
    "NODE_SERVICE",
    "SERVICE_NODE",
    "Filter",
    "FilterSyntaxError",
    "FilterTypeError",
    "Object",
    "check",
    "instances",
    "parse",
    "rows",
]

R = TypeVar("R", bound=Struct)

_CACHED: Final = 1024


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was read from ``text``; ``problems`` is why it fits no instance, if so."""

    text: str
    _test: Test = field(repr=False, compare=False)
    problems: tuple[str, ...] = field(default=(), compare=False)

    def matches(self, row: Instance) -> bool:
        """Whether an instance is part of the subset.

        Raises:
            FilterTypeError: the filter does not fit instances; ``check`` tells why.
        """
        if self.problems:
            raise FilterTypeError(self.problems)
        return self._test(row)


@lru_cache(maxsize=_CACHED)
def parse(text: str) -> Filter:
    """Read the filter of a subset. An empty text is no restriction: it matches every instance.

    Raises:
        FilterSyntaxError: the text is no filter, or longer or nested deeper than is allowed.
    """
    return Filter(text, *_read(text, INSTANCE))


def check(filter_: Filter) -> tuple[str, ...]:
    """Why a filter that could be read does not fit instances: a selector, an operator, a value."""
    return filter_.problems


def instances(text: str, row: Object = INSTANCE) -> Callable[[Instance], bool]:
    """Read the filter of a request for instances, which are selected from as these rows show them.

    Raises:
        FilterSyntaxError: the text is no filter, or longer or nested deeper than is allowed.
        FilterTypeError: it selects what instances do not have, or compares it with what it can't be.
    """
    return _fitting(text, row)


def rows(text: str, shape: type[R]) -> Callable[[R], bool]:
    """Read the filter of a request, for rows of this shape. An empty text is no restriction.

    Selectors are the fields' names as they are encoded.

    Raises:
        FilterSyntaxError: the text is no filter, or longer or nested deeper than is allowed.
        FilterTypeError: it selects what the rows do not have, or compares it with what it can't be.
    """
    return _fitting(text, row_of(shape))


def _fitting(text: str, row: Object) -> Test:
    test, problems = _read(text, row)
    if problems:
        raise FilterTypeError(problems)
    return test


def _read(text: str, row: Object) -> tuple[Test, tuple[str, ...]]:
    if not text:
        return (lambda _: True), ()
    problems: list[str] = []
    test = bind(parse_expression(text), row, problems)
    return test, tuple(problems)
