"""The HTTP connection manager: what turns a connection into requests and sends them along their routes."""

from typing import Any, Final

from envoy.config.core.v3 import protocol_pb2
from envoy.extensions.filters.http.grpc_http1_bridge.v3 import config_pb2 as grpc_http1_bridge_pb2
from envoy.extensions.filters.http.grpc_stats.v3 import config_pb2 as grpc_stats_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from google.protobuf import wrappers_pb2
from google.protobuf.message import Message

from xdsmesh.ir.jwt import JwtProvider
from xdsmesh.ir.normalization import EscapedSlashes, Normalization, Underscores
from xdsmesh.ir.types import HttpManager, Protocol
from xdsmesh.translate.http_authorization import FILTERS
from xdsmesh.translate.jwt import make_jwt_authn
from xdsmesh.translate.local_replies import make_local_replies
from xdsmesh.translate.parts import ADS, make_any, make_uint32
from xdsmesh.translate.tokens import JWT_FILTER

_Manager = http_connection_manager_pb2.HttpConnectionManager
_TRUE: Final = wrappers_pb2.BoolValue(value=True)
_LOCAL_REPLIES: Final = make_local_replies()


def _http_filter(name: str, config: Message) -> http_connection_manager_pb2.HttpFilter:
    return http_connection_manager_pb2.HttpFilter(name=name, typed_config=make_any(config))


_ROUTER: Final = _http_filter("envoy.filters.http.router", router_pb2.Router())
_GRPC: Final = (
    _http_filter("envoy.filters.http.grpc_stats", grpc_stats_pb2.FilterConfig(stats_for_all_methods=_TRUE)),
    _http_filter("envoy.filters.http.grpc_http1_bridge", grpc_http1_bridge_pb2.Config()),
)
_WEBSOCKET: Final = _Manager.UpgradeConfig(upgrade_type="websocket")
_CALLER: Final = _Manager.SetCurrentClientCertDetails(subject=_TRUE, dns=True, uri=True)


_ESCAPED_SLASHES: Final = {
    EscapedSlashes.DEFAULT: _Manager.IMPLEMENTATION_SPECIFIC_DEFAULT,
    EscapedSlashes.KEEP: _Manager.KEEP_UNCHANGED,
    EscapedSlashes.REJECT: _Manager.REJECT_REQUEST,
    EscapedSlashes.REDIRECT: _Manager.UNESCAPE_AND_REDIRECT,
    EscapedSlashes.FORWARD: _Manager.UNESCAPE_AND_FORWARD,
}
_UNDERSCORES: Final = {
    Underscores.REJECT: protocol_pb2.HttpProtocolOptions.REJECT_REQUEST,
    Underscores.DROP: protocol_pb2.HttpProtocolOptions.DROP_HEADER,
}


def make_http_manager(manager: HttpManager) -> http_connection_manager_pb2.HttpConnectionManager:
    """The filter, with a reference to its routes, that come over RDS."""
    message = _Manager(
        stat_prefix=manager.stat_prefix,
        http_filters=[
            *(_GRPC if manager.protocol is Protocol.GRPC else ()),
            *([_jwt_authn(manager.jwt_providers)] if manager.jwt_providers else ()),
            *(FILTERS if manager.authorizes else ()),
            _ROUTER,
        ],
        rds=http_connection_manager_pb2.Rds(route_config_name=manager.routes, config_source=ADS),
        upgrade_configs=[_WEBSOCKET],
        max_request_headers_kb=make_uint32(manager.max_request_headers_kb),
        http2_protocol_options=protocol_pb2.Http2ProtocolOptions() if manager.protocol.is_http2 else None,
        **(_normalization(manager.normalization) if manager.normalization else {}),
    )
    if manager.authorizes:
        message.local_reply_config.CopyFrom(_LOCAL_REPLIES)
    if manager.forward_client_cert:
        message.forward_client_cert_details = _Manager.SANITIZE_SET
        message.set_current_client_cert_details.CopyFrom(_CALLER)
    return message


def _jwt_authn(providers: tuple[JwtProvider, ...]) -> http_connection_manager_pb2.HttpFilter:
    return _http_filter(JWT_FILTER, make_jwt_authn(providers))


def _normalization(normalization: Normalization) -> dict[str, Any]:
    """The fields that say what becomes of a request before any filter sees it."""
    fields: dict[str, Any] = {
        "normalize_path": wrappers_pb2.BoolValue(value=normalization.paths),
        "merge_slashes": normalization.merge_slashes,
        "path_with_escaped_slashes_action": _ESCAPED_SLASHES[normalization.escaped_slashes],
    }
    if normalization.underscores is not Underscores.ALLOW:
        fields["common_http_protocol_options"] = protocol_pb2.HttpProtocolOptions(
            headers_with_underscores_action=_UNDERSCORES[normalization.underscores]
        )
    return fields
