"""Incremental recomputation: cells that know what they read, and run again only when it changed.

A rule is a pure function of what it reads through its reader: facts, and the results of rules of a lower
rank. Every read is recorded, absences included. When facts change, cells that read them run again, rank by
rank; a result that equals the old one stops the wave there. What nobody reads any more is forgotten.
The idea is that of build systems and of Salsa (https://salsa-rs.github.io/salsa/overview.html).
"""

from __future__ import annotations

import heapq
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    from xdsmesh.model.facts import FactKey

P = ParamSpec("P")
T = TypeVar("T")


class Rule(Generic[P, T]):
    """A pure function and its rank. It reads facts and results of lower ranks only."""

    __slots__ = ("function", "name", "rank")

    def __init__(self, function: Callable[Concatenate[Reader, P], T], rank: int) -> None:
        self.function = function
        self.name = function.__name__
        self.rank = rank

    def __repr__(self) -> str:
        return f"Rule({self.name}, rank={self.rank})"


def rule(rank: int) -> Callable[[Callable[Concatenate[Reader, P], T]], Rule[P, T]]:
    """Make a rule of the decorated function."""

    def decorate(function: Callable[Concatenate[Reader, P], T]) -> Rule[P, T]:
        return Rule(function, rank)

    return decorate


class _Fact:
    """An input: a value or None, and the cells that read it."""

    __slots__ = ("key", "readers", "value")

    def __init__(self, key: FactKey, value: object | None) -> None:
        self.key = key
        self.value = value
        self.readers: set[_Cell] = set()


class _Cell:
    """The result of a rule for some arguments, what it read, and who reads it."""

    __slots__ = ("arguments", "holds", "readers", "reads", "rule", "value")

    def __init__(self, rule: Rule[Any, Any], arguments: tuple[Hashable, ...]) -> None:
        self.rule = rule
        self.arguments = arguments
        self.value: Any = None
        self.reads: tuple[_Fact | _Cell, ...] = ()  # there are many cells: a tuple is a third of a set
        self.readers: set[_Cell] = set()
        self.holds = 0

    @property
    def wanted(self) -> bool:
        return bool(self.readers or self.holds)


class Reader:
    """What a rule sees of the world while it runs; every read is remembered."""

    __slots__ = ("_find_cell", "_find_fact", "_rank", "reads")

    def __init__(
        self, rank: int, find_cell: Callable[..., _Cell], find_fact: Callable[[FactKey], _Fact]
    ) -> None:
        self._rank = rank
        self._find_cell = find_cell
        self._find_fact = find_fact
        self.reads: dict[_Fact | _Cell, None] = {}  # in the order of reading, each once

    def __call__(self, rule: Rule[P, T], *arguments: P.args, **_: P.kwargs) -> T:
        """The result of another rule.

        Raises:
            ValueError: the rule's rank is not lower than that of the rule which asks.
        """
        if rule.rank >= self._rank:
            raise ValueError(f"a rule of rank {self._rank} may not read {rule}: ranks must fall")
        cell = self._find_cell(rule, arguments)
        self.reads[cell] = None
        value: T = cell.value
        return value

    def fact(self, *key: str) -> Any:
        """The value of a fact, or None while there is none."""
        fact = self._find_fact(key)
        self.reads[fact] = None
        return fact.value


class Graph:
    """All facts, and the cells that somebody wants."""

    def __init__(self) -> None:
        self._facts: dict[FactKey, _Fact] = {}
        self._cells: dict[tuple[Rule[Any, Any], tuple[Hashable, ...]], _Cell] = {}
        self.work: Counter[str] = Counter()
        """How often each rule has run, by its name."""

    @property
    def size(self) -> int:
        """How many facts and results are kept."""
        return len(self._facts) + len(self._cells)

    def hold(self, rule: Rule[P, T], *arguments: P.args, **_: P.kwargs) -> T:
        """Want a result, and keep it up to date until it is released as often as it was held."""
        cell = self._cell(rule, arguments)
        cell.holds += 1
        value: T = cell.value
        return value

    def release(self, rule: Rule[P, T], *arguments: P.args, **_: P.kwargs) -> None:
        """Let go of a held result."""
        cell = self._cells[rule, arguments]
        cell.holds -= 1
        self._forget([cell])

    def peek(self, rule: Rule[P, T], *arguments: P.args, **_: P.kwargs) -> T:
        """A result as of now, without keeping it."""
        cell = self._cell(rule, arguments)
        value: T = cell.value
        self._forget([cell])
        return value

    def apply(
        self, facts: Mapping[FactKey, object | None]
    ) -> frozenset[tuple[Rule[Any, Any], tuple[Any, ...]]]:
        """Let facts change; the held results that are different now."""
        wave = _Wave()
        touched: list[_Fact | _Cell] = []
        for key, value in facts.items():
            fact = self._fact(key)
            touched.append(fact)
            if fact.value != value:
                fact.value = value
                wave.add(fact.readers)
        changed: set[tuple[Rule[Any, Any], tuple[Any, ...]]] = set()
        for cell in wave:
            old_value = cell.value
            touched.extend(self._run(cell))
            if cell.value == old_value:
                cell.value = old_value  # equal values keep their identity, so that readers can compare by it
                continue
            wave.add(cell.readers)
            if cell.holds:
                changed.add((cell.rule, cell.arguments))
        self._forget(touched)
        return frozenset(changed)

    def facts_behind(self, rule: Rule[P, T], *arguments: P.args, **_: P.kwargs) -> frozenset[FactKey]:
        """The facts that exist and that a result was made from, directly or through other results."""
        root = self._cell(rule, arguments)
        seen: set[_Fact | _Cell] = {root}
        stack: list[_Fact | _Cell] = [root]
        while stack:
            node = stack.pop()
            if isinstance(node, _Cell):
                stack.extend(source for source in node.reads if source not in seen)
                seen.update(node.reads)
        self._forget([root])
        return frozenset(node.key for node in seen if isinstance(node, _Fact) and node.value is not None)

    def _fact(self, key: FactKey) -> _Fact:
        fact = self._facts.get(key)
        if fact is None:
            fact = self._facts[key] = _Fact(key, None)
        return fact

    def _cell(self, rule: Rule[Any, Any], arguments: tuple[Hashable, ...]) -> _Cell:
        cell = self._cells.get((rule, arguments))
        if cell is None:
            cell = _Cell(rule, arguments)
            self._run(cell)
            self._cells[rule, arguments] = cell
        return cell

    def _run(self, cell: _Cell) -> Iterable[_Fact | _Cell]:
        """Run a cell's rule; what it does not read any more."""
        reader = Reader(cell.rule.rank, self._cell, self._fact)
        self.work[cell.rule.name] += 1
        cell.value = cell.rule.function(reader, *cell.arguments)
        reads = tuple(reader.reads)
        if reads == cell.reads:
            return ()
        dropped = [source for source in cell.reads if source not in reader.reads]
        for source in dropped:
            source.readers.discard(cell)
        for source in reads:
            source.readers.add(cell)
        cell.reads = reads
        return dropped

    def _forget(self, nodes: Iterable[_Fact | _Cell]) -> None:
        """Drop what nobody wants: cells without readers, absent facts without readers."""
        stack = list(nodes)
        while stack:
            node = stack.pop()
            if isinstance(node, _Fact):
                if node.value is None and not node.readers:
                    self._facts.pop(node.key, None)
            elif not node.wanted and self._cells.pop((node.rule, node.arguments), None) is not None:
                for source in node.reads:
                    source.readers.discard(node)
                stack.extend(node.reads)


class _Wave:
    """Cells to run again, each once, lowest rank first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, _Cell]] = []
        self._waiting: set[_Cell] = set()
        self._order = count()

    def add(self, cells: Iterable[_Cell]) -> None:
        for cell in cells:
            if cell not in self._waiting:
                self._waiting.add(cell)
                heapq.heappush(self._heap, (cell.rule.rank, next(self._order), cell))

    def __iter__(self) -> Iterator[_Cell]:
        while self._heap:
            cell = heapq.heappop(self._heap)[2]
            self._waiting.discard(cell)
            yield cell
