"""What a caller is told whose request is denied: the class of what decided, and never a name.

https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/local_reply
"""

from typing import Final

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import base_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.type.matcher.v3 import metadata_pb2, string_pb2, value_pb2
from google.protobuf import wrappers_pb2

from xdsmesh.ir.authorization import DecidedBy
from xdsmesh.translate.cel import make_filter
from xdsmesh.translate.http_authorization import RBAC_FILTER

HEADER: Final = "x-xdsmesh-denied"
DENIED: Final = "response.code_details.startsWith('rbac_access_denied')"
"""The RBAC filter has refused the request; an application's own 403 has other details."""

_NOTED: Final = (DecidedBy.INTENTION, DecidedBy.PERMISSION, DecidedBy.TOKEN)
_SENTENCES: Final = {
    DecidedBy.INTENTION: "denied by an intention",
    DecidedBy.PERMISSION: "denied by a permission of an intention",
    DecidedBy.TOKEN: "denied: an intention asks for a token that is missing or does not suffice",
    DecidedBy.DEFAULT: "denied by default: no intention allows it",
}
_OVERWRITE: Final = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


def make_local_replies() -> http_connection_manager_pb2.LocalReplyConfig:
    """The first mapper that matches makes the reply; the last takes denials of which nothing was noted."""
    noted = (_mapper(by, _both(make_filter(DENIED), _decided(by))) for by in _NOTED)
    return http_connection_manager_pb2.LocalReplyConfig(
        mappers=[*noted, _mapper(DecidedBy.DEFAULT, make_filter(DENIED))]
    )


def _mapper(
    by: DecidedBy, reply: accesslog_pb2.AccessLogFilter
) -> http_connection_manager_pb2.ResponseMapper:
    header = base_pb2.HeaderValue(key=HEADER, value=str(by))
    return http_connection_manager_pb2.ResponseMapper(
        filter=reply,
        body=base_pb2.DataSource(inline_string=_SENTENCES[by]),
        headers_to_add=[base_pb2.HeaderValueOption(header=header, append_action=_OVERWRITE)],
    )


def _both(*filters: accesslog_pb2.AccessLogFilter) -> accesslog_pb2.AccessLogFilter:
    return accesslog_pb2.AccessLogFilter(and_filter=accesslog_pb2.AndFilter(filters=filters))


def _decided(by: DecidedBy) -> accesslog_pb2.AccessLogFilter:
    matcher = metadata_pb2.MetadataMatcher(
        filter=RBAC_FILTER,
        path=[metadata_pb2.MetadataMatcher.PathSegment(key="shadow_effective_policy_id")],
        value=value_pb2.ValueMatcher(string_match=string_pb2.StringMatcher(prefix=f"{by} ")),
    )
    return accesslog_pb2.AccessLogFilter(
        metadata_filter=accesslog_pb2.MetadataFilter(
            matcher=matcher, match_if_key_not_found=wrappers_pb2.BoolValue(value=False)
        )
    )
