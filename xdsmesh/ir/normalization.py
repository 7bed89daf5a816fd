"""How requests are brought into one form before anything decides about them: no spelling evades a rule."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from xdsmesh.config.kinds.service_intentions import ALL
from xdsmesh.ir.authorization import Authorization, Case, Condition, DecidedBy, Decision, Rule
from xdsmesh.ir.comparison import Comparison, PathMatch


class EscapedSlashes(StrEnum):
    """What becomes of ``%2F`` and ``%5C`` in a path."""

    DEFAULT = "IMPLEMENTATION_SPECIFIC_DEFAULT"
    KEEP = "KEEP_UNCHANGED"
    REJECT = "REJECT_REQUEST"
    REDIRECT = "UNESCAPE_AND_REDIRECT"
    FORWARD = "UNESCAPE_AND_FORWARD"

    @property
    def kept(self) -> bool:
        """They reach the application, and the rules, as they are; Envoy's own default is to do so."""
        return self in (EscapedSlashes.DEFAULT, EscapedSlashes.KEEP)


class Underscores(StrEnum):
    """What becomes of headers with an underscore in their name."""

    ALLOW = "ALLOW"
    REJECT = "REJECT_REQUEST"
    DROP = "DROP_HEADER"


@dataclass(frozen=True, slots=True)
class Normalization:
    """``paths``: dot segments are resolved, and what need not be escaped is not."""

    paths: bool = True
    merge_slashes: bool = False
    escaped_slashes: EscapedSlashes = EscapedSlashes.DEFAULT
    underscores: Underscores = Underscores.ALLOW


WHERE_PATHS_DECIDE: Final = Normalization(merge_slashes=True, escaped_slashes=EscapedSlashes.FORWARD)
"""Without it ``//admin`` and ``/%2Fadmin`` evade a rule on ``/admin`` (CVE-2024-10005)."""

_SLASHES: Final = r".*[^/]//.*|//+[^/].*"
"""Several in a row; a path of nothing else is left as ``//`` by Envoy."""
_ESCAPED: Final = r".*%(2[Ff]|5[Cc]).*"


def needed_by(authorization: Authorization) -> Normalization:
    """What holds unless the ``mesh`` entry says otherwise: as much as is needed.

    An application may use escaped slashes while no rule looks at its paths.
    """
    return WHERE_PATHS_DECIDE if authorization.decides_on_paths else Normalization()


def refuse_unnormalized(authorization: Authorization, normalization: Normalization) -> Authorization:
    """Deny paths that the listener would have changed, wherever paths decide.

    A connection keeps the listener as it was when it was opened, but gets new rules with its next request:
    until it is drained it may bring paths as they were sent. What a listener has normalized never meets this.
    """
    evasive = _evasive(normalization)
    if not evasive or not authorization.decides_on_paths:
        return authorization
    return replace(authorization, rules=tuple(_guarded(rule, evasive) for rule in authorization.rules))


def _evasive(normalization: Normalization) -> str:
    """A regex for what no path has that was normalized; empty if nothing is sure."""
    slashes = (_SLASHES,) if normalization.merge_slashes else ()
    escaped = () if normalization.escaped_slashes.kept else (_ESCAPED,)
    return "|".join((*slashes, *escaped))


def _guarded(rule: Rule, evasive: str) -> Rule:
    if not any(case.condition.path for case in rule.cases):
        return rule
    callers = ALL if rule.callers.inverted else ", ".join(rule.callers.names)
    decision = Decision(DecidedBy.PERMISSION, f"(path of {callers} is not normalized)", allowed=False)
    guard = Case(Condition(path=PathMatch(Comparison.REGEX, evasive)), decision)
    return replace(rule, cases=(guard, *rule.cases))
