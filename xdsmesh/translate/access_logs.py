"""Access logs: where a line goes, how it looks, and which calls have one.

A sidecar logs the calls that it denies even if nobody has asked for access logs, and each once.
"""

import json
from collections.abc import Mapping
from typing import Final

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import base_pb2, substitution_format_string_pb2
from envoy.extensions.access_loggers.file.v3 import file_pb2
from envoy.extensions.access_loggers.stream.v3 import stream_pb2
from google.protobuf import struct_pb2

from xdsmesh.ir.access_logs import AccessLogs, Sink
from xdsmesh.translate.parts import make_any

FILTER_LOG: Final = "Consul Listener Filter Log"
LISTENER_LOG: Final = "Consul Listener Log"
DENIALS: Final = AccessLogs(listener_logs=False)
"""How denials are logged where access logs are not asked for."""

_NO_FILTER_CHAIN: Final = "NR"
_KEYS: Final = {
    "start_time": "%START_TIME%",
    "route_name": "%ROUTE_NAME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "upstream_service_time": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "authority": "%REQ(:AUTHORITY)%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
}
"""Consul's, in the format of
https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage."""


def make_access_log(
    logs: AccessLogs,
    name: str = FILTER_LOG,
    *,
    only: accesslog_pb2.AccessLogFilter | None = None,
    more: Mapping[str, str] | None = None,
) -> accesslog_pb2.AccessLog:
    """One logger: ``only`` what passes a filter; with ``more`` keys, unless people wrote their own format."""
    log_format = _format(logs, more or {})
    match logs.sink:
        case Sink.FILE:
            config = make_any(file_pb2.FileAccessLog(path=logs.path, log_format=log_format))
        case Sink.STDERR:
            config = make_any(stream_pb2.StderrAccessLog(log_format=log_format))
        case Sink.STDOUT:
            config = make_any(stream_pb2.StdoutAccessLog(log_format=log_format))
    return accesslog_pb2.AccessLog(name=name, filter=only, typed_config=config)


def make_listener_logs(logs: AccessLogs | None) -> list[accesslog_pb2.AccessLog]:
    """The loggers of connections that no filter chain takes."""
    if logs is None or not logs.listener_logs:
        return []
    flags = accesslog_pb2.ResponseFlagFilter(flags=[_NO_FILTER_CHAIN])
    only = accesslog_pb2.AccessLogFilter(response_flag_filter=flags)
    return [make_access_log(logs, LISTENER_LOG, only=only)]


def make_filter_logs(logs: AccessLogs | None) -> list[accesslog_pb2.AccessLog]:
    """The loggers of the calls that an application makes."""
    return [make_access_log(logs)] if logs else []


def _format(
    logs: AccessLogs, more: Mapping[str, str]
) -> substitution_format_string_pb2.SubstitutionFormatString:
    if logs.text:
        text = logs.text if logs.text.endswith("\n") else f"{logs.text}\n"
        return substitution_format_string_pb2.SubstitutionFormatString(
            text_format_source=base_pb2.DataSource(inline_string=text)
        )
    keys = json.loads(logs.json) if logs.json else {**_KEYS, **more}
    fields = struct_pb2.Struct()
    fields.update(keys)
    return substitution_format_string_pb2.SubstitutionFormatString(json_format=fields)
