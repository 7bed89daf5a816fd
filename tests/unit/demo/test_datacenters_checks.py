"""The verdicts of the demo of datacenters: each broken promise is named."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from xdsmesh.demo.calls import ALLOWED, DENIED, FAILED, Answer
from xdsmesh.demo.datacenters.changes import Changes
from xdsmesh.demo.datacenters.checks import (
    Findings,
    Promise,
    Sighting,
    caught_up_ms,
    let_in_ms,
    problems,
    report,
)
from xdsmesh.demo.datacenters.gateways import keys_in
from xdsmesh.demo.edits import Edit
from xdsmesh.demo.held import Reply
from xdsmesh.demo.verdicts import Verdict

API = "spiffe://1234.consul/ns/default/dc/dc1/svc/api"
TEXTS = frozenset((b"balance", b"ready"))
NAMES = {"db.default.dc2.internal.1234.consul": 3, "server.dc1.consul": 1}
PROMISE = Promise(API, frozenset(NAMES), TEXTS)


def replies(*statuses: tuple[float, int]) -> Sequence[Reply]:
    return tuple(Reply(at, status, 40000) for at, status in statuses)


CALL = Verdict("api", "db", "http", ALLOWED, Answer(ALLOWED, "200", API), "api => db", rule_allows=True)
ORPHAN = Verdict("api, alone", "db", "http", ALLOWED, Answer(ALLOWED, "200"))
GOOD = Findings(
    (CALL, Verdict("web", "db", "http", DENIED, Answer(DENIED, "403"), "web => db", rule_allows=False)),
    between=Sighting(NAMES, 4096, frozenset()),
    beside=Sighting({"": 2}, 200, TEXTS),
    keys={"gateway-dc1": frozenset(), "gateway-dc2": frozenset()},
    keys_of_db=frozenset(("tls_certificate",)),
    changes=Changes(
        let_in=Edit(edited=100.0, acked=100.03),
        without=(ORPHAN,),
        returned=102.0,
        web=replies((99.9, 403), (100.01, 403), (100.05, 200), (101.9, 200), (103.5, 403)),
        api=replies((99.9, 200), (103.5, 200)),
    ),
)


def changed(**changes: Any) -> Findings:
    return replace(GOOD, changes=replace(GOOD.changes, **changes))


def seen(spy: Sighting, **changes: Any) -> Findings:
    other = replace(spy, **changes)
    return replace(GOOD, between=other) if spy is GOOD.between else replace(GOOD, beside=other)


def test_nothing_is_wrong_with_datacenters_that_do_what_was_promised() -> None:
    assert list(problems(GOOD, PROMISE)) == []


@pytest.mark.parametrize(
    ("findings", "says"),
    [
        (replace(GOOD, verdicts=(replace(CALL, answer=Answer(FAILED, "503", API)),)), "was failed, not"),
        (replace(GOOD, verdicts=(replace(CALL, answer=Answer(ALLOWED, "200")),)), "told that nobody calls"),
        (replace(GOOD, verdicts=(replace(CALL, rule_allows=False),)), "`xdsmesh intention check` differs"),
        (changed(without=(replace(ORPHAN, answer=Answer(FAILED, "503")),)), "api, alone => db over http was"),
        (
            seen(GOOD.between, readable=frozenset((b"ready",))),
            "the gateways, it could be read: ready",
        ),
        (seen(GOOD.between, server_names={**NAMES, "x": 1}), "somebody asked for x"),
        (seen(GOOD.between, server_names={**NAMES, "": 1}), "somebody asked for no server name"),
        (seen(GOOD.between, server_names={}), "nobody asked for server.dc1.consul"),
        (seen(GOOD.beside, readable=frozenset((b"ready",))), "so the spy is blind: balance"),
        (replace(GOOD, keys={"gateway-dc2": frozenset(("private_key",))}), "of gateway-dc2 has private_key"),
        (replace(GOOD, keys_of_db=frozenset()), "the look at config dumps is blind"),
        (changed(api=replies((99, 200), (101, 503), (102, 200))), "api saw the statuses 200, then 503, then"),
        (changed(web=replies((99, 403), (101, 200))), "web saw the statuses 403, then 200, not"),
        (changed(api=(*GOOD.changes.api, Reply(104, 200, 40001))), "of api to its Envoy did not stay open"),
        (changed(web=replies((99, 403), (107, 200), (108, 403))), "took 7000 ms to cross"),
    ],
)
def test_each_broken_promise_is_named(findings: Findings, says: str) -> None:
    assert any(says in problem for problem in problems(findings, PROMISE))


def test_a_change_takes_until_the_first_reply_that_shows_it() -> None:
    assert let_in_ms(GOOD.changes) == pytest.approx(50)
    assert caught_up_ms(GOOD.changes) == pytest.approx(1500)


def test_machines_get_each_verdict_and_what_the_spy_saw() -> None:
    found = report(GOOD)

    assert [each["observed"] for each in found["verdicts"]] == ["allowed", "denied", "allowed"]
    assert found["spy"] == {"server_names": NAMES, "bytes": 4096, "readable": 0}
    assert found["beside_api"] == {"bytes": 200, "readable": 2}
    assert (found["requests"], found["failed"], found["gateway_keys"]) == (7, 0, 0)
    assert found["shift"] == {"failed": 0, "ack_ms": 30.0}


def test_keys_are_found_at_any_depth_of_a_config_dump() -> None:
    secret = {"secret": {"tls_certificate": {"private_key": {"inline_bytes": "W3JlZGFjdGVkXQ=="}}}}
    dump = {"configs": [{"@type": "SecretsConfigDump", "dynamic_active_secrets": [secret]}]}

    assert set(keys_in(dump)) == {"tls_certificate", "private_key"}
    assert not set(keys_in({"configs": [{"@type": "SecretsConfigDump"}, {"clusters": ["private_key"]}]}))
