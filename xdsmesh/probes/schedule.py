"""What is due when: many keys, one heap."""

import heapq
from collections.abc import Iterator
from typing import Final

_TIDY: Final = 64
"""Entries of keys that are due no more, or at another moment, are cleared away when they are so many."""


class Schedule:
    """The moment at which each key is due, in seconds of any one clock.

    Moving a key to later is cheap and takes no memory: its entry in the heap is looked at again when its
    old moment comes.
    """

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._entry: dict[str, float] = {}  # the earliest entry of a key in the heap
        self._heap: list[tuple[float, str]] = []

    def __contains__(self, key: str) -> bool:
        return key in self._due

    @property
    def next(self) -> float | None:
        """Nothing is due before; None: nothing at all."""
        return self._heap[0][0] if self._heap else None

    def set(self, key: str, when: float) -> None:
        """Make a key due at a moment, instead of any earlier word about it."""
        self._due[key] = when
        self._enter(key, when)

    def remove(self, key: str) -> None:
        """Forget a key, if it is there."""
        self._due.pop(key, None)

    def pop(self, now: float) -> Iterator[str]:
        """Take out the keys that are due, earliest first."""
        while self._heap and self._heap[0][0] <= now:
            when, key = heapq.heappop(self._heap)
            if self._entry.get(key) != when:
                continue
            del self._entry[key]
            due = self._due.get(key)
            if due is None:
                continue
            if due > now:
                self._enter(key, due)
                continue
            del self._due[key]
            yield key

    def _enter(self, key: str, when: float) -> None:
        if when < self._entry.get(key, float("inf")):
            self._entry[key] = when
            heapq.heappush(self._heap, (when, key))
        if len(self._heap) > 2 * len(self._due) + _TIDY:
            self._entry = dict(self._due)
            self._heap = [(when, key) for key, when in self._due.items()]
            heapq.heapify(self._heap)
