"""Single values as people write them, weakly typed: ``"100"`` is also a number, and ``1`` also true.

No text is also 0 or false, as templates write it where they have no value. The conversions are those of
Consul's decoder, but nothing is lost on the way: ``1.5`` is no whole number.
"""

import math
import re
from typing import Final

from xdsmesh.config.tree import Array, Node, Object, Scalar, Unread, number
from xdsmesh.config.wording import quoted, shortened
from xdsmesh.model.codes import Code
from xdsmesh.model.duration import Duration

_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL: Final = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"", "0", "f", "F", "false", "FALSE", "False"})
_ZERO: Final = "0"
_LIMITS: Final = (-(2**63), 2**63 - 1)


class MismatchError(ValueError):
    """A value that is not of the wanted type; the text says what is wanted, as in "must be a number"."""

    code = Code.TYPE_MISMATCH


class RangeError(MismatchError):
    """A number that is too small or too large."""

    code = Code.OUT_OF_RANGE


def as_text(node: Scalar) -> str:
    """The text, or a number as it was written.

    Raises:
        MismatchError: it is true, false or null.
    """
    if isinstance(node.value, bool) or node.value is None:
        raise MismatchError("must be text in quotes")
    return node.text


def as_bool(node: Scalar) -> bool:
    """True or false, also as 1 or 0, as one of the words that Go's ParseBool knows, or as no text.

    Raises:
        MismatchError: it is none of these.
    """
    value = node.value
    word = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    if node.value is not None and word in _TRUE | _FALSE:
        return word in _TRUE
    raise MismatchError("must be true or false")


def as_integer(node: Scalar, least: int | None, most: int | None) -> int:
    """A whole number, also as text, as no text or as ``3.0``, within limits that are 64 bits unless given.

    Raises:
        MismatchError: it is no whole number.
        RangeError: it is out of range.
    """
    value = node.value
    if isinstance(value, str) and _INTEGER.fullmatch(value or _ZERO):
        value = number(value or _ZERO)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise MismatchError("must be a whole number")
    low, high = _LIMITS[0] if least is None else least, _LIMITS[1] if most is None else most
    if not low <= value <= high:
        raise RangeError(f"must be between {low} and {high}")
    return value


def as_float(node: Scalar) -> float:
    """A finite number, also as text, or as no text.

    Raises:
        MismatchError: it is no number.
    """
    value = node.value
    if isinstance(value, str) and _DECIMAL.fullmatch(value or _ZERO):
        value = float(value or _ZERO)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MismatchError("must be a number")
    return float(value)


def as_duration(node: Scalar) -> Duration:
    """A duration in Go's notation, or a whole number of nanoseconds.

    Raises:
        MismatchError: it is none, or longer than 64 bits of nanoseconds.
    """
    if isinstance(node.value, str):
        try:
            return Duration.parse(node.value)
        except ValueError:
            raise MismatchError("must be a duration such as 10s, 1m30s or 250ms") from None
    try:
        return Duration(as_integer(node, None, None))
    except MismatchError:
        raise MismatchError("must be a duration such as 10s, or a whole number of nanoseconds") from None


def shown(node: Node) -> str:
    """A value as it appears in a problem."""
    if isinstance(node, Object):
        return "an object"
    if isinstance(node, Array):
        return "a list"
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return quoted(node.value)
    return shortened(node.text)


def asks_for_nothing(node: Node) -> bool:
    """Whether a value is empty all through: null, false, 0, no text, or an object or list of such values."""
    if isinstance(node, Scalar | Unread):
        return not (isinstance(node, Unread) or node.value)
    children = node.items if isinstance(node, Array) else [member.value for member in node.members]
    return all(asks_for_nothing(child) for child in children)
