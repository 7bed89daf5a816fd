"""Private keys in the data folder: sealed on a fresh start, after an upgrade, and after kill -9."""

import asyncio
import base64
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from xdsmesh.ca.certificates import create_root, to_pem
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.key_file import read_key_file
from xdsmesh.ca.keys import PrivateKey, generate, key_pem
from xdsmesh.ca.stored import ROOT_KEYS
from xdsmesh.model.trust import P256
from xdsmesh.store.sqlite import SQLiteStore

Start = Callable[..., Any]

TRUST_DOMAIN = "0a1b2c3d-1111-2222-3333-444455556666.consul"
ROOTS = "/v1/connect/ca/roots"
KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(32)).decode()

WRITE_OLD = """
import asyncio, json, os, signal, sqlite3, sys
from pathlib import Path
from xdsmesh.ca.stored import ORIGIN
from xdsmesh.store.base import Put, Txn
from xdsmesh.store.sqlite import SQLiteStore

async def main(path, trust_domain, certificate, key):
    store = await SQLiteStore.open(path)
    root = json.dumps({"certificate_pem": certificate, "key_pem": key}).encode()
    await store.commit(Txn((Put("ca/trust-domain", trust_domain.encode()), Put("ca/root", root))), ORIGIN)
    for turn in range(30):  # pages are split and move
        puts = tuple(Put(f"{prefix}/{turn}/{n}", os.urandom(900)) for prefix in "az" for n in range(20))
        await store.commit(Txn(puts), ORIGIN)
        await store.commit(Txn(deletes=tuple(put.key for put in puts[::3])), ORIGIN)
    store._writer.submit(store._database._connection.execute, "PRAGMA user_version = 2").result()
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
"""

OPEN_UNTIL = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.key_file import own_key_file
from xdsmesh.store.sqlite import SQLiteStore

STEPS = ("BEGIN", "COMMIT", "UPDATE change", "VACUUM", "PRAGMA")

async def main(folder, left):
    store = await SQLiteStore.open(folder / "state.db")

    def traced(statement):
        nonlocal left
        if statement.strip().startswith(STEPS):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    store._writer.submit(store._database._connection.set_trace_callback, traced).result()
    await Issuer.open(store, None, lambda: datetime.now(UTC), own_key_file(folder, has_sealed=False))
    await store.close()

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


def run(script: str, *arguments: str) -> int:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, timeout=60, check=False).returncode


class OldStore:
    """A data folder of the last release, whose server was killed: what it wrote is partly in the WAL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = generate(P256)
        root = create_root(TRUST_DOMAIN, self.key, datetime.now(UTC), timedelta(days=3650))
        self.root_pem = to_pem(root)
        folder.mkdir()
        arguments = (str(folder / "state.db"), TRUST_DOMAIN, self.root_pem, key_pem(self.key))
        assert run(WRITE_OLD, *arguments) == -signal.SIGKILL
        assert leaks(folder, self.key), "the test would find a key"


def leaks(folder: Path, *keys: PrivateKey) -> list[str]:
    """Where in a data folder a private key is readable."""
    return [
        f"{path.name}: {needle[:30]!r}"
        for path in folder.iterdir()
        for needle in _needles(keys)
        if needle in path.read_bytes()
    ]


def _needles(keys: tuple[PrivateKey, ...]) -> Iterator[bytes]:
    yield b"PRIVATE KEY"
    for key in keys:
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        yield key.private_numbers().private_value.to_bytes(32)
        pem = key_pem(key)
        yield base64.b64decode("".join(pem.splitlines()[1:-1]))
        yield from (line.encode() for line in pem.splitlines()[1:-1])


async def keys_in(folder: Path) -> list[PrivateKey]:
    """All private keys that the store has, opened."""
    sealer = read_key_file(folder / "encryption.key")
    store = await SQLiteStore.open(folder / "state.db")
    issuer = await Issuer.open(store, None, lambda: datetime.now(UTC), sealer)
    provider: Any = issuer.provider
    root, key = await provider._key(issuer.authority.active.certificate_pem)
    assert len((await store.list(ROOT_KEYS))[1]) == 1
    assert key.public_key() == root.public_key()
    await store.close()
    return [issuer.authority.intermediate.key, key]


def refusal(start: Start, *flags: str) -> str:
    server = start(*flags, ready=False)
    assert server.process.wait(20) == 1
    assert "Traceback" not in server.output()
    return str(server.output())


def test_a_fresh_data_folder_has_no_private_key_that_can_be_read(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    server = start("--data-dir", str(folder))
    server.http.get("/v1/agent/connect/ca/leaf/web").raise_for_status()
    while_it_runs = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert (folder / "encryption.key").stat().st_mode & 0o777 == 0o600
    (said,) = server.events(
        "an encryption key was made, which opens the private keys in the store: "
        "keep a copy of it, apart from copies of the store"
    )
    assert said["file"] == str(folder / "encryption.key")
    assert server.stop() == 0

    keys = asyncio.run(keys_in(folder))
    assert leaks(folder, *keys) == []
    for needle in _needles(tuple(keys)):
        assert [name for name, content in while_it_runs.items() if needle in content] == []
    assert (folder / "encryption.key").read_text().strip() not in server.output()


def test_a_store_of_the_last_release_is_sealed_and_keeps_its_root(start: Start, tmp_path: Path) -> None:
    old = OldStore(tmp_path / "data")
    flags = ("--data-dir", str(old.folder))
    server = start(*flags)
    shown = server.http.get(ROOTS).json()
    assert (shown["TrustDomain"], [root["RootCert"] for root in shown["Roots"]]) == (
        TRUST_DOMAIN,
        [old.root_pem],
    )
    leaf = server.http.get("/v1/agent/connect/ca/leaf/web").json()
    first, second = x509.load_pem_x509_certificates(leaf["CertPEM"].encode())
    first.verify_directly_issued_by(second)
    second.verify_directly_issued_by(x509.load_pem_x509_certificate(old.root_pem.encode()))
    assert leaks(old.folder, old.key) == [], "nor while it runs"
    assert server.stop() == 0
    assert leaks(old.folder, old.key, *asyncio.run(keys_in(old.folder))) == []

    again = start(*flags)
    assert again.http.get(ROOTS).json() == shown
    assert again.stop() == 0
    with closing(sqlite3.connect(old.folder / "state.db")) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (3,), "which the last release refuses"


def test_an_upgrade_that_is_killed_anywhere_is_finished_by_the_next_start(tmp_path: Path) -> None:
    old = OldStore(tmp_path / "old")
    for step in range(40):
        folder = shutil.copytree(old.folder, tmp_path / str(step))
        if run(OPEN_UNTIL, str(folder), str(step)) == 0:
            break
        (key, root_key) = asyncio.run(keys_in(folder))
        assert root_key.public_key() == old.key.public_key()
        assert leaks(folder, old.key, key) == [], f"killed at step {step}"
    assert step > 8


def test_a_first_start_that_is_killed_anywhere_is_finished_by_the_next_one(tmp_path: Path) -> None:
    for step in range(20):
        folder = tmp_path / str(step)
        code = run(OPEN_UNTIL, str(folder), str(step))
        store_keys = asyncio.run(first_roots(folder))
        assert len(store_keys) == 1
        if code == 0:
            break
    assert step > 3


async def first_roots(folder: Path) -> set[str]:
    """The roots that two starts come to, one after the other."""
    bundles = set()
    for _ in range(2):
        store = await SQLiteStore.open(folder / "state.db")
        sealer = read_key_file(folder / "encryption.key")
        bundles.add((await Issuer.open(store, None, lambda: datetime.now(UTC), sealer)).bundle.roots_pem)
        await store.close()
    return bundles


def test_a_lost_key_file_is_refused_and_not_made_anew(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    flags = ("--data-dir", str(folder))
    assert start(*flags).stop() == 0
    kept = (folder / "encryption.key").rename(tmp_path / "kept")
    assert "the store has keys that are sealed, and the encryption key is not here" in refusal(start, *flags)
    assert not (folder / "encryption.key").exists()
    (folder / "encryption.key").write_text(OTHER)
    assert f"{folder / 'encryption.key'}: XM0507 this encryption key does not open" in refusal(start, *flags)
    roots = start(*flags, "--encryption-key-file", str(kept)).http.get(ROOTS)
    assert roots.status_code == 200


def test_the_key_may_come_from_the_environment_and_a_flag_wins(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, file = tmp_path / "data", tmp_path / "key"
    flags = ("--data-dir", str(folder))
    monkeypatch.setenv("XDSMESH_ENCRYPTION_KEY", KEY)
    server = start(*flags)
    assert KEY not in server.output()
    assert server.stop() == 0
    assert not (folder / "encryption.key").exists()

    monkeypatch.setenv("XDSMESH_ENCRYPTION_KEY", OTHER)
    assert "XDSMESH_ENCRYPTION_KEY: XM0507 this encryption key does not open" in refusal(start, *flags)
    file.write_text(KEY)
    file.chmod(0o640)
    warned = start(*flags, "--encryption-key-file", str(file))
    assert warned.events("others can read the encryption key: chmod 600")
    assert warned.stop() == 0
    monkeypatch.setenv("XDSMESH_ENCRYPTION_KEY", "hunter2")
    told = refusal(start, *flags)
    assert "the encryption key is not the base64 of 32 bytes" in told
    assert "hunter2" not in told


def test_a_key_file_that_is_named_must_be_there(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "nowhere"
    flags = ("--data-dir", str(tmp_path / "data"), "--encryption-key-file", str(file))
    assert f"{file}: XM0507 the encryption key can't be read: No such file" in refusal(start, *flags)
    assert not file.exists()


def test_a_server_in_memory_takes_no_key_file(start: Start, tmp_path: Path) -> None:
    server = start("--dev", "--encryption-key-file", str(tmp_path), ready=False)
    assert server.process.wait(20) == 2
    assert "--encryption-key-file" in server.output()
