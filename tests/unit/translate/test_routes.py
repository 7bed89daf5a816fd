from typing import Any

import pytest
import re2
from google.protobuf.json_format import MessageToDict

from xdsmesh.ir.comparison import Comparison, PathMatch, ValueMatch
from xdsmesh.ir.types import (
    HashField,
    HashPolicy,
    HeaderChanges,
    Leg,
    RequestMatch,
    Retries,
    Route,
    RouteConfiguration,
)
from xdsmesh.model.duration import Duration
from xdsmesh.translate.routes import make_routes

EVERYTHING = RequestMatch(PathMatch(Comparison.PREFIX, "/"))


def made(route: Route) -> dict[str, Any]:
    (host,) = MessageToDict(make_routes(RouteConfiguration("web", "web", (route,))))["virtualHosts"]
    (only,) = host["routes"]
    return dict(only)


def match(path: PathMatch, **more: tuple[Any, ...]) -> dict[str, Any]:
    return dict(made(Route(RequestMatch(path, **more), (Leg("c", 10_000),)))["match"])


def action(**fields: Any) -> dict[str, Any]:
    return dict(made(Route(EVERYTHING, (Leg("c", 10_000),), **fields))["route"])


def test_a_configuration_serves_any_host() -> None:
    assert MessageToDict(make_routes(RouteConfiguration("web", "web.default", ()))) == {
        "name": "web",
        "virtualHosts": [{"name": "web.default", "domains": ["*"]}],
    }


def test_paths() -> None:
    assert match(PathMatch(Comparison.EXACT, "/a")) == {"path": "/a"}
    assert match(PathMatch(Comparison.PREFIX, "/a")) == {"prefix": "/a"}
    assert match(PathMatch(Comparison.REGEX, "/a.*")) == {"safeRegex": {"regex": "/a.*"}}


def test_case_is_ignored_in_paths_of_every_sort() -> None:
    assert match(PathMatch(Comparison.PREFIX, "/a", case_sensitive=False)) == {
        "prefix": "/a",
        "caseSensitive": False,
    }
    assert match(PathMatch(Comparison.REGEX, "/a", case_sensitive=False)) == {
        "safeRegex": {"regex": "(?i)/a"}
    }


def test_headers_and_query_parameters() -> None:
    conditions = (
        ValueMatch("a", Comparison.EXACT, "1"),
        ValueMatch("b", Comparison.PRESENT),
        ValueMatch("c", Comparison.REGEX, "x+"),
    )
    made_match = match(PathMatch(Comparison.PREFIX, "/"), headers=conditions, query=conditions)
    expected = [
        {"name": "a", "stringMatch": {"exact": "1"}},
        {"name": "b", "presentMatch": True},
        {"name": "c", "stringMatch": {"safeRegex": {"regex": "x+"}}},
    ]
    assert made_match["headers"] == expected
    assert made_match["queryParameters"] == expected


def test_a_condition_on_a_header_may_be_inverted() -> None:
    inverted = ValueMatch("a", Comparison.PREFIX, "1", invert=True)
    assert match(PathMatch(Comparison.PREFIX, "/"), headers=(inverted,))["headers"] == [
        {"name": "a", "stringMatch": {"prefix": "1"}, "invertMatch": True}
    ]


def test_methods_are_one_condition_after_the_headers() -> None:
    header = ValueMatch("a", Comparison.SUFFIX, "1")
    made_match = match(PathMatch(Comparison.PREFIX, "/"), headers=(header,), methods=("GET", "PUT"))
    assert made_match["headers"] == [
        {"name": "a", "stringMatch": {"suffix": "1"}},
        {"name": ":method", "stringMatch": {"safeRegex": {"regex": "GET|PUT"}}},
    ]


def test_one_leg_is_a_plain_cluster() -> None:
    assert action() == {"cluster": "c"}


def test_legs_are_weighted_in_hundredths_and_a_leg_of_nothing_is_kept() -> None:
    legs = (Leg("v1", 10_000), Leg("v2", 0))
    assert made(Route(EVERYTHING, legs))["route"]["weightedClusters"] == {
        "clusters": [{"name": "v1", "weight": 10_000}, {"name": "v2", "weight": 0}]
    }


def test_the_header_changes_of_a_single_leg_are_not_lost() -> None:
    leg = Leg(
        "v1",
        10_000,
        request_headers=HeaderChanges(remove=("a",)),
        response_headers=HeaderChanges(remove=("b",)),
    )
    assert made(Route(EVERYTHING, (leg,)))["route"]["weightedClusters"]["clusters"] == [
        {"name": "v1", "weight": 10_000, "requestHeadersToRemove": ["a"], "responseHeadersToRemove": ["b"]}
    ]


def test_header_changes() -> None:
    changes = HeaderChanges(add=(("a", "1"),), set=(("b", "2"),), remove=("c",))
    route = made(Route(EVERYTHING, (Leg("c", 10_000),), request_headers=changes, response_headers=changes))
    for side in ("request", "response"):
        assert route[f"{side}HeadersToAdd"] == [
            {"header": {"key": "a", "value": "1"}},
            {"header": {"key": "b", "value": "2"}, "appendAction": "OVERWRITE_IF_EXISTS_OR_ADD"},
        ]
        assert route[f"{side}HeadersToRemove"] == ["c"]


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (None, None),
        (Duration(), "0s"),
        (Duration.of(seconds=33), "33s"),
        (Duration.of(milliseconds=1500), "1.500s"),
    ],
)
def test_an_unset_timeout_is_left_to_envoy_and_zero_disables_it(
    timeout: Duration | None, expected: str | None
) -> None:
    made_action = action(timeout=timeout, idle_timeout=timeout)
    assert made_action.get("timeout") == expected
    assert made_action.get("idleTimeout") == expected


def test_retries() -> None:
    retries = Retries(("connect-failure", "retriable-status-codes"), attempts=3, status_codes=(503, 429))
    policy = action(retries=retries)["retryPolicy"]
    assert policy["retryOn"] == "connect-failure,retriable-status-codes"
    assert (policy["numRetries"], policy["retriableStatusCodes"]) == (3, [503, 429])
    assert "numRetries" not in action(retries=Retries(("5xx",)))["retryPolicy"]


def test_a_retry_goes_to_another_instance_if_there_is_one() -> None:
    policy = action(retries=Retries(("5xx",)))["retryPolicy"]
    assert [it["name"] for it in policy["retryHostPredicate"]] == [
        "envoy.retry_host_predicates.previous_hosts"
    ]
    assert int(policy["hostSelectionRetryMaxAttempts"]) > 1


def test_a_retry_passes_over_what_was_tried_where_there_is_something_else() -> None:
    (there, here) = (action(retries=Retries(("5xx",), elsewhere=it))["retryPolicy"] for it in (True, False))
    assert there["retryPriority"]["name"] == "envoy.retry_priorities.previous_priorities"
    assert there["retryPriority"]["typedConfig"]["updateFrequency"] == 1
    assert "retryPriority" not in here


@pytest.mark.parametrize(
    ("policy", "made"),
    [
        (HashPolicy(HashField.HEADER, "x"), {"header": {"headerName": "x"}}),
        (HashPolicy(HashField.QUERY_PARAMETER, "x"), {"queryParameter": {"name": "x"}}),
        (HashPolicy(HashField.SOURCE_IP), {"connectionProperties": {"sourceIp": True}}),
        (HashPolicy(HashField.COOKIE, "x"), {"cookie": {"name": "x"}}),
        (
            HashPolicy(HashField.COOKIE, "x", Duration(), "/p", terminal=True),
            {"cookie": {"name": "x", "ttl": "0s", "path": "/p"}, "terminal": True},
        ),
    ],
)
def test_what_is_hashed(policy: HashPolicy, made: dict[str, Any]) -> None:
    assert action(hash_policies=(policy,))["hashPolicy"] == [made]


def rewrite(path: PathMatch, replacement: str) -> dict[str, Any]:
    route = made(Route(RequestMatch(path), (Leg("c", 10_000),), prefix_rewrite=replacement))
    return {key: value for key, value in route["route"].items() if key.endswith("ewrite")}


def test_an_empty_rewrite_leaves_the_path_alone() -> None:
    assert rewrite(PathMatch(Comparison.PREFIX, "/admin"), "") == {}


def test_what_matched_is_replaced() -> None:
    assert rewrite(PathMatch(Comparison.PREFIX, "/admin"), "/v2") == {"prefixRewrite": "/v2"}
    assert rewrite(PathMatch(Comparison.EXACT, "/admin"), "/") == {"prefixRewrite": "/"}


@pytest.mark.parametrize(
    ("prefix", "path", "expected"),
    [
        ("/admin", "/admin", "/"),
        ("/admin", "/admin/", "/"),
        ("/admin", "/admin/users/7", "/users/7"),
        ("/admin/", "/admin/users", "/users"),
        ("/a.b", "/a.b/c", "/c"),
        ("/a.b", "/axb/c", "/axb/c"),
        ("/", "/users", "/users"),
    ],
)
def test_a_prefix_that_becomes_a_slash_leaves_no_double_slash(prefix: str, path: str, expected: str) -> None:
    made_rewrite = rewrite(PathMatch(Comparison.PREFIX, prefix), "/")["regexRewrite"]
    assert re2.sub(made_rewrite["pattern"]["regex"], made_rewrite["substitution"], path) == expected


def test_a_rewrite_ignores_case_where_the_match_does() -> None:
    made_rewrite = rewrite(PathMatch(Comparison.PREFIX, "/admin", case_sensitive=False), "/")["regexRewrite"]
    assert re2.sub(made_rewrite["pattern"]["regex"], made_rewrite["substitution"], "/ADMIN/x") == "/x"
