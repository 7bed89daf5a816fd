"""Where a demo is played, whatever its story: a network, a folder and processes that are gone afterwards."""

import asyncio
import json
import signal
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from xdsmesh.bootstrap import EnvoyNotFoundError, find_envoy
from xdsmesh.demo.errors import DemoError
from xdsmesh.demo.layout import Mesh
from xdsmesh.demo.network import Network, claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.demo.running import RunningMesh
from xdsmesh.demo.show import Show

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a story is played with; what is ``lasting`` ends just before the processes do."""

    processes: Processes
    network: Network
    folder: Path
    envoy: Path
    show: Show
    lasting: AsyncExitStack

    def mesh(self, mesh: Mesh) -> RunningMesh:
        """A mesh, or a datacenter of it, which is not running yet, in a folder of its own."""
        folder = self.folder / mesh.datacenter
        folder.mkdir()
        return RunningMesh(folder, self.network, self.processes, mesh)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: what did not hold, the JSON for machines, how to show it, and what to try then."""

    problems: Sequence[str]
    report: Mapping[str, Any]
    show: Callable[[], None]
    commands: Sequence[str]


class Story(Protocol):
    """What a demo shows."""

    async def play(self, scene: Scene) -> Outcome:
        """Start a mesh, and see what it does.

        Raises:
            DemoError: it can't be seen.
        """


class Stage:
    """Plays a story, and cleans up after it."""

    def __init__(self, show: Show, *, keep: bool, as_json: bool) -> None:
        self._show = show
        self._keep = keep
        self._as_json = as_json
        self._held = False

    async def run(self, story: Story) -> int:
        """Play it until its end, or with ``keep`` until Ctrl-C; 0 if all of it held, else 1."""
        _cancel_on_signals()
        try:
            envoy = find_envoy()
            with claimed_network() as network, tempfile.TemporaryDirectory(prefix="xdsmesh-demo-") as folder:
                await self._play(story, network, Path(folder), envoy)
        except asyncio.CancelledError:
            self._show.stopped()
        except (DemoError, EnvoyNotFoundError) as error:
            self._show.failure(str(error))
        return 0 if self._held else 1

    async def _play(self, story: Story, network: Network, folder: Path, envoy: Path) -> None:
        async with Processes(folder) as processes, AsyncExitStack() as lasting:
            scene = Scene(processes, network, folder, envoy, self._show, lasting)
            try:
                outcome = await story.play(scene)
            except DemoError:
                self._show.tails(processes.tails())
                raise
            self._held = not outcome.problems
            if outcome.problems:
                self._show.tails(processes.tails())
            outcome.show()
            self._show.verdict(outcome.problems)
            if self._as_json:
                print(json.dumps(outcome.report), flush=True)  # noqa: T201 - the command's output
            if self._keep:
                self._show.keep(outcome.commands)
                await asyncio.Event().wait()


def _cancel_on_signals() -> None:
    """Turn the first signal into a cancellation; more of them do not disturb the cleaning up."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        for each in _SIGNALS:
            loop.add_signal_handler(each, lambda: None)
        if task:
            task.cancel()

    for each in _SIGNALS:
        loop.add_signal_handler(each, cancel)
