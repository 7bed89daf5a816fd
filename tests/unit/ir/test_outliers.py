"""When endpoints in other datacenters are left out."""

from dataclasses import replace

import pytest

from xdsmesh.ir.outliers import across_datacenters
from xdsmesh.ir.types import OutlierDetection
from xdsmesh.model.duration import Duration

FIVE, LONG = Duration.of(seconds=5), Duration.of(seconds=60)


@pytest.mark.parametrize("has_next", [False, True])
def test_the_first_connection_that_fails_leaves_an_endpoint_out_for_a_while(has_next: bool) -> None:  # noqa: FBT001 - a case
    found = across_datacenters(OutlierDetection(), has_next=has_next)
    assert (found.unreachable, found.base_ejection_time, found.max_ejection_time) == (1, FIVE, FIVE)


def test_the_last_ones_are_never_all_left_out() -> None:
    with_next = across_datacenters(OutlierDetection(), has_next=True)
    last = across_datacenters(OutlierDetection(), has_next=False)
    assert (with_next.max_ejection_percent, with_next.at_least_one) == (100, True)
    assert (last.max_ejection_percent, last.at_least_one) == (50, False)


def test_errors_of_the_application_do_not_count_unless_that_was_asked_for() -> None:
    asked = OutlierDetection(consecutive_5xx=3)
    assert across_datacenters(OutlierDetection(), has_next=True).enforcing_consecutive_5xx == 0
    assert across_datacenters(asked, has_next=True).enforcing_consecutive_5xx is None


def test_what_callers_want_wins() -> None:
    said = OutlierDetection(LONG, 3, 40, 10, LONG, at_least_one=True)
    found = across_datacenters(said, has_next=False)
    assert found == replace(said, unreachable=1, max_ejection_time=LONG)
