"""A memo by identity: for values that thousands of streams share, and that are costly to hash or compare."""

from typing import Final, Generic, TypeVar

ValueT = TypeVar("ValueT")


class IdentityMemo(Generic[ValueT]):
    """What was computed from one or two objects, as long as they are the very same objects.

    It keeps the objects alive, so that no other takes their identity; and it starts anew when it is full.
    """

    __slots__ = ("_kept", "_size")

    def __init__(self, size: int) -> None:
        self._size: Final = size
        self._kept: dict[tuple[int, int], tuple[object, object, ValueT]] = {}

    def get(self, one: object, other: object = None) -> ValueT | None:
        """What was put for these objects."""
        kept = self._kept.get((id(one), id(other)))
        return None if kept is None else kept[2]

    def put(self, value: ValueT, one: object, other: object = None) -> ValueT:
        """Keep a value for these objects, and return it."""
        if len(self._kept) >= self._size:
            self._kept.clear()
        self._kept[id(one), id(other)] = (one, other, value)
        return value
