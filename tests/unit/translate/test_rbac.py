"""Policies that tell which decision holds."""

import pytest

from xdsmesh.ir.authorization import ALWAYS, Authorization, Case, DecidedBy, Decision, Rule, Services
from xdsmesh.translate.rbac import make_decisions


def test_a_decision_of_one_rule_never_takes_the_place_of_another_rules() -> None:
    same = (Case(ALWAYS, Decision(DecidedBy.INTENTION, "web => db", allowed=False)),)
    rules = (Rule(Services(("web",)), same), Rule(Services(("web",), inverted=True), same))
    with pytest.raises(ValueError, match="two rules have a decision of the name 'intention web => db: deny'"):
        make_decisions(Authorization("corp.consul", allow_by_default=True, rules=rules))
