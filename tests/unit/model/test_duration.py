"""Durations in Go's notation, https://pkg.go.dev/time#ParseDuration."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xdsmesh.model.duration import Duration

SECOND = 1_000_000_000
LONGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("-0", 0),
        ("10s", 10 * SECOND),
        ("+5s", 5 * SECOND),
        ("-250ms", -250_000_000),
        ("1m30s", 90 * SECOND),
        ("1.5h", 5400 * SECOND),
        (".5s", SECOND // 2),
        ("1.s", SECOND),
        ("1h2m3s4ms5us6ns", 3_723_004_005_006),
        ("3µs", 3000),
        ("3μs", 3000),
        ("0.3333333333333333333h", 1_199_999_999_999),
        ("9223372036854775807ns", LONGEST),
        ("-9223372036854775808ns", -LONGEST - 1),
    ],
)
def test_a_text_is_its_duration(text: str, nanoseconds: int) -> None:
    assert Duration.parse(text) == Duration(nanoseconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "+",
        ".s",
        "s",
        "10",
        "10 s",
        " 10s",
        "10s ",
        "1d",
        "1e3s",
        "--1s",
        "1..5s",
        "10S",
        "1,5s",
        "٣s",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as 10s, 1m30s or 250ms"):
        Duration.parse(text)


@pytest.mark.parametrize(
    "text", ["9223372036854775808ns", "-9223372036854775809ns", "2562048h", "1" * 150 + "s"]
)
def test_what_does_not_fit_in_64_bits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="292 years"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1100, "1.1µs"),
        (2_200_000, "2.2ms"),
        (-250_000_000, "-250ms"),
        (10 * SECOND, "10s"),
        (60 * SECOND, "1m0s"),
        (3600 * SECOND, "1h0m0s"),
        (3_300 * SECOND, "55m0s"),
        (245 * SECOND + 1_000_000, "4m5.001s"),
        (LONGEST, "2562047h47m16.854775807s"),
        (-LONGEST - 1, "-2562047h47m16.854775808s"),
    ],
)
def test_a_duration_is_written_as_go_writes_it(nanoseconds: int, text: str) -> None:
    assert str(Duration(nanoseconds)) == text


@given(st.integers(-LONGEST - 1, LONGEST))
@example(-LONGEST - 1)
def test_what_is_written_reads_back_the_same(nanoseconds: int) -> None:
    duration = Duration(nanoseconds)

    assert Duration.parse(str(duration)) == duration


def test_only_zero_is_false() -> None:
    assert not Duration()
    assert Duration(-1)


def test_durations_are_made_from_seconds_and_milliseconds_and_order_by_length() -> None:
    assert Duration.of(seconds=1, milliseconds=500) == Duration(1_500_000_000)
    assert Duration.of(milliseconds=1500).seconds == 1.5
    assert Duration(-1) < Duration() < Duration.of(milliseconds=1) < Duration.of(seconds=1)


def test_a_text_that_nobody_would_write_is_no_duration() -> None:
    for text in ("1" * 1_000_000, "1s" * 500_000):
        with pytest.raises(ValueError, match="is not a duration"):
            Duration.parse(text)
