"""How soon a check is probed again."""

import pytest

from xdsmesh.model.checks import Health
from xdsmesh.probes.pace import Pace

PASSES, FAILS = Health.PASSING, Health.CRITICAL


def waits(interval: float, status: Health, *results: Health) -> list[float]:
    pace = Pace.begin(interval, status)
    waited = []
    for result in results:
        wait, pace = pace.after(result)
        waited.append(wait)
    return waited


def test_what_has_never_passed_is_tried_quickly_up_to_its_interval() -> None:
    assert waits(1, FAILS, *[FAILS] * 6) == pytest.approx([0.1, 0.2, 0.4, 0.8, 1, 1])


def test_once_it_has_passed_the_interval_holds() -> None:
    assert waits(10, FAILS, FAILS, PASSES, FAILS, FAILS) == pytest.approx([0.1, 10, 10, 10])
    assert waits(10, PASSES, FAILS, FAILS) == [10, 10]


def test_no_retry_is_later_than_the_interval() -> None:
    assert waits(0.05, FAILS, FAILS, FAILS) == [0.05, 0.05]


def test_who_learnt_nothing_asks_again_within_a_second_unless_thousands_do() -> None:
    assert Pace(10).without_result() == Pace(10).without_result(900) == 1
    assert Pace(0.5).without_result() == 0.5
    assert Pace(10).without_result(5000) == 5
    assert Pace(10).without_result(50000) == 10
