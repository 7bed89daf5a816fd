"""What a filter says, as a tree."""

from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """How a match looks at what it selects. ``contains`` is ``in``, written the other way round."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    IN = "in"
    NOT_IN = "not in"
    MATCHES = "matches"
    NOT_MATCHES = "not matches"
    IS_EMPTY = "is empty"
    IS_NOT_EMPTY = "is not empty"


@dataclass(frozen=True, slots=True)
class Match:
    """One question about what ``selector``, such as ``("Service", "Meta", "version")``, yields."""

    selector: tuple[str, ...]
    operator: Operator
    value: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of another expression."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """All of them, asked from left to right until one is false."""

    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them, asked from left to right until one is true."""

    operands: tuple["Expression", ...]


Expression = Match | Not | And | Or
