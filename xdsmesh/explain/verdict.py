"""What intentions mean: whether a call is allowed, and which rule says so.

A direct reading of what is written, which knows nothing of how Envoy is told.
Source: https://developer.hashicorp.com/consul/docs/secure-mesh/intention; where the two differ it is about
tokens, whose demand never vanishes here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from xdsmesh.config.intentions import Caller, Intention, deciding
from xdsmesh.config.parts.jwt_requirement import JWTRequirement
from xdsmesh.config.parts.permission import HTTPPermission, Permission
from xdsmesh.explain.permissions import CLIENT_CERT, InboundRequest, depends_on_certificate, is_about
from xdsmesh.explain.tokens import is_met
from xdsmesh.explain.types import Refusal

_ALLOW: Final = "allow"
_ANY: Final = HTTPPermission()
_SHOWS_NOTHING: Final = InboundRequest()


class Reason(StrEnum):
    """What decides."""

    INTENTION = "intention"
    """The action of an intention, or that it can't be enforced at this destination."""
    PERMISSION = "permission"
    """A permission of it; which one depends on the request."""
    DEFAULT = "default"
    """No intention is about the call, or no permission about the request: the default policy decides.

    Callers in peers are denied by it, whatever it is.
    """
    TOKEN = "token"  # noqa: S105 - a word
    """That no valid token is shown."""
    REQUEST = "request"
    """The request itself, which Envoy refuses before anything decides about it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call is allowed, and why: the ``sentence`` is for people.

    ``intention`` is the one that speaks about the caller; None: there is none. ``permission`` counts from 0
    in it; where permissions decide and it is None, more would have to be known, and nothing is promised.
    """

    allowed: bool
    reason: Reason
    sentence: str
    intention: Intention | None = None
    permission: int | None = None


def decide(  # noqa: PLR0913 - all that a verdict depends on
    intentions: Iterable[Intention],
    caller: Caller,
    destination: str,
    request: InboundRequest | None,
    *,
    protocol_is_http: bool,
    allow_by_default: bool,
) -> Verdict:
    """Decide about a call.

    Args:
        intentions: All, or at least those to the destination and to ``*``, as their entries hold them.
        caller: Who calls.
        destination: The service that is called.
        request: What is asked for. None: only whether a connection can be made, whatever is then asked.
            It does not matter where the destination does not speak HTTP.
        protocol_is_http: Whether it does, in any of its versions.
        allow_by_default: The default policy.
    """
    if caller.peer:
        return _Call(caller, destination, None, allow_by_default).from_a_peer()
    intention = deciding(intentions, caller, destination)
    call = _Call(caller, destination, intention, allow_by_default)
    if intention is None:
        return call.by_default("no intention is about it")
    if not protocol_is_http:
        return _over_tcp(call, intention)
    if not intention.source.permissions:
        found = call.by_action(intention)
    elif request is None:
        return call.depends_on_the_request(intention)
    else:
        found = _by_permissions(call, intention, request)
    shown = (request or _SHOWS_NOTHING).tokens
    if found.allowed and intention.jwt and not is_met(intention.jwt, shown):
        return call.for_want_of_a_token(_the(intention), intention.jwt, found.permission)
    return found


class _Call(NamedTuple):
    """What is judged, and the verdicts that there can be."""

    caller: Caller
    destination: str
    intention: Intention | None
    allow_by_default: bool

    def is_(self, *, allowed: bool, reason: Reason, why: str, permission: int | None = None) -> Verdict:
        said = f"{self.caller} => {self.destination} is {'allowed' if allowed else 'denied'}{why}"
        return Verdict(allowed, reason, said, self.intention, permission)

    def by_default(self, why: str) -> Verdict:
        why = f" by the default policy, as {why}"
        return self.is_(allowed=self.allow_by_default, reason=Reason.DEFAULT, why=why)

    def from_a_peer(self) -> Verdict:
        """As ``ir/intentions.py`` has it."""
        why = ", whatever intentions say: no peer's certificates are trusted yet"
        return self.is_(allowed=False, reason=Reason.DEFAULT, why=why)

    def by_action(self, intention: Intention) -> Verdict:
        allowed = intention.source.action == _ALLOW
        return self.is_(allowed=allowed, reason=Reason.INTENTION, why=f" by {_the(intention)}")

    def by_permission(self, intention: Intention, index: int, permission: Permission) -> Verdict:
        allowed, why = permission.action == _ALLOW, f" by {_nth(intention, index)}"
        return self.is_(allowed=allowed, reason=Reason.PERMISSION, why=why, permission=index)

    def depends_on_the_request(self, intention: Intention) -> Verdict:
        why = f" as a connection: it depends on the request, by the permissions of {_the(intention)}"
        return self.is_(allowed=False, reason=Reason.PERMISSION, why=why)

    def depends_on_the_certificate(self, intention: Intention, index: int) -> Verdict:
        why = f" to be safe: {_nth(intention, index)} depends on {CLIENT_CERT}, which Envoy writes itself"
        return self.is_(allowed=False, reason=Reason.PERMISSION, why=why)

    def for_want_of_a_token(
        self, rule: str, requirement: JWTRequirement, permission: int | None = None
    ) -> Verdict:
        providers = " or ".join(each.name for each in requirement.providers)
        why = f": {rule} demands a valid token{f' of {providers}' if providers else ''}"
        return self.is_(allowed=False, reason=Reason.TOKEN, why=why, permission=permission)


def refused(caller: Caller, destination: str, refusal: Refusal) -> Verdict:
    """About a request that Envoy refuses, whoever makes it and whatever intentions say."""
    why = f": Envoy answers {refusal.status}, as {refusal.reason}"
    return _Call(caller, destination, None, allow_by_default=False).is_(
        allowed=False, reason=Reason.REQUEST, why=why
    )


def _over_tcp(call: _Call, intention: Intention) -> Verdict:
    """Where no request is seen nothing can be promised that depends on one."""
    if intention.source.permissions:
        why = f": {_the(intention)} has permissions, which {call.destination} can't enforce over tcp"
        return call.is_(allowed=False, reason=Reason.INTENTION, why=why)
    found = call.by_action(intention)
    if found.allowed and intention.jwt:
        why = f": {_the(intention)} demands a token, which nobody can show over tcp"
        return call.is_(allowed=False, reason=Reason.TOKEN, why=why)
    return found


def _by_permissions(call: _Call, intention: Intention, request: InboundRequest) -> Verdict:
    """The first that matches. One that lacked just its token would have allowed: without it, nothing does."""
    unmet: Verdict | None = None
    for index, permission in enumerate(intention.source.permissions):
        if depends_on_certificate(permission.http or _ANY, request):
            return call.depends_on_the_certificate(intention, index)
        if not is_about(permission.http or _ANY, request):
            continue
        if permission.jwt is None or is_met(permission.jwt, request.tokens):
            return call.by_permission(intention, index, permission)
        if unmet is None and permission.action == _ALLOW:
            unmet = call.for_want_of_a_token(_nth(intention, index), permission.jwt, index)
    return unmet or call.by_default(f"no permission of {_the(intention)} matches the request")


def _nth(intention: Intention, index: int) -> str:
    return f"permission {index + 1} of {_the(intention)}"


def _the(intention: Intention) -> str:
    origin = intention.origin
    where = f" ({origin.where}:{origin.line})" if origin and origin.line else ""
    return f"the intention {intention.caller} => {intention.destination}{where}"
