"""What is due when."""

from xdsmesh.probes.schedule import Schedule


def test_what_is_due_comes_out_once_and_earliest_first() -> None:
    schedule = Schedule()
    schedule.set("late", 30)
    schedule.set("second", 2)
    schedule.set("first", 1)

    assert schedule.next == 1
    assert list(schedule.pop(2)) == ["first", "second"]
    assert list(schedule.pop(2)) == []
    assert schedule.next == 30


def test_the_last_word_about_a_key_counts() -> None:
    schedule = Schedule()
    schedule.set("later", 1)
    schedule.set("later", 5)
    schedule.set("sooner", 5)
    schedule.set("sooner", 1)
    schedule.set("gone", 1)
    schedule.remove("gone")

    assert list(schedule.pop(1)) == ["sooner"]
    assert ("later" in schedule, "sooner" in schedule, "gone" in schedule) == (True, False, False)
    assert list(schedule.pop(5)) == ["later"]
    assert schedule.next is None


def test_a_key_that_comes_back_is_due_once() -> None:
    schedule = Schedule()
    schedule.set("web", 2)
    schedule.remove("web")
    schedule.set("web", 3)

    assert list(schedule.pop(2)) == []
    assert list(schedule.pop(3)) == ["web"]
    assert list(schedule.pop(9)) == []


def test_putting_off_takes_no_memory() -> None:
    schedule = Schedule()
    for moment in range(1000):
        schedule.set("web", 10 + moment)

    assert len(schedule._heap) == 1
    assert list(schedule.pop(1008)) == []
    assert list(schedule.pop(1009)) == ["web"]


def test_what_was_due_in_a_distant_future_and_is_not_any_more_takes_no_memory() -> None:
    schedule = Schedule()
    schedule.set("kept", 5000)
    for number in range(1000):
        schedule.set(f"web-{number}", 1_000_000)
        schedule.remove(f"web-{number}")

    assert len(schedule._heap) < 100
    assert len(schedule._entry) < 100
    assert list(schedule.pop(4999)) == []
    assert list(schedule.pop(5000)) == ["kept"]
