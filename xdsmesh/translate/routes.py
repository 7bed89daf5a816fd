"""Route configurations: which requests go where, and what happens to them on the way."""

from collections.abc import Iterator
from typing import Any, Final

import re2
from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2
from envoy.extensions.retry.priority.previous_priorities.v3 import previous_priorities_config_pb2
from envoy.type.matcher.v3 import regex_pb2
from google.protobuf import wrappers_pb2

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
from xdsmesh.translate.http_authorization import make_per_route
from xdsmesh.translate.parts import make_any, make_duration, make_regex, make_string_matcher, make_uint32

_Fields = dict[str, Any]
"""Keyword arguments of a message's constructor; None leaves a field unset."""

_TRUE: Final = wrappers_pb2.BoolValue(value=True)
_HashPolicy = route_components_pb2.RouteAction.HashPolicy

_NOT_AGAIN: Final = route_components_pb2.RetryPolicy.RetryPriority(
    name="envoy.retry_priorities.previous_priorities",
    typed_config=make_any(previous_priorities_config_pb2.PreviousPrioritiesConfig(update_frequency=1)),
)
"""The members of an aggregate cluster are its priorities: one that was tried is passed over at each retry.

https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/aggregate_cluster
"""

_ANOTHER_HOST: Final = route_components_pb2.RetryPolicy.RetryHostPredicate(
    name="envoy.retry_host_predicates.previous_hosts",
    typed_config=make_any(previous_hosts_pb2.PreviousHostsPredicate()),
)
_CHOICES: Final = 20
"""So often a retry chooses an instance that was not tried yet, before it takes whichever comes.

https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_connection_management#retry-plugin-configuration
"""


def make_routes(configuration: RouteConfiguration) -> route_pb2.RouteConfiguration:
    """One virtual host for any host name, with the routes in order."""
    virtual_host = route_components_pb2.VirtualHost(
        name=configuration.virtual_host,
        domains=["*"],
        routes=[_route(route) for route in configuration.routes],
        typed_per_filter_config=make_per_route(configuration.authorization),
    )
    return route_pb2.RouteConfiguration(
        name=configuration.name,
        virtual_hosts=[virtual_host],
        validate_clusters=_TRUE if configuration.validate_clusters else None,
    )


def _route(route: Route) -> route_components_pb2.Route:
    action = route_components_pb2.RouteAction(
        timeout=make_duration(route.timeout),
        idle_timeout=make_duration(route.idle_timeout),
        retry_policy=_retry_policy(route.retries) if route.retries else None,
        hash_policy=[_hash_policy(policy) for policy in route.hash_policies],
        **_destination(route.legs),
        **_rewrite(route.match.path, route.prefix_rewrite),
    )
    return route_components_pb2.Route(
        match=_request_match(route.match),
        route=action,
        **_header_fields(route.request_headers, route.response_headers),
    )


# --- where to


def _destination(legs: tuple[Leg, ...]) -> _Fields:
    only = legs[0] if len(legs) == 1 else None
    if only and only == Leg(only.cluster, only.weight):  # and changes no headers
        return {"cluster": only.cluster}
    return {"weighted_clusters": route_components_pb2.WeightedCluster(clusters=[_leg(leg) for leg in legs])}


def _leg(leg: Leg) -> route_components_pb2.WeightedCluster.ClusterWeight:
    return route_components_pb2.WeightedCluster.ClusterWeight(
        name=leg.cluster,
        weight=wrappers_pb2.UInt32Value(value=leg.weight),
        **_header_fields(leg.request_headers, leg.response_headers),
    )


def _retry_policy(retries: Retries) -> route_components_pb2.RetryPolicy:
    return route_components_pb2.RetryPolicy(
        retry_on=",".join(retries.conditions),
        num_retries=make_uint32(retries.attempts or None),
        retriable_status_codes=retries.status_codes,
        retry_priority=_NOT_AGAIN if retries.elsewhere else None,
        retry_host_predicate=[_ANOTHER_HOST],
        host_selection_retry_max_attempts=_CHOICES,
    )


def _hash_policy(policy: HashPolicy) -> route_components_pb2.RouteAction.HashPolicy:
    return _HashPolicy(terminal=policy.terminal, **_hashed(policy))


def _hashed(policy: HashPolicy) -> _Fields:
    match policy.field:
        case HashField.HEADER:
            return {"header": _HashPolicy.Header(header_name=policy.name)}
        case HashField.COOKIE:
            cookie = _HashPolicy.Cookie(name=policy.name, ttl=make_duration(policy.ttl), path=policy.path)
            return {"cookie": cookie}
        case HashField.QUERY_PARAMETER:
            return {"query_parameter": _HashPolicy.QueryParameter(name=policy.name)}
        case HashField.SOURCE_IP:
            return {"connection_properties": _HashPolicy.ConnectionProperties(source_ip=True)}


# --- what matches


def _request_match(match: RequestMatch) -> route_components_pb2.RouteMatch:
    return route_components_pb2.RouteMatch(
        headers=_header_matchers(match),
        query_parameters=[_query_matcher(parameter) for parameter in match.query],
        **_path_fields(match.path),
    )


def _path_fields(path: PathMatch) -> _Fields:
    case_sensitive = None if path.case_sensitive else wrappers_pb2.BoolValue(value=False)
    match path.comparison:
        case Comparison.EXACT:
            return {"path": path.value, "case_sensitive": case_sensitive}
        case Comparison.PREFIX:
            return {"prefix": path.value, "case_sensitive": case_sensitive}
        case Comparison.REGEX:
            return {"safe_regex": make_regex(_ignoring_case(path, path.value))}
        case _:
            raise ValueError(f"a path can't be compared by {path.comparison}")


def _header_matchers(match: RequestMatch) -> Iterator[route_components_pb2.HeaderMatcher]:
    yield from map(_header_matcher, match.headers)
    if match.methods:
        methods = ValueMatch(":method", Comparison.REGEX, "|".join(match.methods))
        yield _header_matcher(methods)


def _header_matcher(header: ValueMatch) -> route_components_pb2.HeaderMatcher:
    return route_components_pb2.HeaderMatcher(
        name=header.name, invert_match=header.invert, **_value_fields(header)
    )


def _query_matcher(parameter: ValueMatch) -> route_components_pb2.QueryParameterMatcher:
    return route_components_pb2.QueryParameterMatcher(name=parameter.name, **_value_fields(parameter))


def _value_fields(match: ValueMatch) -> _Fields:
    if match.comparison is Comparison.PRESENT:
        return {"present_match": True}
    return {"string_match": make_string_matcher(match.comparison, match.value)}


# --- what changes on the way


def _rewrite(path: PathMatch, replacement: str) -> _Fields:
    """Replace what matched. A prefix that becomes ``/`` takes a slash after it along: no ``//`` is left."""
    if replacement == "/" and path.comparison is Comparison.PREFIX:
        pattern = _ignoring_case(path, f"^{re2.escape(path.value)}(/?)(.*)")
        rewrite = regex_pb2.RegexMatchAndSubstitute(pattern=make_regex(pattern), substitution=r"/\2")
        return {"regex_rewrite": rewrite}
    return {"prefix_rewrite": replacement}


def _ignoring_case(path: PathMatch, regex: str) -> str:
    """Envoy's ``case_sensitive`` does not hold for regular expressions: those say it themselves."""
    return regex if path.case_sensitive else f"(?i){regex}"


def _header_fields(request: HeaderChanges, response: HeaderChanges) -> _Fields:
    return {
        "request_headers_to_add": list(_header_values(request)),
        "request_headers_to_remove": request.remove,
        "response_headers_to_add": list(_header_values(response)),
        "response_headers_to_remove": response.remove,
    }


def _header_values(changes: HeaderChanges) -> Iterator[base_pb2.HeaderValueOption]:
    option = base_pb2.HeaderValueOption
    for name, value in changes.add:
        header = base_pb2.HeaderValue(key=name, value=value)
        yield option(header=header, append_action=option.APPEND_IF_EXISTS_OR_ADD)
    for name, value in changes.set:
        header = base_pb2.HeaderValue(key=name, value=value)
        yield option(header=header, append_action=option.OVERWRITE_IF_EXISTS_OR_ADD)
