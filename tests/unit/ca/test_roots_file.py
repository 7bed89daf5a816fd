"""The file of the roots: right from the start, moved whole, and tried again when it can't be written."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from xdsmesh.ca.authority import Root, Standing
from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.roots_file import RootsFile
from xdsmesh.ca.sealing import Sealer
from xdsmesh.model.errors import RefusedError
from xdsmesh.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


@pytest.fixture
async def issuer() -> Issuer:
    return await Issuer.open(
        MemoryStore(), "mesh.example.com", lambda: datetime(2026, 3, 1, tzinfo=UTC), Sealer.in_memory()
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "trust").mkdir()
    return tmp_path / "trust" / "roots.pem"


def read(file: Path) -> str:
    return file.read_text()


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def version(file: Path) -> tuple[int, int]:
    """Another one after each write and each move."""
    found = file.stat()
    return found.st_ino, found.st_mtime_ns


def put(file: Path, text: str) -> None:
    file.write_text(text)


def names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def trust_another(issuer: Issuer) -> None:
    pem = await issuer.provider.generate_root()
    crossed = await issuer.provider.cross_sign(issuer.authority.active.certificate_pem, pem)
    roots = (*issuer.authority.roots, Root.load(pem, Standing.NEXT, crossed))
    assert await issuer.replace(roots, issuer.authority.intermediate)


@asynccontextmanager
async def kept(file: Path, issuer: Issuer) -> AsyncIterator[None]:
    running = asyncio.create_task((await RootsFile.make(file, issuer)).run())
    yield
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)


async def test_it_is_there_at_once_and_everybody_may_read_it(file: Path, issuer: Issuer) -> None:
    before = os.umask(0o077)
    try:
        await RootsFile.make(file, issuer)
    finally:
        os.umask(before)
    assert read(file) == issuer.bundle.roots_pem
    assert mode(file) == 0o644


async def test_what_is_right_already_is_not_touched(file: Path, issuer: Issuer) -> None:
    put(file, issuer.bundle.roots_pem)
    before = version(file)
    await RootsFile.make(file, issuer)
    assert version(file) == before
    assert names(file.parent) == [file.name]


async def test_another_file_is_moved_over_it_and_nothing_else_is_left(file: Path, issuer: Issuer) -> None:
    put(file, "roots of another mesh")
    put(file.parent / ".roots.pem.new", "what a server that was killed has left")
    with file.open() as opened:
        async with kept(file, issuer):
            await trust_another(issuer)
            await until(lambda: read(file) == issuer.bundle.roots_pem)
        assert opened.read() == "roots of another mesh"
    assert read(file).count("BEGIN CERTIFICATE") == 2
    assert names(file.parent) == [file.name]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("gone/roots.pem", "No such file or directory"),
        ("trust", "Is a directory"),
        ("some.txt/roots.pem", "Not a directory"),
    ],
)
async def test_a_place_where_nothing_can_be_written_is_refused(
    file: Path, issuer: Issuer, path: str, why: str
) -> None:
    root = file.parent.parent
    (root / "some.txt").touch()
    with pytest.raises(RefusedError) as refused:
        await RootsFile.make(root / path, issuer)
    assert f"--roots-file: XM0504 {root / path} can't be written: {why}" in str(refused.value)
    assert f"the server's user, {os.geteuid()}, may write to" in str(refused.value)


async def test_a_folder_that_takes_no_file_is_refused_though_the_roots_in_it_are_right(
    file: Path, issuer: Issuer
) -> None:
    put(file, issuer.bundle.roots_pem)
    (file.parent / ".roots.pem.new").mkdir()  # as good as no right to write, which root always has
    with pytest.raises(RefusedError, match="can't be written"):
        await RootsFile.make(file, issuer)


async def test_what_cant_be_written_later_is_told_once_and_tried_again(file: Path, issuer: Issuer) -> None:
    async with kept(file, issuer):
        away = file.parent.rename(file.parent.with_name("away"))
        with capture_logs() as log:
            await trust_another(issuer)
            await until(lambda: log)
            await trust_another(issuer)  # tried, and told only if the reason is another one
            away.rename(file.parent)
            await until(lambda: read(file) == issuer.bundle.roots_pem)
    warnings = [each for each in log if each["log_level"] == "warning"]
    assert [each["error"] for each in warnings] == ["No such file or directory"]
    assert "may write to" in warnings[0]["remedy"]
