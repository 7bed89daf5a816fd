"""The filter that verifies tokens, and refuses none: what a token is worth, authorization decides.

https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/jwt_authn_filter
"""

from collections.abc import Sequence
from typing import Final

from envoy.config.core.v3 import backoff_pb2, base_pb2, http_uri_pb2
from envoy.config.route.v3 import route_components_pb2
from envoy.extensions.filters.http.jwt_authn.v3 import config_pb2
from google.protobuf import empty_pb2

from xdsmesh.ir.jwt import FetchRetries, JwtProvider, LocalKeys, RemoteKeys
from xdsmesh.translate.parts import make_duration, make_uint32
from xdsmesh.translate.tokens import header_key, payload_key

_Requirement = config_pb2.JwtRequirement
_ANYTHING: Final = _Requirement(allow_missing_or_failed=empty_pb2.Empty())
_ALL_REQUESTS: Final = route_components_pb2.RouteMatch(prefix="/")


def make_jwt_authn(providers: Sequence[JwtProvider]) -> config_pb2.JwtAuthentication:
    """The filter: it notes what each provider's token says, if there is one and it is right."""
    rule = config_pb2.RequirementRule(match=_ALL_REQUESTS, requires=_each_if_there(providers))
    return config_pb2.JwtAuthentication(
        providers={provider.name: _provider(provider) for provider in providers}, rules=[rule]
    )


def _each_if_there(providers: Sequence[JwtProvider]) -> config_pb2.JwtRequirement:
    requirements = [
        _Requirement(
            requires_any=config_pb2.JwtRequirementOrList(
                requirements=[_Requirement(provider_name=provider.name), _ANYTHING]
            )
        )
        for provider in providers
    ]
    if len(requirements) == 1:
        return requirements[0]
    return _Requirement(requires_all=config_pb2.JwtRequirementAndList(requirements=requirements))


def _provider(provider: JwtProvider) -> config_pb2.JwtProvider:
    locations = provider.locations
    message = config_pb2.JwtProvider(
        issuer=provider.issuer,
        audiences=provider.audiences,
        forward=provider.forwards_token,
        from_headers=[
            config_pb2.JwtHeader(name=header.name, value_prefix=header.prefix) for header in locations.headers
        ],
        from_params=locations.query_parameters,
        from_cookies=locations.cookies,
        forward_payload_header=provider.payload_header,
        pad_forward_payload_header=provider.pads_payload,
        payload_in_metadata=payload_key(provider.name),
        header_in_metadata=header_key(provider.name),
        clock_skew_seconds=provider.clock_skew_seconds,
    )
    if provider.cache_size is not None:
        message.jwt_cache_config.SetInParent()
        message.jwt_cache_config.jwt_cache_size = provider.cache_size
    if isinstance(provider.keys, LocalKeys):
        message.local_jwks.CopyFrom(_local(provider.keys))
    else:
        message.remote_jwks.CopyFrom(_remote(provider.keys))
    return message


def _local(keys: LocalKeys) -> base_pb2.DataSource:
    if keys.filename:
        return base_pb2.DataSource(filename=keys.filename)
    return base_pb2.DataSource(inline_string=keys.text)


def _remote(keys: RemoteKeys) -> config_pb2.RemoteJwks:
    return config_pb2.RemoteJwks(
        http_uri=http_uri_pb2.HttpUri(
            uri=keys.uri, cluster=keys.cluster, timeout=make_duration(keys.request_timeout)
        ),
        cache_duration=make_duration(keys.cache_duration),
        async_fetch=config_pb2.JwksAsyncFetch(fast_listener=not keys.waits),
        retry_policy=_retries(keys.retries) if keys.retries else None,
    )


def _retries(retries: FetchRetries) -> base_pb2.RetryPolicy:
    back_off = backoff_pb2.BackoffStrategy(
        base_interval=make_duration(retries.base_interval), max_interval=make_duration(retries.max_interval)
    )
    return base_pb2.RetryPolicy(
        retry_back_off=back_off if retries.base_interval else None,
        num_retries=make_uint32(retries.attempts or None),
    )
