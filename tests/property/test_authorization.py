"""What proxies are told about intentions, against a direct reading of them, over all small combinations.

The messages are read by a small model of Envoy's RBAC that knows nothing of how they are made:
https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/rbac/v3/rbac.proto
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from xdsmesh.config.intentions import Caller, intentions_of
from xdsmesh.config.kinds.service_intentions import ServiceIntentions, SourceIntention
from xdsmesh.config.parts.jwt_requirement import ClaimCheck, JWTRequirement, RequiredProvider
from xdsmesh.config.parts.permission import HTTPPermission, Permission
from xdsmesh.explain.permissions import InboundRequest
from xdsmesh.explain.tokens import Tokens
from xdsmesh.explain.verdict import decide
from xdsmesh.ir.authorization import Services
from xdsmesh.ir.intentions import build_authorization
from xdsmesh.translate.callers import regex_of
from xdsmesh.translate.rbac import make_decisions, make_rules

Entry = ServiceIntentions


# --- a model of RBAC


@dataclass(frozen=True)
class Call:
    """What a filter knows of a call: who makes it, the request, and what filters before have noted."""

    spiffe_id: str
    path: str = "/"
    headers: Mapping[str, list[str]] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


def allows(rbac: Any, call: Call) -> bool:
    """Whether a filter with these rules lets the call pass."""
    matched = bool(matching(rbac, call))
    return matched if rbac.action == rbac.ALLOW else not matched


def matching(rbac: Any, call: Call) -> list[str]:
    """The names of the policies that match."""
    return [
        name
        for name, policy in rbac.policies.items()
        if any(_principal(each, call) for each in policy.principals)
        and any(_permission(each, call) for each in policy.permissions)
    ]


def _principal(principal: Any, call: Call) -> bool:
    match principal.WhichOneof("identifier"):
        case "any":
            return True
        case "authenticated":
            return text_matches(principal.authenticated.principal_name, call.spiffe_id)
        case "and_ids":
            return all(_principal(each, call) for each in principal.and_ids.ids)
        case "not_id":
            return not _principal(principal.not_id, call)
    raise NotImplementedError(principal)


def _permission(permission: Any, call: Call) -> bool:  # noqa: PLR0911 - one for each sort of permission
    match permission.WhichOneof("rule"):
        case "any":
            return True
        case "and_rules":
            return all(_permission(each, call) for each in permission.and_rules.rules)
        case "or_rules":
            return any(_permission(each, call) for each in permission.or_rules.rules)
        case "not_rule":
            return not _permission(permission.not_rule, call)
        case "url_path":
            return text_matches(permission.url_path.path, call.path.partition("?")[0].partition("#")[0])
        case "header":
            return _header(permission.header, call)
        case "sourced_metadata":
            return _metadata(permission.sourced_metadata.metadata_matcher, call)
    raise NotImplementedError(permission)


def _header(matcher: Any, call: Call) -> bool:
    assert not matcher.invert_match, "Envoy does not invert the condition on a header that is missing"
    values = call.headers.get(matcher.name.lower(), [])
    if matcher.WhichOneof("header_match_specifier") == "present_match":
        return bool(values)
    return any(text_matches(matcher.string_match, value) for value in values)


def _metadata(matcher: Any, call: Call) -> bool:
    value: Any = call.metadata.get(matcher.filter)
    for segment in matcher.path:
        value = value.get(segment.key) if isinstance(value, Mapping) else None
    return _value(matcher.value, value)


def _value(matcher: Any, value: Any) -> bool:
    match matcher.WhichOneof("match_pattern"):
        case "present_match":
            return isinstance(value, str | float | bool)
        case "string_match":
            return isinstance(value, str) and text_matches(matcher.string_match, value)
        case "list_match":
            return isinstance(value, list) and any(_value(matcher.list_match.one_of, each) for each in value)
        case "or_match":
            return any(_value(each, value) for each in matcher.or_match.value_matchers)
    raise NotImplementedError(matcher)


def text_matches(matcher: Any, text: str) -> bool:
    """Whether Envoy's ``StringMatcher`` takes a text."""
    kind = matcher.WhichOneof("match_pattern")
    if kind == "safe_regex":
        return re2.fullmatch(matcher.safe_regex.regex, text) is not None
    wanted = getattr(matcher, kind)
    if matcher.ignore_case:
        wanted, text = wanted.lower(), text.lower()
    match kind:
        case "exact":
            return bool(text == wanted)
        case "prefix":
            return text.startswith(wanted)
        case "suffix":
            return text.endswith(wanted)
        case "contains":
            return wanted in text
    raise NotImplementedError(matcher)


# --- the cases

CONDITIONS = (
    HTTPPermission(path_prefix="/a"),
    HTTPPermission(path_exact="/a/b"),
    HTTPPermission(methods=["POST"]),
)
TOKEN = JWTRequirement([RequiredProvider("okta", [ClaimCheck(["role"], "admin")])])
ACTIONS = ("allow", "deny")
Said = tuple[str, list[Permission]]

NOTHING: Said = ("", [])
SAYINGS: tuple[Said, ...] = (NOTHING, ("allow", []), ("deny", []))
"""What an entry may say of one caller in all: nothing, or an action."""

PAIRS: tuple[Said, ...] = tuple(
    ("", [Permission(one, first), Permission(two, second)])
    for (one, first), (two, second) in product(product(ACTIONS, CONDITIONS), repeat=2)
)
PAIRS_WITH_TOKENS: tuple[Said, ...] = tuple(
    (
        "",
        [Permission(action=one, http=CONDITIONS[0], jwt=jwt), Permission(action=two, http=second, jwt=other)],
    )
    for one, two, second, jwt, other in product(ACTIONS, ACTIONS, CONDITIONS, (None, TOKEN), (None, TOKEN))
)
FEW: tuple[Said, ...] = PAIRS[4::11]

CALLERS = ("web", "other")
PATHS = ("/", "/a", "/a/b", "/a/b?c=/", "/b")
METHODS = ("GET", "POST")
SHOWN: dict[str, Tokens] = {
    "none": {},
    "another role": {"okta": {"role": "clerk"}},
    "one of its roles": {"okta": {"role": ["clerk", "admin"]}},
    "the role": {"okta": {"role": "admin"}},
}


def entry(destination: str, said: Mapping[str, Said], jwt: JWTRequirement | None = None) -> Entry | None:
    sources = [
        SourceIntention(name=name, action=action, permissions=permissions)
        for name, (action, permissions) in said.items()
        if (action, permissions) != NOTHING
    ]
    return ServiceIntentions(name=destination, sources=sources, jwt=jwt).normalize() if sources else None


def spiffe_id(service: str, datacenter: str = "dc2") -> str:
    return f"spiffe://corp.consul/ns/default/dc/{datacenter}/svc/{service}"


def as_call(caller: str, request: InboundRequest) -> Call:
    """The request as the JWT filter hands it on: it notes the tokens that it has verified."""
    noted: dict[str, Any] = {}
    for provider, claims in request.tokens.items():
        noted |= {f"jwt_payload_{provider}": claims, f"jwt_header_{provider}": {"alg": "ES256"}}
    headers = {":method": [request.method]}
    return Call(spiffe_id(caller), request.path, headers, {"envoy.filters.http.jwt_authn": noted})


def check(
    own: Entry | None, general: Entry | None, requests: Sequence[InboundRequest], *, http: bool
) -> None:
    """What proxies are told is what the intentions mean, for every call, and by either default."""
    intentions = [each for it in (own, general) if it is not None for each in intentions_of(it)]
    for by_default in (False, True):
        made = build_authorization(
            own, general, is_http=http, allow_by_default=by_default, trust_domain="corp.consul"
        )
        rules, decisions = make_rules(made), make_decisions(made)
        handshake = re2.compile(regex_of(made.connecting, "corp.consul"))
        for caller, request in product(CALLERS, requests):
            verdict = decide(
                intentions,
                Caller(caller),
                "db",
                request,
                protocol_is_http=http,
                allow_by_default=by_default,
            )
            call = as_call(caller, request)
            told = (intentions, by_default, caller, request)
            assert allows(rules, call) is verdict.allowed, told
            (decision,) = matching(decisions, call)
            assert decision.endswith(": allow" if verdict.allowed else ": deny"), (decision, told)
            assert decision.startswith(verdict.reason), (decision, verdict, told)
            if not http:
                assert (handshake.fullmatch(call.spiffe_id) is not None) is verdict.allowed, told


REQUESTS = [InboundRequest(method, path) for path, method in product(PATHS, METHODS)]
WITH_TOKENS = [replace(each, tokens=tokens) for each in REQUESTS[2:6] for tokens in SHOWN.values()]


@pytest.mark.parametrize("general", list(product(SAYINGS, SAYINGS)), ids=str)
def test_an_http_service_gets_just_what_its_intentions_mean(general: tuple[Said, Said]) -> None:
    """Of a caller that is named and of one that is not: an action, or two permissions, here and for all."""
    everywhere = entry("*", dict(zip(("web", "*"), general, strict=True)))
    for web, anybody in product((*SAYINGS, *PAIRS), (*SAYINGS, *FEW)):
        check(entry("db", {"web": web, "*": anybody}), everywhere, REQUESTS, http=True)


def test_a_tcp_service_gets_just_what_its_intentions_mean() -> None:
    for web, anybody, general_web, general in product((*SAYINGS, *FEW), (*SAYINGS, *FEW), SAYINGS, SAYINGS):
        for jwt in (None, TOKEN):
            own = entry("db", {"web": web, "*": anybody}, jwt)
            check(own, entry("*", {"web": general_web, "*": general}), [InboundRequest()], http=False)


def test_ledger_05_a_token_that_is_asked_for_is_never_forgotten() -> None:
    for web, anybody, jwt in product((*SAYINGS, *PAIRS_WITH_TOKENS), SAYINGS, (None, TOKEN)):
        check(entry("db", {"web": web, "*": anybody}, jwt), None, WITH_TOKENS, http=True)


def test_ledger_06_on_tcp_an_intention_that_asks_for_a_token_denies() -> None:
    own = entry("db", {"web": ("allow", [])}, TOKEN)
    made = build_authorization(own, None, is_http=False, allow_by_default=True, trust_domain="corp.consul")
    assert not allows(make_rules(made), Call(spiffe_id("web")))
    assert allows(make_rules(made), Call(spiffe_id("other")))


def test_cve_2021_36213_two_denied_permissions_do_not_add_up_to_one_that_is_allowed() -> None:
    denied = [Permission(action="deny", http=condition) for condition in CONDITIONS[1:]]
    own = entry("db", {"web": ("", [*denied, Permission(action="allow", http=CONDITIONS[0])])})
    made = build_authorization(own, None, is_http=True, allow_by_default=False, trust_domain="corp.consul")
    for request, allowed in (
        (InboundRequest("POST", "/a/b"), False),
        (InboundRequest("POST", "/a"), False),
        (InboundRequest("GET", "/a/b"), False),
        (InboundRequest("GET", "/a"), True),
        (InboundRequest("GET", "/c"), False),
    ):
        assert allows(make_rules(made), as_call("web", request)) is allowed


NAMES = st.text("abx-_.", min_size=1, max_size=4)


@given(st.lists(NAMES, min_size=1, max_size=5), NAMES)
def test_all_callers_but_some_are_exactly_the_others(names: list[str], other: str) -> None:
    some = tuple(sorted(set(names)))
    but = re2.compile(regex_of(Services(some, inverted=True), "corp.consul"))
    just = re2.compile(regex_of(Services(some), "corp.consul"))
    for name in (*some, other):
        assert (just.fullmatch(spiffe_id(name)) is not None) is (name in some)
        assert (but.fullmatch(spiffe_id(name)) is not None) is (name not in some)


def test_ledger_08_a_dot_in_a_name_or_a_trust_domain_is_a_dot() -> None:
    regex = re2.compile(regex_of(Services(("a.b",)), "corp.consul"))
    assert regex.fullmatch(spiffe_id("a.b"))
    assert not regex.fullmatch(spiffe_id("axb"))
    assert not regex.fullmatch(spiffe_id("a.b").replace("corp.consul", "corpxconsul"))


@pytest.mark.parametrize(
    "other",
    [
        "spiffe://evil.consul/ns/default/dc/dc1/svc/web",
        "spiffe://corp.consul/ns/default/dc/dc1/svc/web/x",
        "spiffe://corp.consul/ns/default/dc/a/dc/dc1/svc/web",
        "x,spiffe://corp.consul/ns/default/dc/dc1/svc/web",
        "spiffe://corp.consul/gateway/mesh/dc/dc1",
        "spiffe://corp.consul/agent/server/dc/dc1",
        "",
    ],
)
@pytest.mark.parametrize(
    "services", [Services(("web",)), Services(("db",), inverted=True), Services.everyone()]
)
def test_who_is_no_service_of_the_trust_domain_is_nobody(services: Services, other: str) -> None:
    assert not re2.fullmatch(regex_of(services, "corp.consul"), other)


def test_nobody_is_allowed_where_everybody_is_denied() -> None:
    made = build_authorization(None, None, is_http=False, allow_by_default=False, trust_domain="corp.consul")
    assert not re2.fullmatch(regex_of(made.connecting, "corp.consul"), spiffe_id("web"))
    assert not allows(make_rules(made), Call(spiffe_id("web")))
