"""What is written of what a check says."""

from xdsmesh.model.checks import CheckStatus, Health
from xdsmesh.probes.standing import Standing, Urgency

UP = CheckStatus(Health.PASSING, "up")
STILL_UP = CheckStatus(Health.PASSING, "still up")
DOWN = CheckStatus(Health.CRITICAL, "down")


def test_a_changed_status_is_written_now_and_changed_output_later() -> None:
    standing = Standing(UP)

    assert standing.hear(UP) is Urgency.NOT
    assert standing.send() is None
    assert standing.hear(STILL_UP) is Urgency.LATER
    assert standing.hear(DOWN) is Urgency.NOW
    assert standing.send() == DOWN


def test_what_is_written_is_not_written_again() -> None:
    standing = Standing(UP)
    standing.hear(DOWN)
    standing.send()

    assert standing.hear(DOWN) is Urgency.NOT
    assert standing.send() is None
    shown_meanwhile = standing.heard
    standing.store(DOWN)
    assert (shown_meanwhile, standing.heard) == (DOWN, None)
    assert standing.hear(DOWN) is Urgency.NOT


def test_a_change_back_while_a_report_is_under_way_is_written_too() -> None:
    standing = Standing(UP)
    standing.hear(DOWN)
    standing.send()

    assert standing.hear(UP) is Urgency.NOW
    standing.store(DOWN)
    assert standing.send() == UP


def test_what_could_not_be_written_is_due_again() -> None:
    standing = Standing(UP)
    standing.hear(DOWN)
    standing.send()
    standing.fail()

    assert standing.hear(DOWN) is Urgency.NOW
    assert standing.send() == DOWN


def test_what_somebody_else_writes_is_newer_and_the_next_result_overrules_it() -> None:
    standing = Standing(UP)
    standing.hear(STILL_UP)
    standing.store(DOWN)

    assert (standing.heard, standing.send()) == (None, None)
    assert standing.hear(STILL_UP) is Urgency.NOW


def test_a_fact_that_repeats_what_was_stored_leaves_what_was_heard() -> None:
    standing = Standing(UP)
    standing.hear(STILL_UP)
    standing.store(UP)

    assert standing.heard == STILL_UP


def test_a_report_and_a_strangers_word_in_one_fact_leave_the_strangers_word() -> None:
    standing = Standing(UP)
    standing.hear(DOWN)
    standing.send()
    standing.store(STILL_UP)  # the report was overwritten at once

    assert standing.hear(DOWN) is Urgency.NOW
