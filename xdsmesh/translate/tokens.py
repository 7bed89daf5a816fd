"""Tokens that were verified, as conditions on what the JWT filter has noted about a request.

https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/jwt_authn_filter
"""

from typing import Final

from envoy.config.rbac.v3 import rbac_pb2
from envoy.type.matcher.v3 import metadata_pb2, value_pb2

from xdsmesh.ir.authorization import Claim, Demand, Token
from xdsmesh.ir.comparison import Comparison
from xdsmesh.translate.parts import make_string_matcher

JWT_FILTER: Final = "envoy.filters.http.jwt_authn"

_Permission = rbac_pb2.Permission
_Metadata = metadata_pb2.MetadataMatcher
_NEVER: Final = _Permission(not_rule=_Permission(any=True))


def payload_key(provider: str) -> str:
    """Where the filter notes the claims of a token that it has verified for a provider."""
    return f"jwt_payload_{provider}"


def header_key(provider: str) -> str:
    """Where it notes the token's header, RFC 7515 section 4; that always has ``alg``."""
    return f"jwt_header_{provider}"


def make_demand(demand: Demand) -> rbac_pb2.Permission:
    """One of the tokens was verified, with all its claims."""
    if not demand:
        return _NEVER
    tokens = [_token(token) for token in demand]
    return tokens[0] if len(tokens) == 1 else _Permission(or_rules=_Permission.Set(rules=tokens))


def _token(token: Token) -> rbac_pb2.Permission:
    verified = _noted((header_key(token.provider), "alg"), value_pb2.ValueMatcher(present_match=True))
    claims = [_claim(token.provider, claim) for claim in token.claims]
    if not claims:
        return verified
    return _Permission(and_rules=_Permission.Set(rules=[verified, *claims]))


def _claim(provider: str, claim: Claim) -> rbac_pb2.Permission:
    """The claim is the text, or a list that has it."""
    text = value_pb2.ValueMatcher(string_match=make_string_matcher(Comparison.EXACT, claim.value))
    listed = value_pb2.ValueMatcher(list_match=value_pb2.ListMatcher(one_of=text))
    either = value_pb2.ValueMatcher(or_match=value_pb2.OrMatcher(value_matchers=[text, listed]))
    return _noted((payload_key(provider), *claim.path), either)


def _noted(path: tuple[str, ...], value: value_pb2.ValueMatcher) -> rbac_pb2.Permission:
    segments = [_Metadata.PathSegment(key=key) for key in path]
    matcher = _Metadata(filter=JWT_FILTER, path=segments, value=value)
    return _Permission(sourced_metadata=rbac_pb2.SourcedMetadata(metadata_matcher=matcher))
