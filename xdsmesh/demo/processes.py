"""The processes of a demo: started together, watched, and stopped whatever happens."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from xdsmesh.demo.errors import DemoError

_STOP_SECONDS: Final = 5
_COMMAND_SECONDS: Final = 60
_TAIL_LINES: Final = 15
_OURS: Final = "XDSMESH_"
"""Begins the variables of the environment that are about some other mesh."""
_TIED: Final = (sys.executable, "-I", "-S", str(Path(__file__).with_name("tied.py")))
"""What a command begins with that must not outlive us."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process, and the file that it writes its output to."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self.process.returncode is not None

    def tail(self) -> str:
        """The last lines of its output."""
        lines = self.log.read_text("utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])


class Processes:
    """A context: whatever was started in it has ended when it is left."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(_stop(child.process) for child in self._children))

    async def start(self, name: str, *command: str) -> Child:
        """Start a process. A Ctrl-C in the terminal reaches only us: it is we who stop the others."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *_TIED,
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                env={name: value for name, value in os.environ.items() if not name.startswith(_OURS)},
            )
        child = Child(name, process, log)
        self._children.append(child)
        return child

    async def finish(self, name: str, *command: str) -> None:
        """Run a command to its end.

        Raises:
            DemoError: it fails, or does not end in time.
        """
        child = await self.start(name, *command)
        try:
            code = await asyncio.wait_for(child.process.wait(), _COMMAND_SECONDS)
        except TimeoutError:
            raise DemoError(f"{name} has not ended after {_COMMAND_SECONDS} s") from None
        if code:
            raise DemoError(f"{name} has failed with code {code}: {child.tail()}")
        self._children.remove(child)

    async def kill(self, child: Child) -> None:
        """End one of them without a warning, as a crash would."""
        child.process.kill()
        await child.process.wait()
        self._children.remove(child)

    def check(self) -> None:
        """Raise if one of them has ended.

        Raises:
            DemoError: names it.
        """
        for child in self._children:
            if child.ended:
                code = child.process.returncode
                raise DemoError(f"{child.name} has ended with code {code}")

    def tails(self) -> Mapping[str, str]:
        """The end of what the processes wrote: those that have ended, or else all."""
        telling = [child for child in self._children if child.ended] or self._children
        return {child.name: tail for child in telling if (tail := child.tail())}


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
