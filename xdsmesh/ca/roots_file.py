"""The file by which proxies know this server: the roots that are to be believed, as they change."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import structlog

from xdsmesh.ca.issuer import Issuer
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError

_MODE: Final = 0o644
"""Roots are no secret, and proxies have other users than the server."""
_RETRY_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class RootsFile:
    """What `xdsmesh ca roots --format pem` prints, as a file; ``run`` must run, to follow the roots.

    Another file is moved over it, which is what Envoy looks for, and no reader ever sees a part of it.
    """

    def __init__(self, path: Path, issuer: Issuer) -> None:
        """Write nothing yet."""
        self._path: Final = path
        self._issuer: Final = issuer
        self._changed: Final = asyncio.Event()
        issuer.listen(self._changed.set)

    @classmethod
    async def make(cls, path: Path, issuer: Issuer) -> Self:
        """Have the roots of now in it.

        Raises:
            RefusedError: nothing can be written there, be it needed now or not.
        """
        file = cls(path, issuer)
        try:
            await file._write()
        except OSError as error:
            what = f"{path} can't be written: {error.strerror}"
            raise RefusedError(
                Problem(Place(source="--roots-file"), what, _remedy(), code=Code.SETTING)
            ) from error
        return file

    async def run(self) -> None:
        """Follow until cancelled."""
        told = ""
        patience: float | None = None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._changed.wait()
            self._changed.clear()
            patience = None
            try:
                await self._write()
                told = ""
            except OSError as error:
                if told != (told := str(error.strerror)):
                    log.warning(
                        "the roots can't be written, and proxies that go by the file may not believe this"
                        " server when they connect anew; trying again",
                        file=str(self._path),
                        error=told,
                        remedy=_remedy(),
                    )
                patience = _RETRY_SECONDS

    async def _write(self) -> None:
        if await asyncio.to_thread(_replace, self._path, self._issuer.bundle.roots_pem.encode()):
            log.info("the roots were written", file=str(self._path))


def _remedy() -> str:
    return f"name a file in a folder that is there and that the server's user, {os.geteuid()}, may write to"


def _replace(path: Path, content: bytes) -> bool:
    """Move a file with this content over another, unless that has it already; whether it was moved."""
    draft = path.parent / f".{path.name}.new"
    draft.unlink(missing_ok=True)
    try:
        # Also where it won't be needed: that no file can be made here is not to be found out by a rotation.
        with draft.open("xb") as file:
            os.fchmod(file.fileno(), _MODE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if _has(path, content):
            return False
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return True


def _has(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False
