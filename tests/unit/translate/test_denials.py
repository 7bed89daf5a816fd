from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from xdsmesh.ir.access_logs import AccessLogs, Sink
from xdsmesh.ir.intentions import build_authorization
from xdsmesh.ir.types import Direction, DownstreamTls, HttpManager, Listener, Protocol, TcpProxy
from xdsmesh.translate.listeners import make_listener

CLOSED = build_authorization(None, None, is_http=False, allow_by_default=False, trust_domain="corp.consul")
HTTP = Listener(
    name="public_listener:127.0.0.2:21000",
    address="127.0.0.2",
    port=21000,
    direction=Direction.INBOUND,
    filter=HttpManager("public_listener", Protocol.HTTP, "public_listener:web", authorizes=True),
    tls=DownstreamTls(),
    service="web",
)
TCP = replace(HTTP, filter=TcpProxy("public_listener", "local_app"), authorization=CLOSED)
OUTBOUND = replace(TCP, direction=Direction.OUTBOUND, tls=None, authorization=None, service="")


def loggers(listener: Listener) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Those of the listener, and those of the last filter, but for the counter."""
    made = MessageToDict(make_listener(listener))
    of_filter = made["filterChains"][0]["filters"][-1]["typedConfig"].get("accessLog", [])
    lines = [each for each in of_filter if each["name"] != "envoy.access_loggers.stats"]
    return made.get("accessLog", []), lines


@pytest.mark.parametrize("listener", [HTTP, TCP])
def test_a_public_listener_logs_denials_to_stdout_without_being_asked(listener: Listener) -> None:
    (unverified,), (denied,) = loggers(listener)

    for logger in (unverified, denied):
        assert logger["typedConfig"]["@type"].endswith(".StdoutAccessLog")
        assert "filter" in logger
    assert {"source", "destination", "decision", "verdict"} <= keys(denied)
    assert "claimed_source" in keys(unverified)
    assert not {"source", "decision"} & keys(unverified)


def test_what_an_application_calls_is_logged_only_if_asked_for() -> None:
    assert loggers(OUTBOUND) == ([], [])
    (no_filter_chain,), (calls,) = loggers(replace(OUTBOUND, access_logs=AccessLogs()))
    assert no_filter_chain["filter"] == {"responseFlagFilter": {"flags": ["NR"]}}
    assert "filter" not in calls
    assert len(keys(calls)) == 24


def test_with_access_logs_one_logger_has_all_requests() -> None:
    _, lines = loggers(replace(HTTP, access_logs=AccessLogs()))

    assert ["filter" in each for each in lines] == [False]


@pytest.mark.parametrize(
    ("logs", "kind", "log_format"),
    [
        (
            AccessLogs(Sink.FILE, "/f", text="a"),
            "FileAccessLog",
            {"textFormatSource": {"inlineString": "a\n"}},
        ),
        (AccessLogs(Sink.STDERR, json='{"a": "b"}'), "StderrAccessLog", {"jsonFormat": {"a": "b"}}),
    ],
)
def test_a_format_that_people_write_is_taken_as_it_is(
    logs: AccessLogs, kind: str, log_format: dict[str, Any]
) -> None:
    _, (line,) = loggers(replace(HTTP, access_logs=logs))

    assert line["typedConfig"]["@type"].endswith(f".{kind}")
    assert line["typedConfig"]["logFormat"] == log_format


def keys(logger: dict[str, Any]) -> set[str]:
    return set(logger["typedConfig"]["logFormat"]["jsonFormat"])
