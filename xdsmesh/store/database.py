"""The store's SQLite file: opening it safely, reading it whole, and writing revisions durably.

Blocking; a database is used from one thread. Pragmas: https://www.sqlite.org/pragma.html.
With WAL and ``synchronous=FULL`` a transaction that has returned survives a loss of power
(https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec

from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.model.origin import Origin
from xdsmesh.store.base import Change, Record, Revision

FORMAT: Final = 3
"""The format that is written; it is the file's ``user_version``."""

_APPLICATION: Final = int.from_bytes(b"xdsm")
_LOCK_WAIT: Final = 1.0
"""Seconds to wait for another process that is just stopping."""

_ACCESS: Final = "give the server a data folder that it may write to"
_NOT_OURS: Final = "give the server another data folder, or move this file away"
_DAMAGED: Final = "the store is damaged"
_RESTORE: Final = "restore it from a copy, or give the server an empty data folder"
_BUSY: Final = "two servers can't share a data folder: stop the other one, or give this one another folder"
_NEWER: Final = (
    "start the release of xdsmesh that wrote it, or a later one; or give the server another data folder"
)

_SCHEMA: Final = f"""
BEGIN;
CREATE TABLE record (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, origin TEXT NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE revision (number INTEGER PRIMARY KEY, origin TEXT NOT NULL);
-- A deletion has no value, no origin, and no revision of creation.
CREATE TABLE change (
    revision INTEGER NOT NULL, key TEXT NOT NULL, value BLOB, origin TEXT, created INTEGER,
    PRIMARY KEY (revision, key)
) WITHOUT ROWID;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {FORMAT};
COMMIT;
"""

_EMPTY: Final = """
UPDATE change SET value = x'' WHERE key = ? AND value IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM record WHERE record.key = change.key AND record.modified = change.revision
)
"""


class Database:
    """An open file that no other process can open."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it, readable by its owner only, with its folder.

        Raises:
            RefusedError: it is in use, of a newer format, not ours, damaged, or can't be reached.
        """
        self._path = path
        try:
            _make_private(path)
            self._connection = _connect(path)
        except OSError as error:
            raise _refused(path, f"the store can't be opened: {error.strerror}", _ACCESS) from error
        except sqlite3.Error as error:
            raise _refused(path, *_explain(error)) from error

    def load(self) -> tuple[tuple[Record, ...], tuple[Revision, ...]]:
        """All current records, and the kept revisions in order.

        Raises:
            RefusedError: the file is damaged.
        """
        try:
            records = {record.key: record for record in self._records()}
            return tuple(records.values()), tuple(self._revisions(records))
        except sqlite3.Error as error:
            raise _refused(self._path, *_explain(error)) from error
        except msgspec.MsgspecError as error:
            raise _refused(self._path, f"{_DAMAGED}: {error}", _RESTORE) from error

    def write(self, revisions: Sequence[Revision], oldest: int) -> None:
        """Store revisions in one transaction, durable on return, and forget those before ``oldest``.

        Raises:
            sqlite3.Error: nothing was stored.
        """
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            _insert(connection, revisions)
            connection.execute("DELETE FROM change WHERE revision < ?", (oldest,))
            connection.execute("DELETE FROM revision WHERE number < ?", (oldest,))

    def erase(self, key: str) -> None:
        """Empty what earlier revisions hold under a key, and write the file anew: no page keeps it.

        Raises:
            sqlite3.Error: it was not done, or not to the end; it can be done again.
        """
        connection = self._connection
        connection.execute("PRAGMA secure_delete = ON")
        with connection:
            connection.execute(_EMPTY, (key,))
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA secure_delete = OFF")

    def close(self) -> None:
        """Fold the WAL into the file, and let go of it."""
        self._connection.close()

    def _records(self) -> Iterator[Record]:
        rows = self._connection.execute("SELECT key, value, origin, created, modified FROM record")
        for key, value, origin, created, modified in rows:
            yield Record(key, value, _decode(origin), created, modified)

    def _revisions(self, records: Mapping[str, Record]) -> Iterator[Revision]:
        rows = self._connection.execute(
            "SELECT number, r.origin, key, value, c.origin, created"
            " FROM revision r JOIN change c ON c.revision = number ORDER BY number, key"
        )
        for (number, origin), group in groupby(rows, itemgetter(0, 1)):
            changes = tuple([_change(number, records, *row) for _, _, *row in group])
            yield Revision(number, _decode(origin), changes)


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_LOCK_WAIT, isolation_level=None)
    try:
        # In this mode the lock of the first transaction is kept until the connection is closed.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        is_new = _check_format(connection, path)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if is_new:
            connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_format(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is still empty; one that we can't use is refused, and left as it is."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if not tables:
        return True
    if application != _APPLICATION:
        raise _refused(path, "this is another program's database", _NOT_OURS)
    if found > FORMAT:
        what = f"the store has format {found}, and this release of xdsmesh knows formats up to {FORMAT}"
        raise _refused(path, what, _NEWER)
    # The tables are those of format 1; what stands in them is brought up to date by the catalog, and the
    # keys that were plain before format 3 are sealed by the authority.
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    return False


def _explain(error: sqlite3.Error) -> tuple[str, str]:
    code = error.sqlite_errorcode & 0xFF  # the primary one: https://www.sqlite.org/rescode.html
    if code == sqlite3.SQLITE_BUSY:
        return "another process is using this store", _BUSY
    if code == sqlite3.SQLITE_NOTADB:
        return "this is not a database", _NOT_OURS
    if code == sqlite3.SQLITE_CORRUPT:
        return f"{_DAMAGED}: {error}", _RESTORE
    return f"the store can't be opened: {error}", _ACCESS


def _refused(path: Path, what: str, remedy: str) -> RefusedError:
    return RefusedError(Problem(Place(source=str(path)), what, remedy, code=Code.STORE_UNUSABLE))


def _insert(connection: sqlite3.Connection, revisions: Sequence[Revision]) -> None:
    """Many rows with each statement, and of each record only what it is in the end."""
    numbers = [(each.number, _encode(each.origin)) for each in revisions]
    connection.executemany("INSERT INTO revision VALUES (?, ?)", numbers)
    changes = [_row(each.number, change) for each in revisions for change in each.changes]
    connection.executemany("INSERT INTO change VALUES (?, ?, ?, ?, ?)", changes)
    last = {change.key: change.record for each in revisions for change in each.changes}
    gone = [(key,) for key, record in last.items() if record is None]
    connection.executemany("DELETE FROM record WHERE key = ?", gone)
    there = [
        (each.key, each.value, _encode(each.origin), each.created, each.modified)
        for each in last.values()
        if each
    ]
    connection.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)", there)


def _row(number: int, change: Change) -> tuple[int, str, bytes | None, str | None, int | None]:
    record = change.record
    if record is None:
        return number, change.key, None, None, None
    return number, change.key, record.value, _encode(record.origin), record.created


def _change(number: int, records: Mapping[str, Record], key: str, value: bytes | None, *rest: Any) -> Change:
    if value is None:
        return Change(key, None)
    current = records.get(key)
    if current and current.modified == number:
        return Change(key, current)  # one copy in memory
    origin, created = rest
    return Change(key, Record(key, value, _decode(origin), created, number))


def _encode(origin: Origin) -> str:
    return msgspec.json.encode(origin).decode()


def _decode(origin: str) -> Origin:
    return msgspec.json.decode(origin, type=Origin)
