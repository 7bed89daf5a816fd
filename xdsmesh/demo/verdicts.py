"""Calls in a demo, and whether what became of each is what was promised: pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from xdsmesh.demo.calls import ALLOWED, Answer


@dataclass(frozen=True, slots=True)
class Verdict:
    """One call: whether it should have been allowed, and what became of it.

    ``rule`` and ``rule_allows`` are what `xdsmesh intention check` answers; empty and None where it is not
    the intentions that decide.
    """

    source: str
    destination: str
    protocol: str
    expected: str
    answer: Answer
    rule: str = ""
    rule_allows: bool | None = None


def wrong(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """The calls that came out otherwise than promised, for a person."""
    for each in verdicts:
        call = f"{each.source} => {each.destination} over {each.protocol}"
        if each.answer.observed != each.expected:
            yield f"{call} was {each.answer.observed}, not {each.expected}: {each.answer.seen}"
        if each.rule_allows not in (None, each.expected == ALLOWED):
            yield f"{call} should be {each.expected}, and `xdsmesh intention check` differs: {each.rule}"


def for_machines(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """The verdicts as the command's JSON has them."""
    return [
        {
            "from": each.source,
            "to": each.destination,
            "protocol": each.protocol,
            "expected": each.expected,
            "observed": each.answer.observed,
        }
        for each in verdicts
    ]
