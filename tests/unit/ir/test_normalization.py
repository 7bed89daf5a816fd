"""Paths that a listener would have changed are denied wherever paths decide."""

import pytest
import re2

from xdsmesh.ir.authorization import (
    ALWAYS,
    Authorization,
    Case,
    Condition,
    DecidedBy,
    Decision,
    Rule,
    Services,
)
from xdsmesh.ir.comparison import Comparison, PathMatch
from xdsmesh.ir.normalization import (
    WHERE_PATHS_DECIDE,
    EscapedSlashes,
    Normalization,
    needed_by,
    refuse_unnormalized,
)

DEFAULT = Case(ALWAYS, Decision(DecidedBy.DEFAULT, "", allowed=True))
ADMIN = Case(
    Condition(path=PathMatch(Comparison.PREFIX, "/admin")),
    Decision(DecidedBy.PERMISSION, "1 of web => db", allowed=False),
)
PATHS = Rule(Services(("web",)), (ADMIN, DEFAULT))
OTHERS = Rule(Services(("web",), inverted=True), (DEFAULT,))
AUTHORIZATION = Authorization("corp.consul", allow_by_default=True, rules=(PATHS, OTHERS))


def guard(normalization: Normalization) -> Case:
    first, others = refuse_unnormalized(AUTHORIZATION, normalization).rules
    assert others == OTHERS
    added, *rest = first.cases
    assert tuple(rest) == PATHS.cases
    return added


def refuses(normalization: Normalization, path: str) -> bool:
    added = guard(normalization)
    assert not added.decision.allowed
    assert added.condition.path is not None
    return re2.fullmatch(added.condition.path.value, path) is not None


@pytest.mark.parametrize("path", ["//admin", "///admin", "/a//b", "/a//", "/%2fa", "/a%2F", "/a%5Cb", "/%5c"])
def test_what_no_listener_lets_through_is_denied(path: str) -> None:
    assert refuses(WHERE_PATHS_DECIDE, path)


@pytest.mark.parametrize("path", ["/", "//", "/admin/", "/a%252Fb", "/a%20b", "/%"])
def test_what_is_normal_already_is_not(path: str) -> None:
    assert not refuses(WHERE_PATHS_DECIDE, path)


def test_only_what_the_listener_changes_is_denied() -> None:
    merging = Normalization(merge_slashes=True, escaped_slashes=EscapedSlashes.KEEP)
    assert refuses(merging, "/a//b")
    assert not refuses(merging, "/a%2Fb")
    rejecting = Normalization(escaped_slashes=EscapedSlashes.REJECT)
    assert refuses(rejecting, "/a%2Fb")
    assert not refuses(rejecting, "/a//b")


def test_where_nothing_is_changed_or_no_path_decides_all_stays_as_it_is() -> None:
    assert refuse_unnormalized(AUTHORIZATION, Normalization()) == AUTHORIZATION
    pathless = Authorization("corp.consul", allow_by_default=True, rules=(OTHERS,))
    assert refuse_unnormalized(pathless, WHERE_PATHS_DECIDE) == pathless


def test_unless_it_is_said_as_much_is_normalized_as_paths_decide() -> None:
    assert needed_by(AUTHORIZATION) == WHERE_PATHS_DECIDE
    assert needed_by(Authorization("corp.consul", allow_by_default=True, rules=(OTHERS,))) == Normalization()


def test_each_decision_has_a_name_of_its_own_also_where_a_service_is_called_others() -> None:
    others = Rule(Services(("others",)), (ADMIN, DEFAULT))
    rules = (others, PATHS, Rule(Services(("others", "web"), inverted=True), (ADMIN, DEFAULT)))
    both = Authorization("corp.consul", allow_by_default=True, rules=rules)
    names = [str(rule.cases[0].decision) for rule in refuse_unnormalized(both, WHERE_PATHS_DECIDE).rules]
    assert names == [
        "permission (path of others is not normalized): deny",
        "permission (path of web is not normalized): deny",
        "permission (path of * is not normalized): deny",
    ]
