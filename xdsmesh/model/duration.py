"""Durations as Go writes them, since config entries and the HTTP API use its notation.

Notation: https://pkg.go.dev/time#ParseDuration
"""

import re
from dataclasses import dataclass
from typing import Final, Self

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_LONGEST: Final = 2**63 - 1
_MAX_TEXT: Final = 200
"""Characters: nobody writes more, and a text of a mebibyte takes minutes to divide."""
_MAX_DIGITS: Final = 20
"""No 64-bit number has as many digits, so the first ones of a longer number are too much already."""


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A signed span of time in nanoseconds, within 64 bits."""

    nanoseconds: int = 0

    @classmethod
    def of(cls, *, seconds: int = 0, milliseconds: int = 0) -> Self:
        """Make a duration from whole seconds and milliseconds."""
        return cls(seconds * _UNITS["s"] + milliseconds * _UNITS["ms"])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``10s``, ``1m30s``, ``1.5h``, ``-250ms`` or ``0``.

        Raises:
            ValueError: the text is not a duration, or it does not fit in 64 bits.
        """
        sign = -1 if text.startswith("-") else 1
        body = text[1:] if text[:1] in ("-", "+") else text
        if body == "0":
            return cls()
        parts = list(_PART.finditer(body[:_MAX_TEXT]))
        if not body or "".join(part.group() for part in parts) != body:
            raise ValueError(f"{text[:_MAX_TEXT]!r} is not a duration such as 10s, 1m30s or 250ms")
        total = sum(_nanoseconds(*part.groups()) for part in parts)
        if not -_LONGEST - 1 <= sign * total <= _LONGEST:
            raise ValueError(f"{text!r} is longer than 292 years")
        return cls(sign * total)

    @property
    def seconds(self) -> float:
        """The span in seconds."""
        return self.nanoseconds / _UNITS["s"]

    def __bool__(self) -> bool:
        return self.nanoseconds != 0

    def __str__(self) -> str:
        sign, rest = ("-", -self.nanoseconds) if self.nanoseconds < 0 else ("", self.nanoseconds)
        if rest == 0:
            return "0s"
        for unit in ("ns", "us", "ms"):
            if rest < _UNITS[unit] * 1000:
                return f"{sign}{_decimal(rest, _UNITS[unit])}{'µs' if unit == 'us' else unit}"
        hours, rest = divmod(rest, _UNITS["h"])
        minutes, rest = divmod(rest, _UNITS["m"])
        text = f"{hours}h" if hours else ""
        text += f"{minutes}m" if hours or minutes else ""
        return f"{sign}{text}{_decimal(rest, _UNITS['s'])}s"


def _nanoseconds(number: str, unit: str) -> int:
    whole, _, fraction = number.partition(".")
    whole, fraction = whole.lstrip("0")[:_MAX_DIGITS], fraction[:_MAX_DIGITS]
    total = int(whole or 0) * _UNITS[unit]
    return total + (int(fraction) * _UNITS[unit] // 10 ** len(fraction) if fraction else 0)


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0") if rest else str(whole)
