"""What is printed of proxies."""

from datetime import UTC, datetime, timedelta

import pytest

from xdsmesh.cli.proxies import show_detail, show_list
from xdsmesh.status import ProxyDetail, ProxyStatus, Refused, Rejection, Snapshot, State, TypeStatus

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
        kind="connect-proxy",
    )


def shown(snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> list[str]:
    show_list(snapshot, NOW)
    return capsys.readouterr().out.splitlines()


def test_each_proxy_is_a_line_with_the_state_of_each_type(capsys: pytest.CaptureFixture[str]) -> None:
    types = [
        TypeStatus("CDS", State.SYNCED, acked_at=NOW - timedelta(seconds=3)),
        TypeStatus("EDS", State.SYNCED),
        TypeStatus("LDS", State.STALE),
        TypeStatus("RDS", State.NOT_SENT),
    ]
    lines = shown(Snapshot(connected=(proxy("web-1", timedelta(seconds=5), *types),)), capsys)
    assert [line.rstrip() for line in lines] == [
        (
            "PROXY  SERVICE  KIND           ENVOY   CONNECTED  "
            "CDS        EDS        LDS    RDS       SDS  REVISION"
        ),
        "web-1  web      connect-proxy  1.40.0  5s         SYNCED 3s  SYNCED 5s  STALE  NOT SENT  -    7",
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
    assert line.split()[4] == text


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


def test_of_one_proxy_all_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    cause = "service-defaults/web (mesh.hcl:3:1)"
    last = Rejection("no such filter", ("public_listener",), NOW - timedelta(minutes=2), (cause,))
    types = (
        TypeStatus("CDS", State.SYNCED, sent_at=NOW, acked_at=NOW, responses=2, resources=3, nacks=1),
        TypeStatus("LDS", State.SYNCED, last_error=last),
        TypeStatus("RDS", State.ERROR, error="no", last_error=Rejection("no", (), NOW)),
    )
    stream = proxy("web-1", timedelta(seconds=9), *types)
    refused = Refused("web-1", "127.0.0.9", "not registered", 1, NOW, NOW)
    show_detail(ProxyDetail("web-1", "web", "connect-proxy", (stream,), (refused,)), NOW)
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "Proxy:    web-1",
        "Service:  web",
        "Kind:     connect-proxy",
        "",
        "Connected from 127.0.0.1 for 9s, over delta ADS",
        "Envoy:    1.40.0",
        "Revision: 7",
        "TYPE  STATE   VERSION  SENT    ACKNOWLEDGED  RESPONSES  RESOURCES  NACKS",
        "CDS   SYNCED  -        0s ago  0s ago        2          3          1",
        "LDS   SYNCED  -        -       -             0          0          0",
        "RDS   ERROR   -        -       -             0          0          0",
        "",
        "Last errors:",
        f"  LDS (public_listener): no such filter; made from {cause} (2m0s ago, mended since)",
        "  RDS: no (0s ago)",
        "",
        "Refused:",
        "  web-1 from 127.0.0.9: not registered (0s ago)",
    ]


def test_a_proxy_that_is_not_connected_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_detail(ProxyDetail("web-1", "web", "connect-proxy"), NOW)
    assert capsys.readouterr().out.splitlines()[-1] == "It is not connected."
