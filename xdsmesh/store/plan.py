"""What transactions come to on top of given records: conflicts, and revisions not yet made durable."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from xdsmesh.model.origin import Origin
from xdsmesh.store.base import Change, Conflict, Record, Revision, Txn


@dataclass(frozen=True, slots=True)
class Commit:
    """A transaction and who asks for it.

    Raises:
        ValueError: a key occurs twice among puts and deletes, or a text is not Unicode.
    """

    txn: Txn
    origin: Origin

    def __post_init__(self) -> None:
        written = [*(put.key for put in self.txn.puts), *self.txn.deletes]
        if len(set(written)) < len(written):
            raise ValueError("a key occurs twice among the puts and deletes of a transaction")
        places = [put.origin.where for put in self.txn.puts if put.origin]
        for text in (*written, *places, self.origin.where):
            text.encode()


@dataclass(frozen=True, slots=True)
class Plan:
    """The outcome of each commit, and the revisions that they make together."""

    outcomes: tuple[int | Conflict, ...]
    revisions: tuple[Revision, ...]


def plan_commits(records: Mapping[str, Record], revision: int, commits: Iterable[Commit]) -> Plan:
    """Work out commits one after the other, each on what those before it leave."""
    draft = _Draft(records, revision)
    outcomes = tuple([draft.add(commit) for commit in commits])
    return Plan(outcomes, tuple(draft.revisions))


class _Draft:
    """The records as they will be once the revisions so far are stored."""

    def __init__(self, records: Mapping[str, Record], revision: int) -> None:
        self.revisions: list[Revision] = []
        self._records = records
        self._revision = revision
        self._changed: dict[str, Record | None] = {}

    def add(self, commit: Commit) -> int | Conflict:
        for expect in commit.txn.expects:
            record = self._get(expect.key)
            actual = record.modified if record else 0
            if actual != expect.modified:
                return Conflict(expect.key, expect.modified, actual)
        if changes := sorted(self._changes(commit), key=lambda change: change.key):
            self._revision += 1
            self.revisions.append(Revision(self._revision, commit.origin, tuple(changes)))
            self._changed.update((change.key, change.record) for change in changes)
        return self._revision

    def _get(self, key: str) -> Record | None:
        return self._changed[key] if key in self._changed else self._records.get(key)

    def _changes(self, commit: Commit) -> Iterator[Change]:
        number = self._revision + 1
        for put in commit.txn.puts:
            old = self._get(put.key)
            origin = put.origin or commit.origin
            if old is None or (old.value, old.origin) != (put.value, origin):
                created = old.created if old else number
                yield Change(put.key, Record(put.key, put.value, origin, created, number))
        for key in commit.txn.deletes:
            if self._get(key):
                yield Change(key, None)
