"""The graph runs what a change affects, and nothing else."""

import pytest

from xdsmesh.index.graph import Graph, Reader, rule


@rule(rank=0)
def doubled(read: Reader, name: str) -> int:
    return 2 * (read.fact("number", name) or 0)


@rule(rank=0)
def parity(read: Reader, name: str) -> bool:
    return bool((read.fact("number", name) or 0) % 2)


@rule(rank=1)
def parities(read: Reader, *names: str) -> tuple[bool, ...]:
    return tuple(read(parity, name) for name in names)


@rule(rank=1)
def chosen(read: Reader) -> int:
    return read(doubled, read.fact("choice") or "a")


def test_a_change_runs_the_rules_that_read_it_and_no_other() -> None:
    graph = Graph()
    graph.hold(doubled, "a")
    graph.hold(doubled, "b")
    graph.work.clear()

    changed = graph.apply({("number", "a"): 4})

    assert changed == {(doubled, ("a",))}
    assert graph.work == {"doubled": 1}
    assert graph.peek(doubled, "a") == 8


def test_an_equal_value_runs_nothing() -> None:
    graph = Graph()
    graph.apply({("number", "a"): 4})
    graph.hold(doubled, "a")
    graph.work.clear()

    assert graph.apply({("number", "a"): 4}) == frozenset()
    assert not graph.work


def test_an_equal_result_stops_the_wave_and_keeps_its_identity() -> None:
    graph = Graph()
    before = graph.hold(parities, "a", "b")
    graph.work.clear()

    assert graph.apply({("number", "a"): 2}) == frozenset()
    assert graph.work == {"parity": 1}
    assert graph.peek(parities, "a", "b") is before


def test_one_wave_runs_a_rule_once_however_many_of_its_reads_changed() -> None:
    graph = Graph()
    graph.hold(parities, "a", "b", "c")
    graph.work.clear()

    graph.apply({("number", "a"): 1, ("number", "b"): 1, ("number", "c"): 1})

    assert graph.work == {"parity": 3, "parities": 1}
    assert graph.peek(parities, "a", "b", "c") == (True, True, True)


def test_an_absence_that_was_read_wakes_the_reader_when_it_ends() -> None:
    graph = Graph()
    assert graph.hold(doubled, "later") == 0
    graph.apply({("number", "later"): 21})
    assert graph.peek(doubled, "later") == 42


def test_reads_follow_the_last_run() -> None:
    graph = Graph()
    graph.apply({("number", "a"): 1, ("number", "b"): 2})
    assert graph.hold(chosen) == 2
    graph.apply({("choice",): "b"})
    assert graph.peek(chosen) == 4
    graph.work.clear()

    graph.apply({("number", "a"): 100})

    assert not graph.work
    assert graph.peek(chosen) == 4


def test_what_nobody_holds_is_forgotten() -> None:
    graph = Graph()
    graph.apply({("number", "a"): 1})
    graph.hold(parities, "a")
    graph.hold(parities, "a")
    graph.release(parities, "a")
    graph.work.clear()
    graph.apply({("number", "a"): 2})
    assert graph.work == {"parity": 1, "parities": 1}

    graph.release(parities, "a")
    graph.apply({("number", "a"): None})

    assert graph.size == 0


def test_a_fact_that_goes_together_with_its_only_reader_is_forgotten_once() -> None:
    @rule(rank=0)
    def total(read: Reader) -> int:
        return sum(read.fact("number", name) for name in read.fact("names") or ())

    graph = Graph()
    graph.apply({("names",): ("a",), ("number", "a"): 1})
    assert graph.hold(total) == 1
    graph.apply({("names",): None, ("number", "a"): None})
    assert graph.peek(total) == 0


def test_a_rule_may_not_read_one_of_its_own_rank() -> None:
    @rule(rank=0)
    def upwards(read: Reader) -> int:
        return read(doubled, "a")

    with pytest.raises(ValueError, match="ranks must fall"):
        Graph().peek(upwards)


def test_the_facts_behind_a_result_are_those_that_exist_and_were_read() -> None:
    graph = Graph()
    graph.apply({("number", "a"): 1, ("number", "c"): 1})
    assert graph.facts_behind(parities, "a", "b") == {("number", "a")}
    assert graph.facts_behind(chosen) == {("number", "a")}
