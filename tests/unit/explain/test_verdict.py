"""What intentions mean: each line of their semantics. What is sent to Envoy is compared with this."""

from collections.abc import Callable
from typing import Any

import pytest

from xdsmesh.config.entry import Entry
from xdsmesh.config.intentions import Caller, Intention, intentions_of
from xdsmesh.config.kinds.service_intentions import ServiceIntentions
from xdsmesh.explain.permissions import InboundRequest
from xdsmesh.explain.verdict import Reason, Verdict, decide
from xdsmesh.model.origin import Origin, Source

Json = dict[str, Any]
Judge = Callable[..., Verdict]

FILE = Origin(Source.FILE, "config/db.hcl", 14, 1)
WEB = Caller("web")
OKTA = {"Providers": [{"Name": "okta"}]}
SHOWN: Json = {"okta": {}}


def permission(action: str, jwt: Json | None = None, **http: Any) -> Json:
    return {"Action": action, "HTTP": http, **({"JWT": jwt} if jwt else {})}


def one(*permissions: Json) -> Json:
    """What the entry of db says of web."""
    return {"db": {"Sources": [{"Name": "web", "Permissions": list(permissions)}]}}


ANY: Json = {"PathPrefix": "/"}
ADMIN: Json = {"PathPrefix": "/admin"}


@pytest.fixture
def judge(make: Callable[..., Entry]) -> Judge:
    """Decides about a call of db, by entries that are given by their names."""

    def intentions(entries: Json) -> list[Intention]:
        found: list[Intention] = []
        for name, fields in entries.items():
            entry = make("service-intentions", name, **fields)
            assert isinstance(entry, ServiceIntentions)
            found += intentions_of(entry, origin=FILE)
        return found

    def judge_call(
        entries: Json,
        request: InboundRequest | None = None,
        *,
        caller: Caller = WEB,
        http: bool = True,
        by_default: bool = False,
    ) -> Verdict:
        return decide(
            intentions(entries),
            caller,
            "db",
            request,
            protocol_is_http=http,
            allow_by_default=by_default,
        )

    return judge_call


def told(verdict: Verdict) -> tuple[bool, str, int | None]:
    return verdict.allowed, verdict.reason, verdict.permission


def sources(**actions: str) -> Json:
    return {"Sources": [{"Name": name.replace("all", "*"), "Action": it} for name, it in actions.items()]}


LAYERED = {
    "*": sources(all="allow", batch="allow", cron="deny"),
    "db": sources(all="deny", web="allow", cron="allow"),
    "other": sources(web="deny", all="deny"),
}


@pytest.mark.parametrize("http", [True, False])
@pytest.mark.parametrize("by_default", [True, False])
@pytest.mark.parametrize(
    ("entries", "caller", "allowed", "rule"),
    [
        (LAYERED, "web", True, "web => db (allow)"),  # 9
        (LAYERED, "cron", True, "cron => db (allow)"),  # 9: the same source at 6 is dropped
        (LAYERED, "batch", False, "* => db (deny)"),  # 8 hides 6 and 5
        ({"*": LAYERED["*"]}, "cron", False, "cron => * (deny)"),  # 6
        ({"*": LAYERED["*"]}, "web", True, "* => * (allow)"),  # 5
    ],
)
def test_the_first_by_precedence_decides_alone(  # noqa: PLR0913 - a table
    judge: Judge, *, entries: Json, caller: str, allowed: bool, rule: str, http: bool, by_default: bool
) -> None:
    for request in (None, InboundRequest()):
        found = judge(entries, request, caller=Caller(caller), http=http, by_default=by_default)
        assert (found.allowed, found.reason, str(found.intention)) == (allowed, Reason.INTENTION, rule)


@pytest.mark.parametrize("http", [True, False])
@pytest.mark.parametrize("by_default", [True, False])
def test_without_an_intention_the_default_policy_decides(
    judge: Judge, *, http: bool, by_default: bool
) -> None:
    for entries in ({}, {"other": LAYERED["other"]}, {"db": sources(cron="deny")}):
        found = judge(entries, http=http, by_default=by_default)
        assert (found.allowed, found.reason, found.intention) == (by_default, Reason.DEFAULT, None)


@pytest.mark.parametrize(
    ("caller", "allowed"),
    [
        (Caller("web"), False),
        (Caller("cron"), False),
    ],
)
def test_a_source_of_a_peer_and_a_caller_of_this_cluster_never_match(
    judge: Judge, *, caller: Caller, allowed: bool
) -> None:
    east = [
        {"Name": "web", "Peer": "east", "Action": "allow"},
        {"Name": "*", "Peer": "east", "Action": "allow"},
    ]
    assert judge({"db": {"Sources": east}}, caller=caller).allowed is allowed


@pytest.mark.parametrize("by_default", [True, False])
@pytest.mark.parametrize("http", [True, False])
def test_a_caller_in_a_peer_is_denied_whatever_intentions_say(
    judge: Judge, *, http: bool, by_default: bool
) -> None:
    east = {"Sources": [{"Name": "web", "Peer": "east", "Action": "allow"}]}
    for entries in ({"db": east}, {"db": sources(all="allow", web="allow")}, {}):
        for request in (None, InboundRequest()):
            found = judge(entries, request, caller=Caller("web", "east"), http=http, by_default=by_default)
            assert (found.allowed, found.reason, found.intention) == (False, Reason.DEFAULT, None)
            assert found.sentence == (
                "peer:east/web => db is denied, whatever intentions say: "
                "no peer's certificates are trusted yet"
            )


@pytest.mark.parametrize("action", ["allow", "deny"])
def test_a_permission_on_the_header_that_names_the_caller_promises_nothing(judge: Judge, action: str) -> None:
    header = [{"Name": "x-forwarded-client-cert", "Contains": "web"}]
    entries = one(permission(action, Header=header, **ADMIN), permission("allow", **ANY))
    claimed = (("x-forwarded-client-cert", "web"),)
    found = judge(entries, InboundRequest("GET", "/admin", claimed), by_default=True)
    assert told(found) == (False, Reason.PERMISSION, None)
    assert "depends on x-forwarded-client-cert, which Envoy writes itself" in found.sentence
    assert told(judge(entries, InboundRequest())) == (True, Reason.PERMISSION, 1)


GET_ONLY = one(permission("allow", PathPrefix="/v1", Methods=["GET"]))
BUT_ADMIN = one(permission("deny", **ADMIN), permission("allow", **ANY))


@pytest.mark.parametrize(
    ("entries", "method", "path", "by_default", "expected"),
    [
        (GET_ONLY, "GET", "/v1/x?y", False, (True, Reason.PERMISSION, 0)),
        (GET_ONLY, "POST", "/v1/x", False, (False, Reason.DEFAULT, None)),
        (GET_ONLY, "POST", "/v1/x", True, (True, Reason.DEFAULT, None)),
        (BUT_ADMIN, "GET", "/admin/x", True, (False, Reason.PERMISSION, 0)),
        (BUT_ADMIN, "GET", "/x?/admin", False, (True, Reason.PERMISSION, 1)),
    ],
)
def test_the_first_permission_that_matches_decides_else_the_default_policy(  # noqa: PLR0913 - a table
    judge: Judge, *, entries: Json, method: str, path: str, by_default: bool, expected: object
) -> None:
    found = judge(entries, InboundRequest(method, path), by_default=by_default)
    assert told(found) == expected
    assert str(found.intention).startswith("web => db (")


def test_a_request_that_no_permission_matches_does_not_come_to_lower_intentions(judge: Judge) -> None:
    lower = {**GET_ONLY, "*": sources(all="allow", web="allow")}
    assert not judge(lower, InboundRequest("POST")).allowed
    assert judge({**GET_ONLY, "*": sources(all="deny")}, InboundRequest("POST"), by_default=True).allowed


@pytest.mark.parametrize("by_default", [True, False])
def test_over_tcp_permissions_are_a_denial(judge: Judge, *, by_default: bool) -> None:
    for request in (None, InboundRequest()):
        found = judge(one(permission("allow", **ANY)), request, http=False, by_default=by_default)
        assert told(found) == (False, Reason.INTENTION, None)


@pytest.mark.parametrize("by_default", [True, False])
def test_without_a_request_permissions_promise_nothing(judge: Judge, *, by_default: bool) -> None:
    found = judge(one(permission("allow", **ANY)), by_default=by_default)
    assert told(found) == (False, Reason.PERMISSION, None)
    assert "depends on the request" in found.sentence


NONE, TOKEN = InboundRequest(), InboundRequest(tokens=SHOWN)
WRONG = InboundRequest(tokens={"other": {}})
NEEDS = permission("allow", OKTA, **ANY)


@pytest.mark.parametrize(
    ("permissions", "request_", "by_default", "expected"),
    [
        ([NEEDS], TOKEN, False, (True, Reason.PERMISSION, 0)),
        ([NEEDS], NONE, False, (False, Reason.TOKEN, 0)),
        # the demand does not vanish where all is allowed
        ([NEEDS], NONE, True, (False, Reason.TOKEN, 0)),
        ([NEEDS], WRONG, True, (False, Reason.TOKEN, 0)),
        ([NEEDS], TOKEN, True, (True, Reason.PERMISSION, 0)),
        # evaluation goes on, and something later may match
        ([NEEDS, permission("allow", **ANY)], NONE, False, (True, Reason.PERMISSION, 1)),
        ([NEEDS, permission("allow", **ANY)], NONE, True, (True, Reason.PERMISSION, 1)),
        ([NEEDS, permission("deny", **ANY)], NONE, True, (False, Reason.PERMISSION, 1)),
        ([NEEDS, permission("deny", **ADMIN)], NONE, True, (False, Reason.TOKEN, 0)),
        ([permission("deny", **ANY), NEEDS], TOKEN, False, (False, Reason.PERMISSION, 0)),
        # one that is about other requests demands nothing of this
        ([permission("allow", OKTA, **ADMIN)], NONE, True, (True, Reason.DEFAULT, None)),
        ([permission("allow", OKTA, **ADMIN)], NONE, False, (False, Reason.DEFAULT, None)),
        # a denial with a token is of those who show it
        ([permission("deny", OKTA, **ANY)], TOKEN, True, (False, Reason.PERMISSION, 0)),
        ([permission("deny", OKTA, **ANY)], NONE, True, (True, Reason.DEFAULT, None)),
        ([permission("deny", OKTA, **ANY)], NONE, False, (False, Reason.DEFAULT, None)),
        ([permission("deny", OKTA, **ANY), NEEDS], NONE, True, (False, Reason.TOKEN, 1)),
    ],
)
def test_a_permission_without_its_token_is_passed_over_but_its_demand_stays(
    judge: Judge, *, permissions: list[Json], request_: InboundRequest, by_default: bool, expected: object
) -> None:
    assert told(judge(one(*permissions), request_, by_default=by_default)) == expected


def demanding(*permissions: Json, action: str = "") -> Json:
    """What an entry that demands a token says of web."""
    source = {"Name": "web", **({"Action": action} if action else {"Permissions": list(permissions)})}
    return {"db": {"Sources": [source], "JWT": OKTA}}


@pytest.mark.parametrize("by_default", [True, False])
@pytest.mark.parametrize(
    ("entries", "request_", "expected"),
    [
        (demanding(action="allow"), TOKEN, (True, Reason.INTENTION, None)),
        (demanding(action="allow"), NONE, (False, Reason.TOKEN, None)),
        (demanding(action="allow"), WRONG, (False, Reason.TOKEN, None)),
        (demanding(action="allow"), None, (False, Reason.TOKEN, None)),
        (demanding(action="deny"), TOKEN, (False, Reason.INTENTION, None)),
        (demanding(action="deny"), NONE, (False, Reason.INTENTION, None)),
        (demanding(permission("allow", **ANY)), TOKEN, (True, Reason.PERMISSION, 0)),
        (demanding(permission("allow", **ANY)), NONE, (False, Reason.TOKEN, 0)),
        (demanding(permission("deny", **ANY)), TOKEN, (False, Reason.PERMISSION, 0)),
        (demanding(permission("deny", **ANY)), NONE, (False, Reason.PERMISSION, 0)),
        (demanding(permission("allow", **ANY)), None, (False, Reason.PERMISSION, None)),
    ],
)
def test_the_token_of_an_entry_is_a_condition_of_every_allow(
    judge: Judge, *, entries: Json, request_: InboundRequest | None, expected: object, by_default: bool
) -> None:
    assert told(judge(entries, request_, by_default=by_default)) == expected


def test_the_token_of_an_entry_is_a_condition_of_what_no_permission_matches(judge: Judge) -> None:
    entries = demanding(permission("deny", **ADMIN))
    assert told(judge(entries, TOKEN, by_default=True)) == (True, Reason.DEFAULT, None)
    assert told(judge(entries, NONE, by_default=True)) == (False, Reason.TOKEN, None)
    assert told(judge(entries, TOKEN, by_default=False)) == (False, Reason.DEFAULT, None)


def test_both_tokens_must_be_there(judge: Judge) -> None:
    both = demanding(permission("allow", {"Providers": [{"Name": "google"}]}, **ANY))
    cases: list[tuple[Json, bool]] = [
        ({"okta": {}}, False),
        ({"google": {}}, False),
        ({"okta": {}, "google": {}}, True),
    ]
    for tokens, allowed in cases:
        assert judge(both, InboundRequest(tokens=tokens), by_default=True).allowed is allowed


def test_an_entry_demands_its_token_only_where_it_decides(judge: Judge) -> None:
    lower = {"*": {**sources(web="allow", cron="allow"), "JWT": OKTA}, "db": sources(web="allow")}
    assert judge(lower, NONE).allowed
    assert judge(lower, NONE, caller=Caller("cron")).reason is Reason.TOKEN
    assert judge(lower, NONE, caller=Caller("other"), by_default=True).allowed


@pytest.mark.parametrize("by_default", [True, False])
def test_over_tcp_nobody_can_show_a_token(judge: Judge, *, by_default: bool) -> None:
    for request in (None, TOKEN):
        allow = judge(demanding(action="allow"), request, http=False, by_default=by_default)
        assert told(allow) == (False, Reason.TOKEN, None)
        deny = judge(demanding(action="deny"), request, http=False, by_default=by_default)
        assert told(deny) == (False, Reason.INTENTION, None)


@pytest.mark.parametrize(
    ("entries", "request_", "options", "sentence"),
    [
        ({}, None, {}, "web => db is denied by the default policy, as no intention is about it"),
        (
            {"*": sources(all="allow")},
            None,
            {},
            "web => db is allowed by the intention * => * (config/db.hcl:14)",
        ),
        (
            one(permission("allow", **ADMIN), permission("deny", **ANY)),
            NONE,
            {},
            "web => db is denied by permission 2 of the intention web => db (config/db.hcl:14)",
        ),
        (
            one(permission("deny", **ADMIN)),
            NONE,
            {"by_default": True},
            "web => db is allowed by the default policy, as no permission of the intention web => db \
(config/db.hcl:14) matches the request",
        ),
        (
            one(permission("allow", {"Providers": [{"Name": "okta"}, {"Name": "google"}]}, **ANY)),
            NONE,
            {},
            "web => db is denied: permission 1 of the intention web => db (config/db.hcl:14) \
demands a valid token of okta or google",
        ),
        (
            one(permission("allow", **ANY)),
            None,
            {"http": False},
            "web => db is denied: the intention web => db (config/db.hcl:14) has permissions, \
which db can't enforce over tcp",
        ),
    ],
)
def test_people_are_told_what_decides_and_where_it_is_written(
    judge: Judge, entries: Json, request_: InboundRequest | None, options: Json, sentence: str
) -> None:
    assert judge(entries, request_, **options).sentence == sentence
