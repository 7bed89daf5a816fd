"""Authorization as Envoy's RBAC: https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/rbac/v3/rbac.proto.

RBAC knows no order: what a first rule takes is excluded from each later one, so that no request meets two.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from envoy.config.rbac.v3 import rbac_pb2
from envoy.config.route.v3 import route_components_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as http_rbac_pb2
from envoy.extensions.filters.network.rbac.v3 import rbac_pb2 as network_rbac_pb2
from envoy.type.matcher.v3 import path_pb2, string_pb2

from xdsmesh.ir.authorization import ALWAYS, Authorization, Case, Condition, Decision, Services
from xdsmesh.ir.comparison import Comparison, PathMatch, ValueMatch
from xdsmesh.translate.callers import regex_of, regex_of_named
from xdsmesh.translate.parts import make_regex, make_string_matcher
from xdsmesh.translate.tokens import make_demand

STAT_PREFIX: Final = "connect_authz"
LAYER_4: Final = "consul-intentions-layer4"
LAYER_7: Final = "consul-intentions-layer7-"

_RBAC = rbac_pb2.RBAC
_Permission = rbac_pb2.Permission
_Principal = rbac_pb2.Principal
_ANYTHING: Final = _Permission(any=True)


def make_network_rbac(authorization: Authorization) -> network_rbac_pb2.RBAC:
    """The filter that decides about connections, once the caller has sent something."""
    return network_rbac_pb2.RBAC(stat_prefix=STAT_PREFIX, rules=make_rules(authorization))


def make_http_rbac(authorization: Authorization) -> http_rbac_pb2.RBAC:
    """The filter that decides about requests."""
    return http_rbac_pb2.RBAC(rules=make_rules(authorization))


def make_http_decisions(authorization: Authorization) -> http_rbac_pb2.RBAC:
    """The filter before it, that lets everything pass and notes what decides.

    It is one of its own, since a filter that refuses a request notes that only after the reply is made.
    """
    return http_rbac_pb2.RBAC(shadow_rules=make_decisions(authorization))


def make_nothing() -> rbac_pb2.RBAC:
    """Rules that allow nothing."""
    return _RBAC(action=_RBAC.ALLOW)


def make_rules(authorization: Authorization) -> rbac_pb2.RBAC:
    """What is allowed if the default is to deny, and what is denied if it is to allow.

    The names of the policies are Consul's.
    """
    default = authorization.allow_by_default

    def counts(decision: Decision) -> bool:
        return decision.allowed is not default

    policies: dict[str, rbac_pb2.Policy] = {}
    at_once = [rule.callers for rule in authorization.rules if rule.at_once and counts(rule.at_once)]
    if at_once:
        principals = [_principal(callers, authorization.trust_domain) for callers in at_once]
        policies[LAYER_4] = rbac_pb2.Policy(permissions=[_ANYTHING], principals=principals)
    for rule in authorization.rules:
        permissions = [] if rule.at_once else list(_permissions(rule.cases, counts))
        if permissions:
            policies[f"{LAYER_7}{len(policies)}"] = rbac_pb2.Policy(
                permissions=permissions, principals=[_principal(rule.callers, authorization.trust_domain)]
            )
    return _RBAC(action=_RBAC.DENY if default else _RBAC.ALLOW, policies=policies)


def make_decisions(authorization: Authorization) -> rbac_pb2.RBAC:
    """Every decision as a policy under its name; exactly one of them matches.

    Raises:
        ValueError: decisions of two rules have the same name, and one of them would be lost.
    """
    policies: defaultdict[str, list[rbac_pb2.Permission]] = defaultdict(list)
    callers: dict[str, Services] = {}
    for rule in authorization.rules:
        for decision in dict.fromkeys(case.decision for case in rule.cases):
            if callers.setdefault(str(decision), rule.callers) != rule.callers:
                raise ValueError(f"two rules have a decision of the name {str(decision)!r}")
            policies[str(decision)] = list(_permissions(rule.cases, decision.__eq__))
    return _RBAC(
        action=_RBAC.ALLOW,
        policies={
            name: rbac_pb2.Policy(
                permissions=permissions, principals=[_principal(callers[name], authorization.trust_domain)]
            )
            for name, permissions in policies.items()
        },
    )


def _principal(callers: Services, trust_domain: str) -> rbac_pb2.Principal:
    if not callers.inverted or not callers.names:
        return _with_id(regex_of(callers, trust_domain))
    everyone = _with_id(regex_of(Services.everyone(), trust_domain))
    others = _Principal(not_id=_with_id(regex_of_named(callers, trust_domain)))
    return _Principal(and_ids=_Principal.Set(ids=[everyone, others]))


def _with_id(regex: str) -> rbac_pb2.Principal:
    name = string_pb2.StringMatcher(safe_regex=make_regex(regex))
    return _Principal(authenticated=_Principal.Authenticated(principal_name=name))


def _permissions(cases: Sequence[Case], counts: Callable[[Decision], bool]) -> Iterator[rbac_pb2.Permission]:
    """What meets the condition of a case that counts, and of no case before it that does not."""
    earlier: list[rbac_pb2.Permission] = []
    for case in cases:
        condition = _condition(case.condition)
        if not counts(case.decision):
            earlier.append(_Permission(not_rule=condition))
        elif case.condition == ALWAYS and earlier:
            yield _all(earlier)
        else:
            yield _all([condition, *earlier])


def _condition(condition: Condition) -> rbac_pb2.Permission:
    parts = [
        *([_path(condition.path)] if condition.path else []),
        *map(_header, condition.headers),
        *([_methods(condition.methods)] if condition.methods else []),
        *map(make_demand, condition.demands),
    ]
    return _all(parts) if parts else _ANYTHING


def _all(parts: Sequence[rbac_pb2.Permission]) -> rbac_pb2.Permission:
    return parts[0] if len(parts) == 1 else _Permission(and_rules=_Permission.Set(rules=parts))


def _path(path: PathMatch) -> rbac_pb2.Permission:
    """Envoy leaves out the query and the fragment."""
    matcher = path_pb2.PathMatcher(path=make_string_matcher(path.comparison, path.value))
    return _Permission(url_path=matcher)


def _header(header: ValueMatch) -> rbac_pb2.Permission:
    """A missing header meets an inverted condition: by Envoy's own inversion it would evade a denial."""
    if header.comparison is Comparison.PRESENT:
        matcher = route_components_pb2.HeaderMatcher(name=header.name, present_match=True)
    else:
        string = make_string_matcher(header.comparison, header.value, ignore_case=header.ignore_case)
        matcher = route_components_pb2.HeaderMatcher(name=header.name, string_match=string)
    permission = _Permission(header=matcher)
    return _Permission(not_rule=permission) if header.invert else permission


def _methods(methods: tuple[str, ...]) -> rbac_pb2.Permission:
    return _header(ValueMatch(":method", Comparison.REGEX, "|".join(methods)))
