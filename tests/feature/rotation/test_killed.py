"""Kill -9 before any commit of a rotation: the next start finds a whole authority, and goes on from there."""

import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.key_file import own_key_file
from xdsmesh.store.sqlite import SQLiteStore

ROTATE = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.key_file import own_key_file
from xdsmesh.ca.stored import ORIGIN, has_sealed_keys
from xdsmesh.model.catalog import Node
from xdsmesh.parts import ServerParts
from xdsmesh.settings import IntentionPolicy
from xdsmesh.store.sqlite import SQLiteStore

def now():
    return datetime.now(UTC)

async def main(folder, left):
    store = await SQLiteStore.open(folder / "state.db")
    keys = [record.key for record in (await store.list("ca/"))[1]]
    issuer = await Issuer.open(store, None, now, own_key_file(folder, has_sealed=has_sealed_keys(keys)))
    parts = ServerParts.make(
        store, Node("n", "127.0.0.1", "dc1"), issuer, now, lambda low, _: low, policy=IntentionPolicy.ALLOW
    )

    def traced(statement):
        nonlocal left
        if statement.strip().startswith("COMMIT"):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    store._writer.submit(store._database._connection.set_trace_callback, traced).result()
    tasks = [asyncio.create_task(work) for work in parts.work().values()]
    status = await parts.rotations.status()
    if status.rotation is None:
        await parts.rotations.start(issuer.configuration, ORIGIN)
    while (await parts.rotations.status()).rotation.ended is None:
        await asyncio.sleep(0.001)
    for task in tasks:
        task.cancel()
    await store.close()

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


def rotate(folder: Path, commits: int = 1000) -> bool:
    """Start a rotation, or go on with it, and be killed before a commit; whether it came to its end."""
    command = [sys.executable, "-c", ROTATE, str(folder), str(commits)]
    ended = subprocess.run(command, timeout=60, check=False, capture_output=True, text=True)
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode == 0


async def opened(folder: Path) -> Issuer:
    """The authority of a data folder, which is closed again."""
    store = await SQLiteStore.open(folder / "state.db")
    try:
        return await Issuer.open(
            store, None, lambda: datetime.now(UTC), own_key_file(folder, has_sealed=True)
        )
    finally:
        await store.close()


async def test_it_is_whole_and_goes_on_wherever_it_was_killed(tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    store = await SQLiteStore.open(fresh / "state.db")
    issuer = await Issuer.open(store, None, lambda: datetime.now(UTC), own_key_file(fresh, has_sealed=False))
    await store.close()
    before = issuer.authority.active.id

    seen, commits, is_done = [], 0, False
    while not is_done:
        folder = tmp_path / str(commits)
        shutil.copytree(fresh, folder)
        is_done = rotate(folder, commits)
        killed = (await opened(folder)).authority
        seen.append([root.standing.value for root in killed.roots])
        assert is_done or rotate(folder)
        (root,) = (await opened(folder)).authority.roots
        assert root.id != before
        if killed.active.id != before or len(killed.roots) > 1:
            assert root.id in {each.id for each in killed.roots}, (
                "it goes on with the root that it began with"
            )
        commits += 1
    first_of_each = [each for number, each in enumerate(seen) if each not in seen[:number]]
    assert first_of_each == [["active"], ["active", "next"], ["active", "retiring"]]
