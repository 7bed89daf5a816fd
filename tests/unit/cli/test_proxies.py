from datetime import UTC, datetime, timedelta

import pytest

from xdsmesh.cli.proxies import show
from xdsmesh.status import ProxyStatus, Refused, Snapshot, State, TypeStatus

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def proxy(name: str, age: timedelta, *types: TypeStatus) -> ProxyStatus:
    return ProxyStatus(
        proxy=name,
        service="web",
        envoy_version="1.40.0",
        address="127.0.0.1",
        variant="delta",
        connected_at=NOW - age,
        revision=7,
        types=types,
    )


def shown(snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> list[str]:
    show(snapshot, NOW)
    return capsys.readouterr().out.splitlines()


def test_each_proxy_is_a_line_with_the_state_of_each_type(capsys: pytest.CaptureFixture[str]) -> None:
    types = [
        TypeStatus("CDS", State.SYNCED),
        TypeStatus("LDS", State.STALE),
        TypeStatus("RDS", State.NOT_SENT),
    ]
    lines = shown(Snapshot(connected=(proxy("web-1-sidecar-proxy", timedelta(seconds=185), *types),)), capsys)
    assert [line.rstrip() for line in lines] == [
        "PROXY                SERVICE  ENVOY   CONNECTED  CDS     EDS  LDS    RDS       SDS",
        "web-1-sidecar-proxy  web      1.40.0  3m5s       SYNCED  -    STALE  NOT SENT  -",
    ]


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=-1), "0s"),
        (timedelta(seconds=59.9), "59s"),
        (timedelta(minutes=60), "1h0m"),
        (timedelta(days=3, hours=5, minutes=9), "3d5h"),
    ],
)
def test_ages_are_short(age: timedelta, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    [_, line] = shown(Snapshot(connected=(proxy("web-1", age),)), capsys)
    assert line.split()[3] == text


def test_the_reason_of_an_error_stands_below_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    error = TypeStatus("LDS", State.ERROR, error="no such filter [x]", rejected=("public", "admin"))
    lines = shown(Snapshot(connected=(proxy("web-1", timedelta(), error),)), capsys)
    assert "ERROR" in lines[1]
    assert lines[-1] == "  web-1 LDS (public, admin): no such filter [x]"


def test_who_was_refused_is_told_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    refused = (
        Refused("ghost", "127.0.0.9", "it is not registered", 3, NOW, NOW - timedelta(seconds=2)),
        Refused("", "127.0.0.8", "it gave no id", 1, NOW, NOW),
    )
    lines = shown(Snapshot(refused=refused), capsys)
    assert lines[0] == "No proxy is connected."
    assert lines[-2:] == [
        "  ghost from 127.0.0.9: it is not registered (3 times, last 2s ago)",
        "  (no id) from 127.0.0.8: it gave no id (0s ago)",
    ]
