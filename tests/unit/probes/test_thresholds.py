"""Results in a row, and the status that they make."""

import pytest

from xdsmesh.model.checks import Health, Probe
from xdsmesh.probes.thresholds import Streak, verdict

WORDS = {"p": Health.PASSING, "w": Health.WARNING, "c": Health.CRITICAL, "-": None}
LETTERS = {health: letter for letter, health in WORDS.items()}


def statuses(results: str, probe: Probe) -> str:
    """What the status becomes after each result; ``-`` is no change."""
    streak = Streak()
    said = ""
    for letter in results:
        result = WORDS[letter]
        assert result
        streak = streak.after(result)
        said += LETTERS[verdict(result, streak, probe)]
    return said


@pytest.mark.parametrize(
    ("probe", "results", "expected"),
    [
        (Probe(), "cpwcp", "cpwcp"),
        (Probe(success_before_passing=1, failures_before_critical=1), "cpc", "cpc"),
        (Probe(success_before_passing=3), "pppcppcppp", "--pc--c--p"),
        (Probe(success_before_passing=2), "wp", "-p"),
        (Probe(failures_before_critical=3), "cccpcc", "--cp--"),
        (Probe(failures_before_warning=2, failures_before_critical=4), "ccccc", "-wwcc"),
        (Probe(failures_before_warning=1, failures_before_critical=2), "cpcc", "wpwc"),
    ],
)
def test_results_change_the_status_when_enough_come_in_a_row(
    probe: Probe, results: str, expected: str
) -> None:
    assert statuses(results, probe) == expected
