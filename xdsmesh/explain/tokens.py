"""Whether a request carries the token that is demanded."""

from collections.abc import Mapping
from typing import Any

from xdsmesh.config.parts.jwt_requirement import ClaimCheck, JWTRequirement, RequiredProvider

Claims = Mapping[str, Any]
"""The claims of a token, as its JSON says them."""

Tokens = Mapping[str, Claims]
"""By provider, the claims of a token that was verified for it. Without a token it is empty."""


def is_met(requirement: JWTRequirement, tokens: Tokens) -> bool:
    """Whether there is a valid token of one of the providers; of no provider there is none."""
    return any(_shows(provider, tokens) for provider in requirement.providers)


def _shows(provider: RequiredProvider, tokens: Tokens) -> bool:
    claims = tokens.get(provider.name)
    return claims is not None and all(_holds(check, claims) for check in provider.verify_claims)


def _holds(check: ClaimCheck, claims: Claims) -> bool:
    """Values are compared as strings, and never converted to one; of a list one element is enough."""
    found: Any = claims
    for name in check.path:
        if not isinstance(found, Mapping) or name not in found:
            return False
        found = found[name]
    values = found if isinstance(found, list) else [found]
    return any(isinstance(value, str) and value == check.value for value in values)
