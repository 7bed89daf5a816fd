"""Which decision holds for the caller of a connection, as text for logs.

Envoy notes the decision about a request, but nothing about a connection whose handshake fails: there the
caller's certificate is compared again, when the line is written.
"""

from collections import defaultdict
from typing import Final

from xdsmesh.ir.authorization import Authorization, Rule, Services
from xdsmesh.translate.cel import CALLER, SERVICE_OF_CALLER, formatted, quoted, service_of_caller

_MOST_LETTERS: Final = 60_000
"""Of names in one expression: Envoy takes 100,000 code points. More callers are logged without a decision."""
_NAME: Final = "\0"
"""Stands for the caller's name in a text: no name has it."""


def make_decision(authorization: Authorization) -> str:
    """A format that gives the text of the one decision that holds, and nothing if none does.

    Decisions that differ in the caller's name only are one expression, so that there are about ten at most,
    however many intentions there are.
    """
    callers: defaultdict[str, set[str]] = defaultdict(set)
    others: dict[str, Services] = {}
    for rule in authorization.rules:
        if rule.callers.inverted:
            others[_text(rule)] = rule.callers
        else:
            callers[_text(rule)].update(rule.callers.names)
    groups = [(text, Services(tuple(sorted(names)))) for text, names in sorted(callers.items())]
    return "".join(
        formatted(f"{_is_among(group, authorization)} ? {_told(text)} : ''")
        for text, group in [*groups, *others.items()]
        if sum(map(len, group.names)) <= _MOST_LETTERS - 4 * len(group.names)
    )


def _text(rule: Rule) -> str:
    """What is decided about a connection, with a mark in the place of the caller's name."""
    decision = rule.cases[-1].decision
    text = str(decision)
    if len(rule.callers.names) != 1 or rule.callers.inverted:
        return text
    (name,) = rule.callers.names
    begin = f"{decision.by} {name} =>"
    return text.replace(begin, f"{decision.by} {_NAME} =>", 1) if text.startswith(begin) else text


def _told(text: str) -> str:
    """The text as a literal, or with the caller's name in its place."""
    before, mark, after = text.partition(_NAME)
    return service_of_caller(before, after) if mark else quoted(text)


def _is_among(callers: Services, authorization: Authorization) -> str:
    """Names are compared one by one, since Envoy takes very small regular expressions only in CEL."""
    trusted = f"connection.mtls && {CALLER}.startsWith({quoted(f'spiffe://{authorization.trust_domain}/')})"
    named = f"{SERVICE_OF_CALLER} in [{', '.join(map(quoted, callers.names))}]"
    return f"{trusted} && {f'!({named})' if callers.inverted else named}"
