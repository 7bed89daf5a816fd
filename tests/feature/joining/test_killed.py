"""Kill -9 before any commit of a join: what comes up again is whole, and the join can be had again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.feature.joining.conftest import Datacenter, Datacenters

DEADLY = """
import os, signal
from pathlib import Path
from xdsmesh.store.sqlite import SQLiteStore

opened = SQLiteStore.open.__func__

async def open_deadly(cls, path):
    store = await opened(cls, path)
    left = Path(path).parent / "commits-left"

    def traced(statement):
        if statement.strip().startswith("COMMIT") and left.exists():
            count = int(left.read_text())
            if count == 0:
                left.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
            left.write_text(str(count - 1))

    store._writer.submit(store._database._connection.set_trace_callback, traced).result()
    return store

SQLiteStore.open = classmethod(open_deadly)
"""


@pytest.fixture
def deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets servers die before the commit whose number is in a file ``commits-left`` of their data folder."""
    folder = tmp_path / "deadly"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(DEADLY)
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")


def kill_before(datacenter: Datacenter, commit: int) -> None:
    (datacenter.folder / "commits-left").write_text(str(commit))


def is_killed(datacenter: Datacenter) -> bool:
    return datacenter.server.process.poll() is not None


def restarted(datacenter: Datacenter) -> None:
    datacenter.wait(lambda: is_killed(datacenter), f"{datacenter.name} is killed")
    (datacenter.folder / "commits-left").unlink(missing_ok=True)
    datacenter.server.close()
    datacenter.start()


@pytest.mark.usefixtures("deadly")
def test_the_datacenter_that_joins_may_be_killed_at_any_step(datacenter: Datacenters) -> None:
    primary = datacenter("dc1")
    primary.put("/v1/config", {"Kind": "service-defaults", "Name": "web", "Protocol": "http"})
    outcomes = [joined_although_killed(primary, datacenter("dc2"), commit) for commit in range(4)]
    assert outcomes == ["with the same token", "with another token", "already", "already"]


def joined_although_killed(primary: Datacenter, secondary: Datacenter, commit: int) -> str:
    """Let a join be killed, and have it; how it came about."""
    own, token = secondary.trust_domain, primary.token(Datacenter="dc2")
    kill_before(secondary, commit)
    secondary.join(token)
    restarted(secondary)
    assert secondary.trust_domain in (own, primary.trust_domain)
    how = "already"
    if secondary.trust_domain == own:
        how = "with the same token"
        if secondary.join(token)[0]:
            how = "with another token"
            assert secondary.join(primary.token(Datacenter="dc2"))[0] == 0
    secondary.wait(lambda: follows(secondary), "it follows the primary")
    assert secondary.active_root == primary.active_root
    secondary.server.close()
    secondary.relay.cut()
    return how


def follows(datacenter: Datacenter) -> bool:
    return "web" in str(datacenter.get("/v1/config/service-defaults"))


@pytest.mark.usefixtures("deadly")
@pytest.mark.parametrize("commit", [0, 1])
def test_the_primary_may_be_killed_at_any_step(datacenter: Datacenters, commit: int) -> None:
    primary, secondary = datacenter("dc1"), datacenter("dc2")
    token = primary.token()
    kill_before(primary, commit)
    code, _ = secondary.join(token)
    restarted(primary)
    if code and secondary.join(token)[0]:
        assert secondary.join(primary.token(Datacenter="dc2"))[0] == 0
    assert secondary.active_root == primary.active_root
    primary.put("/v1/config", {"Kind": "service-defaults", "Name": "web", "Protocol": "http"})
    secondary.wait(lambda: follows(secondary), "it follows")
