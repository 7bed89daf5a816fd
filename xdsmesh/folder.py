"""The config folder: its files become the catalog's, and stay so while people edit them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import structlog
from watchfiles import awatch
from watchfiles._rust_notify import WatchfilesRustInternalError

from xdsmesh.catalog.declare import declare
from xdsmesh.catalog.repository import Repository
from xdsmesh.config.files import ParsedFile, parse_file
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.store.base import CommitFailedError

log = structlog.get_logger(__name__)

SUFFIXES: Final = frozenset({".hcl", ".json", ".yaml", ".yml"})
_QUIET_MS: Final = 20
_LOOK_AGAIN_MS: Final = 2000


class ConfigFolder:
    """Files that declare services and config entries. A broken edit changes nothing and says so."""

    def __init__(self, path: Path, repository: Repository) -> None:
        self._path = path
        self._repository = repository
        self._parsed: dict[Path, tuple[bytes, ParsedFile]] = {}
        self._loaded: dict[Path, bytes] | None = None
        self._problems: tuple[Problem, ...] = ()

    async def load(self) -> None:
        """Read the folder and make it so.

        Raises:
            RefusedError: with every problem of every file; nothing has changed then.
            CommitFailedError: the store could not take it.
        """
        contents = await asyncio.to_thread(self._read)
        if contents == self._loaded:
            return
        self._loaded = None  # what is refused is tried again: it may be the world that has to change
        parsed = await asyncio.to_thread(self._parse, contents)
        revision = await self._repository.declare(declare(parsed))
        self._loaded = contents
        log.info("config folder loaded", folder=str(self._path), files=len(parsed), revision=revision)

    async def follow(self) -> None:
        """Load the folder again whenever a file in it changes, until cancelled.

        The kernel's notices can be missing (network file systems, a folder that was made anew), so that the
        folder is also looked at every two seconds. A file whose name is no text ends them: they begin anew.
        """
        while True:
            try:
                async for _ in _notices(self._path):
                    await self.reload()
            except* (WatchfilesRustInternalError, OSError) as ended:
                log.debug("the notices of the config folder begin anew", why=str(ended.exceptions[0]))
            await self.reload()
            await asyncio.sleep(_LOOK_AGAIN_MS / 1000)

    async def reload(self) -> None:
        """Load what has changed. Whatever goes wrong is said once, and leaves the last good state."""
        problems: tuple[Problem, ...] = ()
        try:
            await self.load()
        except RefusedError as error:
            problems = error.problems
        except CommitFailedError as error:
            what = f"the store can't be written: {error}"
            problems = (Problem(Place(str(self._path)), what, code=Code.STORE),)
        for problem in problems if problems != self._problems else ():
            log.error("config folder refused: the last good state stays", problem=str(problem))
        self._problems = problems

    def _read(self) -> dict[Path, bytes]:
        try:
            paths = sorted(path for path in self._path.iterdir() if _is_config(path))
            contents = {path: path.read_bytes() for path in paths}
        except OSError as error:
            what = f"the folder can't be read: {error}"
            problem = Problem(Place(str(self._path)), what, code=Code.UNREADABLE)
            raise RefusedError(problem) from error
        unnameable = [path for path in contents if not str(path).isprintable()]
        if unnameable:
            raise RefusedError(*(_unnameable(path) for path in unnameable))
        return contents

    def _parse(self, contents: dict[Path, bytes]) -> list[ParsedFile]:
        """Parse what is new; a file with the bytes of before is not parsed again."""
        parsed = {
            path: (
                data,
                cached[1]
                if (cached := self._parsed.get(path)) and cached[0] == data
                else parse_file(str(path), data),
            )
            for path, data in contents.items()
        }
        self._parsed = parsed
        return [file for _, file in parsed.values()]


def _notices(path: Path) -> AsyncIterator[object]:
    return awatch(
        path,
        recursive=False,
        step=_QUIET_MS,
        debounce=_QUIET_MS * 10,
        rust_timeout=_LOOK_AGAIN_MS,
        yield_on_timeout=True,
    )


def _unnameable(path: Path) -> Problem:
    what = "the file's name has bytes that are no text"
    return Problem(Place(ascii(str(path))), what, "rename it", code=Code.UNREADABLE)


def _is_config(path: Path) -> bool:
    return path.suffix in SUFFIXES and not path.name.startswith(".") and path.is_file()
