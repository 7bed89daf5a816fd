"""The verdicts of the demo of identities: each broken promise is named."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from xdsmesh.demo.calls import ALLOWED, CLOSED, DENIED, FAILED, Answer
from xdsmesh.demo.edits import Edit
from xdsmesh.demo.held import Reply, took_ms
from xdsmesh.demo.identity.checks import Change, Findings, problems, report
from xdsmesh.demo.verdicts import Verdict

API = "spiffe://1234.consul/ns/default/dc/dc1/svc/api"
TIGHTENED = Edit(edited=100.0, acked=100.03)
LOOSENED = Edit(edited=101.0, acked=101.04)
REFUSAL = "the token is for the service web, and proxy 'db-1-sidecar-proxy' is registered for the service db"


def replies(*statuses: tuple[float, int], port: int = 40000) -> Sequence[Reply]:
    return tuple(Reply(at, status, port) for at, status in statuses)


GOOD_REPLIES = replies((99.9, 200), (100.01, 200), (100.05, 403), (100.9, 403), (101.06, 200))
ALLOWED_CALL = Verdict(
    "api", "db", "http", ALLOWED, Answer(ALLOWED, "200", API), "api => db is ...", rule_allows=True
)
DENIED_CALL = Verdict(
    "web", "db", "http", DENIED, Answer(DENIED, "403"), "web => db is ...", rule_allows=False
)
GOOD = Findings(
    (ALLOWED_CALL, DENIED_CALL),
    stream_refusal=REFUSAL,
    key_refused=True,
    change=Change(TIGHTENED, LOOSENED, {"one": GOOD_REPLIES, "other": GOOD_REPLIES}),
)


def with_call(call: Verdict, **changes: Any) -> Findings:
    return replace(GOOD, verdicts=(ALLOWED_CALL, replace(call, **changes)))


def with_replies(*statuses: tuple[float, int]) -> Findings:
    return replace(GOOD, change=replace(GOOD.change, held={"one": replies(*statuses)}))


def test_nothing_is_wrong_with_a_mesh_that_does_what_was_promised() -> None:
    assert list(problems(GOOD, API)) == []


@pytest.mark.parametrize(
    ("findings", "says"),
    [
        (
            with_call(DENIED_CALL, answer=Answer(ALLOWED, "200")),
            "web => db over http was allowed, not denied",
        ),
        (with_call(DENIED_CALL, answer=Answer(FAILED, "503")), "was failed, not denied: 503"),
        (with_call(DENIED_CALL, answer=Answer(CLOSED, "closed")), "was closed, not denied: closed"),
        (with_call(DENIED_CALL, rule_allows=True), "`xdsmesh intention check` differs"),
        (replace(GOOD, verdicts=(DENIED_CALL,)), "db was told that nobody calls"),
        (with_call(ALLOWED_CALL, answer=Answer(DENIED, "403")), "was denied, not allowed: 403"),
        (replace(GOOD, stream_refusal=""), "with web's token: it was not refused"),
        (replace(GOOD, stream_refusal="the token is not known here"), "with web's token: the token is not"),
        (replace(GOOD, key_refused=False), "db's key was given"),
        (
            with_replies((99, 200), (100.1, 403), (100.2, 200), (100.3, 403), (102, 200)),
            "403, then 200, then",
        ),
        (with_replies((99, 200), (100.1, 403), (100.2, 0), (100.3, 403), (102, 200)), "then an error, then"),
        (with_replies((99, 200), (103, 403), (104, 200)), "tighter intentions took 3000 ms"),
    ],
)
def test_each_broken_promise_is_named(findings: Findings, says: str) -> None:
    assert any(says in problem for problem in problems(findings, API))


def test_a_connection_that_was_opened_anew_did_not_stay_open() -> None:
    anew = (*GOOD_REPLIES, Reply(102.0, 200, 40001))
    change = replace(GOOD.change, held={"one": anew})

    assert list(problems(replace(GOOD, change=change), API)) == ["one did not stay open"]


def test_an_edit_takes_until_the_first_reply_that_shows_it() -> None:
    assert took_ms(GOOD_REPLIES, TIGHTENED.edited, 403) == pytest.approx(50)
    assert took_ms(GOOD_REPLIES, LOOSENED.edited, 200) == pytest.approx(60)
    assert took_ms(GOOD_REPLIES, LOOSENED.edited, 403) == float("inf")


def test_machines_get_each_verdict() -> None:
    assert report(GOOD) == {
        "requests": 10,
        "failed": 0,
        "peer_spiffe": API,
        "shift": {"failed": 0, "ack_ms": 30.0},
        "verdicts": [
            {"from": "api", "to": "db", "protocol": "http", "expected": "allowed", "observed": "allowed"},
            {"from": "web", "to": "db", "protocol": "http", "expected": "denied", "observed": "denied"},
        ],
    }
