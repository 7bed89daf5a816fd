"""The language of subset filters: which instances of a service are part of a subset.

A filter is read once (``parse``) and then asked about instances (``Filter.matches``). A text that can
be read may still not fit an instance: ``check`` tells, so that whoever writes it can be warned.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from xdsmesh.config.filter.bind import Predicate, bind
from xdsmesh.config.filter.errors import FilterSyntaxError, FilterTypeError
from xdsmesh.config.filter.syntax import parse_expression
from xdsmesh.model.catalog import Instance

__all__ = ["Filter", "FilterSyntaxError", "FilterTypeError", "check", "parse"]

_CACHED: Final = 1024


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was read from ``text``; ``problems`` is why it fits no instance, if so."""

    text: str
    _predicate: Predicate = field(repr=False, compare=False)
    problems: tuple[str, ...] = field(default=(), compare=False)

    def matches(self, row: Instance) -> bool:
        """Whether an instance is part of the subset.

        Raises:
            FilterTypeError: the filter does not fit instances; ``check`` tells why.
        """
        if self.problems:
            raise FilterTypeError(self.problems)
        return self._predicate(row)


@lru_cache(maxsize=_CACHED)
def parse(text: str) -> Filter:
    """Read a filter. An empty text is no restriction: it matches every instance.

    Raises:
        FilterSyntaxError: the text is no filter, or longer or nested deeper than is allowed.
    """
    if not text:
        return Filter(text, lambda _: True)
    problems: list[str] = []
    predicate = bind(parse_expression(text), problems)
    return Filter(text, predicate, tuple(problems))


def check(filter_: Filter) -> tuple[str, ...]:
    """Why a filter that could be read does not fit instances: a selector, an operator, a value."""
    return filter_.problems
