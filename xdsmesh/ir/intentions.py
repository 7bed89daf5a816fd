"""From intentions to decisions: what ``service-intentions`` entries mean for calls to one service.

The intention that names its services most exactly decides alone; without one the default policy does. What
needs a request to be judged, a permission or a token, denies where there are connections only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from xdsmesh.config.intentions import Intention, in_order, intentions_of
from xdsmesh.config.kinds.service_intentions import ALL, ServiceIntentions
from xdsmesh.config.parts.jwt_requirement import JWTRequirement
from xdsmesh.config.parts.permission import HeaderPermission, HTTPPermission, Permission
from xdsmesh.ir.authorization import (
    ALWAYS,
    Authorization,
    Case,
    Claim,
    Condition,
    DecidedBy,
    Decision,
    Demand,
    Rule,
    Services,
    Token,
)
from xdsmesh.ir.comparison import Comparison, PathMatch, ValueMatch

_ALLOW: Final = "allow"


def build_authorization(
    own: ServiceIntentions | None,
    general: ServiceIntentions | None,
    *,
    is_http: bool,
    allow_by_default: bool,
    trust_domain: str,
) -> Authorization:
    """The decisions at a service. ``own`` is its entry, ``general`` the one for all services.

    Intentions about callers in peers are left out: no peer's certificates are trusted yet.
    """
    judge = _Judge(is_http=is_http, allow_by_default=allow_by_default)
    entries = (entry for entry in (own, general) if entry is not None)
    intentions = in_order(each for entry in entries for each in intentions_of(entry))
    named: dict[str, Intention] = {}
    anybody: Intention | None = None
    for intention in (each for each in intentions if not each.source.peer):
        if intention.source.name == ALL:
            anybody = intention
            break  # it hides all that come after it
        named.setdefault(intention.source.name, intention)
    rules = [Rule(Services((name,)), judge.cases(named[name])) for name in sorted(named)]
    rules.append(Rule(Services(tuple(sorted(named)), inverted=True), judge.cases(anybody)))
    return Authorization(trust_domain, allow_by_default, tuple(rules))


@dataclass(frozen=True, slots=True)
class _Judge:
    """Knows what a destination speaks, and what holds where nothing is said."""

    is_http: bool
    allow_by_default: bool

    def cases(self, intention: Intention | None) -> tuple[Case, ...]:
        """What the callers of an intention may do; None: the callers of whom nothing is said."""
        if intention is None:
            return (Case(ALWAYS, self._default("")),)
        if not self.is_http:
            return (Case(ALWAYS, self._of_connection(intention)),)
        if intention.source.permissions:
            return tuple(self._of_permissions(intention))
        return tuple(self._of_action(intention))

    def _default(self, about: str) -> Decision:
        return Decision(DecidedBy.DEFAULT, about, self.allow_by_default)

    def _of_connection(self, intention: Intention) -> Decision:
        """A connection shows neither a request nor a token: what depends on one is denied."""
        if intention.source.permissions:
            return Decision(DecidedBy.INTENTION, f"{_pair(intention)}, which needs HTTP", allowed=False)
        if intention.jwt is not None and intention.source.action == _ALLOW:
            return Decision(DecidedBy.TOKEN, f"{_pair(intention)}, which needs HTTP", allowed=False)
        return Decision(DecidedBy.INTENTION, _pair(intention), intention.source.action == _ALLOW)

    def _of_action(self, intention: Intention) -> Iterator[Case]:
        allowed = intention.source.action == _ALLOW
        decision = Decision(DecidedBy.INTENTION, _pair(intention), allowed)
        yield from _with_token(Case(ALWAYS, decision), intention)

    def _of_permissions(self, intention: Intention) -> Iterator[Case]:
        """The permissions in order, then what the default says of the rest.

        Who meets all of a permission but its token goes on to the next ones; but where in the end only the
        default is left, the token was asked for, and is missing.
        """
        withheld: list[Case] = []
        for number, permission in enumerate(intention.source.permissions, 1):
            about = f"{number} of {_pair(intention)}"
            condition = _condition(permission)
            decision = Decision(DecidedBy.PERMISSION, about, permission.action == _ALLOW)
            yield from _with_token(Case(condition, decision), intention)
            if permission.jwt is not None and decision.allowed:
                missing = Decision(DecidedBy.TOKEN, f"of permission {about}", allowed=False)
                withheld.append(Case(replace(condition, demands=()), missing))
        yield from withheld
        unmatched = self._default(f"(no permission of {_pair(intention)})")
        yield from _with_token(Case(ALWAYS, unmatched), intention)


def _pair(intention: Intention) -> str:
    return f"{intention.caller} => {intention.destination}"


def _with_token(case: Case, intention: Intention) -> Iterator[Case]:
    """A case that allows, if the request shows the token of the whole entry; without one it is denied."""
    if intention.jwt is None or not case.decision.allowed:
        yield case
        return
    demands = (*case.condition.demands, _demand(intention.jwt))
    yield Case(replace(case.condition, demands=demands), case.decision)
    wanting = _pair(intention) if case.condition == ALWAYS else f"{case.decision.by} {case.decision.about}"
    yield Case(case.condition, Decision(DecidedBy.TOKEN, f"of {wanting}", allowed=False))


def _condition(permission: Permission) -> Condition:
    http = permission.http or HTTPPermission()
    return Condition(
        path=_path(http),
        headers=tuple(_header(header) for header in http.header),
        methods=tuple(sorted(set(http.methods))),
        demands=(_demand(permission.jwt),) if permission.jwt is not None else (),
    )


def _path(http: HTTPPermission) -> PathMatch | None:
    given = (
        (Comparison.EXACT, http.path_exact),
        (Comparison.PREFIX, http.path_prefix),
        (Comparison.REGEX, http.path_regex),
    )
    return next((PathMatch(comparison, value) for comparison, value in given if value), None)


def _header(header: HeaderPermission) -> ValueMatch:
    given = (
        (Comparison.EXACT, header.exact),
        (Comparison.PREFIX, header.prefix),
        (Comparison.SUFFIX, header.suffix),
        (Comparison.CONTAINS, header.contains),
        (Comparison.REGEX, header.regex),
    )
    comparison, value = next((each for each in given if each[1]), (Comparison.PRESENT, ""))
    return ValueMatch(header.name, comparison, value, header.invert, header.ignore_case)


def _demand(jwt: JWTRequirement) -> Demand:
    return tuple(
        Token(provider.name, _claims((tuple(claim.path), claim.value) for claim in provider.verify_claims))
        for provider in jwt.providers
    )


def _claims(pairs: Iterable[tuple[tuple[str, ...], str]]) -> tuple[Claim, ...]:
    return tuple(Claim(path, value) for path, value in pairs)
