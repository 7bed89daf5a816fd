"""What the embedded store promises beyond the contract: its file."""

import asyncio
import contextlib
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from xdsmesh.model.errors import RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import CommitFailedError, Put, Revision, Txn
from xdsmesh.store.sqlite import SQLiteStore

API = Origin(Source.API, "127.0.0.1:40000")
FILE = Origin(Source.FILE, "mesh/web.hcl", 3, 7)


def put(key: str, value: bytes = b"v") -> Txn:
    return Txn(puts=(Put(key, value),))


async def take(count: int, watch: AsyncIterator[Revision]) -> list[Revision]:
    async with asyncio.timeout(10):
        return [await anext(watch) for _ in range(count)]


@contextlib.asynccontextmanager
async def opened(path: Path, keep: int = 1000) -> AsyncIterator[SQLiteStore]:
    store = await SQLiteStore.open(path, keep)
    try:
        yield store
    finally:
        await store.close()


async def refusal(path: Path) -> str:
    with pytest.raises(RefusedError) as error:
        await SQLiteStore.open(path)
    return str(error.value)


async def test_all_is_there_after_reopening(tmp_path: Path) -> None:
    async with opened(tmp_path / "db") as store:
        await store.commit(Txn(puts=(Put("a", b"1", FILE), Put("b", b"\x00\xff"))), API)
        await store.commit(put("a", b"2"), API)
        await store.commit(Txn(deletes=("b",), puts=(Put("c", b""),)), FILE)
        before = await store.list(""), await take(3, store.watch("", 0))

    async with opened(tmp_path / "db") as store:
        assert (await store.list(""), await take(3, store.watch("", 0))) == before
        assert await store.commit(put("d"), API) == 4


async def test_the_revision_is_kept_when_nothing_else_is_left(tmp_path: Path) -> None:
    async with opened(tmp_path / "db", keep=1) as store:
        await store.commit(put("a"), API)
        await store.commit(Txn(deletes=("a",)), API)
    async with opened(tmp_path / "db", keep=1) as store:
        assert await store.list("") == (2, ())


async def test_the_file_forgets_old_revisions_too(tmp_path: Path) -> None:
    async with opened(tmp_path / "db", keep=10) as store:
        await asyncio.gather(*(store.commit(put("a", b"%d" % index), API) for index in range(100)))
        await store.commit(put("a", b"last"), API)
    with contextlib.closing(sqlite3.connect(tmp_path / "db")) as file:
        assert file.execute("SELECT min(revision), max(revision) FROM change").fetchone() == (92, 101)
        assert file.execute("SELECT count(*) FROM revision").fetchone() == (10,)


async def test_what_was_erased_is_in_no_file_and_stays_erased(tmp_path: Path) -> None:
    async with opened(tmp_path / "db") as store:
        await store.commit(put("a", b"hunter2"), API)
        await store.commit(put("b", b"x" * 5000), API)
        await store.commit(put("a", b"new"), API)
        await store.erase("a")
        assert _files_with(b"hunter2", tmp_path) == []
        before = await take(3, store.watch("", 0))
    async with opened(tmp_path / "db") as store:
        assert await take(3, store.watch("", 0)) == before


def _files_with(content: bytes, folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if content in path.read_bytes()]


async def test_many_commits_share_a_transaction(sqlite_store: SQLiteStore) -> None:
    numbers = await asyncio.gather(*(sqlite_store.commit(put(f"k/{index}"), API) for index in range(200)))
    assert sorted(n for n in numbers if isinstance(n, int)) == list(range(1, 201))
    assert sqlite_store.transactions <= 5


async def test_a_commit_that_changes_nothing_writes_nothing(sqlite_store: SQLiteStore) -> None:
    await sqlite_store.commit(put("a"), API)
    await sqlite_store.commit(put("a"), API)
    assert sqlite_store.transactions == 1


WRITER = """
import asyncio, os, sys
from pathlib import Path
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Put, Txn
from xdsmesh.store.sqlite import SQLiteStore

async def write(store, writer):
    for count in range(1_000_000):
        key = f"{os.getpid()}/{writer}/{count}"
        number = await store.commit(Txn(puts=(Put(key, b"x" * 300),)), Origin(Source.API, key))
        print(number, key, flush=True)

async def main():
    store = await SQLiteStore.open(Path(sys.argv[1]))
    async with asyncio.TaskGroup() as tasks:
        for writer in range(8):
            tasks.create_task(write(store, writer))

asyncio.run(main())
"""


async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "db"
    for _ in range(2):  # the second round begins with what the first left behind
        acknowledged = await asyncio.to_thread(_write_until_killed, path)
        async with opened(path) as store:
            for number, key in acknowledged:
                record = await store.get(key)
                assert record
                assert (record.modified, record.origin.where) == (number, key)
            revision, records = await store.list("")
            assert revision >= max(number for number, _ in acknowledged)
            assert max(record.modified for record in records) == revision


def _write_until_killed(path: Path) -> list[tuple[int, str]]:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout
        lines = [child.stdout.readline() for _ in range(400)]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    whole = [line.decode().split() for line in lines if line.endswith(b"\n")]
    return [(int(number), key) for number, key in whole]


async def test_the_disk_is_waited_for(sqlite_store: SQLiteStore) -> None:
    def pragma(name: str) -> object:
        return sqlite_store._database._connection.execute(f"PRAGMA {name}").fetchone()[0]

    full = 2  # https://www.sqlite.org/pragma.html#pragma_synchronous
    modes = [sqlite_store._writer.submit(pragma, name).result() for name in ("journal_mode", "synchronous")]
    assert modes == ["wal", full]


async def test_a_full_disk_fails_the_commit_and_later_ones_go_on(tmp_path: Path) -> None:
    async with opened(tmp_path / "db") as store:
        await store.commit(put("a"), API)
        with _files_limited_to(1_000_000):
            commits = (store.commit(put(key, bytes(700_000)), API) for key in ("b", "c"))
            results = await asyncio.gather(*commits, return_exceptions=True)
        assert all(isinstance(result, CommitFailedError) for result in results)
        assert await store.get("b") is None
        assert await store.commit(put("d"), API) == 2
        before = await store.list("")
    async with opened(tmp_path / "db") as store:
        assert await store.list("") == before


@contextlib.contextmanager
def _files_limited_to(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_two_servers_cannot_share_the_file(tmp_path: Path, sqlite_store: SQLiteStore) -> None:
    path = tmp_path / "store.db"
    told = await refusal(path)
    assert told.startswith(f"{path}: XM0505 another process is using this store")
    assert "two servers can't share a data folder" in told
    assert await sqlite_store.commit(put("a"), API) == 1


async def test_the_file_is_free_once_its_server_was_killed(tmp_path: Path) -> None:
    await asyncio.to_thread(_write_until_killed, tmp_path / "db")
    async with opened(tmp_path / "db") as store:
        assert await store.list("none") == ((await store.list(""))[0], ())


async def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path / "db"):
        pass
    with contextlib.closing(sqlite3.connect(tmp_path / "db")) as file:
        file.execute("PRAGMA user_version = 9")
    before = (tmp_path / "db").read_bytes()

    told = await refusal(tmp_path / "db")
    assert "the store has format 9, and this release of xdsmesh knows formats up to 3" in told
    assert "start the release of xdsmesh that wrote it" in told
    assert (tmp_path / "db").read_bytes() == before


async def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "db")) as file:
        file.execute("CREATE TABLE record (key TEXT)")
    before = (tmp_path / "db").read_bytes()

    assert "this is another program's database (give the server another data folder" in await refusal(
        tmp_path / "db"
    )
    assert (tmp_path / "db").read_bytes() == before


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("dear diary, " * 100)
    assert f"{tmp_path / 'db'}: XM0505 this is not a database" in await refusal(tmp_path / "db")


async def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path / "db") as store:
        await asyncio.gather(*(store.commit(put(f"k/{index}", bytes(500)), API) for index in range(200)))
    whole = (tmp_path / "db").read_bytes()
    (tmp_path / "db").write_bytes(whole[:4096] + bytes(len(whole) - 4096))
    told = await refusal(tmp_path / "db")
    assert "the store is damaged" in told
    assert "restore it from a copy" in told


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = await refusal(tmp_path / "file" / "db")
    assert "give the server a data folder that it may write to" in told


async def test_only_the_owner_may_read_the_store(tmp_path: Path) -> None:
    async with opened(tmp_path / "data" / "db") as store:
        await store.commit(put("a"), API)
        modes = {path.name: _mode(path) for path in (tmp_path / "data").iterdir()}
    assert modes == {"db": 0o600, "db-wal": 0o600}
    assert _mode(tmp_path / "data") == 0o700


@pytest.fixture
def shared_folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o750)
    return tmp_path


async def test_a_folder_that_is_there_keeps_its_mode(shared_folder: Path) -> None:
    async with opened(shared_folder / "db"):
        assert _mode(shared_folder) == 0o750


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
