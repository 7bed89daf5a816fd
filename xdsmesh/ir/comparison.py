"""Conditions on texts: a path, or the value of a header or of a query parameter."""

from dataclasses import dataclass
from enum import StrEnum


class Comparison(StrEnum):
    """How a text is compared. A regex matches the whole text."""

    EXACT = "exact"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    CONTAINS = "contains"
    REGEX = "regex"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class PathMatch:
    """A condition on the path without its query."""

    comparison: Comparison
    value: str
    case_sensitive: bool = True


@dataclass(frozen=True, slots=True)
class ValueMatch:
    """A condition on a header or a query parameter."""

    name: str
    comparison: Comparison
    value: str = ""
    invert: bool = False
    ignore_case: bool = False
