"""The store's contract: keyed bytes, one total order of revisions, compare-and-set, watches.

The contract is etcd's published one (https://etcd.io/docs/v3.5/learning/api_guarantees/): a commit is
durable when it returns, a revision is seen whole or not at all, a watch sees every revision in order
and without gaps. Lag is allowed.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from xdsmesh.model.origin import Origin


@dataclass(frozen=True, slots=True)
class Record:
    """A stored value: who wrote it, and the revisions of its creation and its last change."""

    key: str
    value: bytes = field(repr=False)  # it may hold a private key
    origin: Origin
    created: int
    modified: int


@dataclass(frozen=True, slots=True)
class Put:
    """A value to store. Without an origin of its own it takes that of the commit."""

    key: str
    value: bytes = field(repr=False)
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """A key must have been last modified at this revision; 0 means that it must be absent."""

    key: str
    modified: int


@dataclass(frozen=True, slots=True)
class Txn:
    """Changes that happen together or not at all. A key occurs at most once among puts and deletes."""

    puts: tuple[Put, ...] = ()
    deletes: tuple[str, ...] = ()
    expects: tuple[Expect, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a revision did to a key: the new record, or None for a deletion."""

    key: str
    record: Record | None


@dataclass(frozen=True, slots=True)
class Revision:
    """One commit, whole: its number, who made it, and its changes sorted by key."""

    number: int
    origin: Origin
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """An expectation that did not hold; nothing has changed."""

    key: str
    expected: int
    actual: int


class CompactedError(Exception):
    """The revisions after the one asked for are no longer kept: list again, and watch from there."""

    def __init__(self, after: int, oldest: int) -> None:
        super().__init__(f"revisions after {after} are gone; the oldest kept is {oldest}")
        self.after = after
        self.oldest = oldest


class CommitFailedError(Exception):
    """A transaction could not be made durable, and nothing of it is visible.

    If the server crashes before the next successful commit, the transaction may turn up after all.
    """


class StoreClosedError(Exception):
    """The store was closed before it was asked."""

    def __init__(self) -> None:
        super().__init__("the store is closed")


class Store(Protocol):
    """What every store does. Revisions count from 1; an empty store is at revision 0."""

    async def get(self, key: str) -> Record | None:
        """The record of a key, or None."""

    async def list(self, prefix: str) -> tuple[int, tuple[Record, ...]]:
        """The current revision, and at it the records whose keys start so, sorted by key."""

    async def commit(self, txn: Txn, origin: Origin) -> int | Conflict:
        """Apply a transaction durably; its revision, or the first expectation that failed.

        A put of the bytes and origin that are already there, and a deletion of what is absent, change
        nothing; a transaction that changes nothing makes no revision and returns the current one.

        Raises:
            CommitFailedError: the disk did not take it.
            ValueError: a key occurs twice among puts and deletes, or a text is not Unicode.
        """

    def watch(self, prefix: str, after: int) -> AsyncIterator[Revision]:
        """Yield every later revision that touches the prefix, with its changes under the prefix only.

        Raises:
            CompactedError: at the first step, when revisions after ``after`` are no longer kept; or
                later, to a watcher so slow that what it should see next is no longer kept.
        """

    async def erase(self, key: str) -> None:
        """Leave no copy of what a key held before, neither in earlier revisions nor in files.

        Earlier revisions then have empty values for it; what it holds now stays.

        Raises:
            CommitFailedError: the disk did not take it; nothing has changed.
        """

    async def close(self) -> None:
        """Finish what is under way and release files; watches end."""
