"""What a sidecar logs and counts of the calls to its service: all of them if asked to, denials always.

A caller is named as ``source`` only if its certificate was verified.
"""

from typing import Final

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.extensions.access_loggers.stats.v3 import stats_pb2
from envoy.type.matcher.v3 import metadata_pb2, value_pb2
from google.protobuf import wrappers_pb2

from xdsmesh.ir.access_logs import AccessLogs
from xdsmesh.ir.authorization import Authorization
from xdsmesh.translate.access_logs import DENIALS, LISTENER_LOG, make_access_log
from xdsmesh.translate.cel import (
    CONNECTED,
    HANDSHAKE_FAILED,
    NOT_WELCOME,
    VERIFIED,
    formatted,
    make_filter,
)
from xdsmesh.translate.http_authorization import RBAC_FILTER
from xdsmesh.translate.local_replies import DENIED
from xdsmesh.translate.parts import make_any
from xdsmesh.translate.tcp_decisions import make_decision

STATS: Final = "xdsmesh"
"""The prefix of the counter ``calls``, which has the tags ``source``, ``destination`` and ``verdict``."""

_PEER: Final = "%DOWNSTREAM_PEER_URI_SAN%"
_REASON: Final = {"downstream_transport_failure_reason": "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%"}
_RESULT: Final = "enforced_engine_result"
_HTTP_VERDICT: Final = f"%DYNAMIC_METADATA({RBAC_FILTER}:{_RESULT})%"
_HTTP_DECISION: Final = f"%DYNAMIC_METADATA({RBAC_FILTER}:shadow_effective_policy_id)%"
_TCP_VERDICT: Final = formatted(f"{NOT_WELCOME} ? 'denied' : {CONNECTED} ? 'allowed' : ''")
_UNVERIFIED: Final = f"{HANDSHAKE_FAILED} && !{NOT_WELCOME}"


def make_http_logs(logs: AccessLogs | None, service: str) -> list[accesslog_pb2.AccessLog]:
    """The loggers of requests to a service."""
    more = {"source": _PEER, "destination": service, "decision": _HTTP_DECISION, "verdict": _HTTP_VERDICT}
    only = None if logs else make_filter(DENIED)
    return [
        make_access_log(logs or DENIALS, only=only, more=more),
        _counter(service, _HTTP_VERDICT, _judged()),
    ]


def make_tcp_logs(
    logs: AccessLogs | None, service: str, authorization: Authorization
) -> list[accesslog_pb2.AccessLog]:
    """The loggers of connections to a service, but for those of callers that are not verified."""
    more = {
        **_REASON,
        "source": _PEER,
        "destination": service,
        "decision": make_decision(authorization),
        "verdict": _TCP_VERDICT,
    }
    only = make_filter(f"!({_UNVERIFIED})" if logs else NOT_WELCOME)
    return [
        make_access_log(logs or DENIALS, only=only, more=more),
        _counter(service, _TCP_VERDICT, make_filter(VERIFIED)),
    ]


def make_unverified_log(logs: AccessLogs | None, service: str) -> accesslog_pb2.AccessLog:
    """The logger of callers whose certificate is missing or not of the mesh; the listener's, of any sort."""
    more = {**_REASON, "claimed_source": _PEER, "destination": service, "verdict": "denied"}
    return make_access_log(logs or DENIALS, LISTENER_LOG, only=make_filter(_UNVERIFIED), more=more)


def _judged() -> accesslog_pb2.AccessLogFilter:
    """Requests that came as far as the RBAC filter."""
    result = metadata_pb2.MetadataMatcher(
        filter=RBAC_FILTER,
        path=[metadata_pb2.MetadataMatcher.PathSegment(key=_RESULT)],
        value=value_pb2.ValueMatcher(present_match=True),
    )
    return accesslog_pb2.AccessLogFilter(
        metadata_filter=accesslog_pb2.MetadataFilter(
            matcher=result, match_if_key_not_found=wrappers_pb2.BoolValue(value=False)
        )
    )


def _counter(service: str, verdict: str, only: accesslog_pb2.AccessLogFilter) -> accesslog_pb2.AccessLog:
    tags = {"source": _PEER, "destination": service, "verdict": verdict}
    stat = stats_pb2.Config.Stat(
        name="calls", tags=[stats_pb2.Config.Tag(name=name, value_format=tags[name]) for name in tags]
    )
    counter = stats_pb2.Config.Counter(stat=stat, value_fixed=wrappers_pb2.UInt64Value(value=1))
    return accesslog_pb2.AccessLog(
        name="envoy.access_loggers.stats",
        filter=only,
        typed_config=make_any(stats_pb2.Config(stat_prefix=STATS, counters=[counter])),
    )
