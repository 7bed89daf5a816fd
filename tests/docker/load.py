"""Calls that go on while something happens to the mesh."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.docker.mesh import Mesh

_PAUSE: Final = 0.02
_SECONDS: Final = 60


class Load:
    """A context: asks for the paths in turn, again and again; what was not answered as it should be.

    ``expected`` has the status that each path should get.
    """

    def __init__(self, mesh: Mesh, expected: Mapping[str, int]) -> None:
        self.calls = 0
        self.failed: list[tuple[str, int]] = []
        self._mesh = mesh
        self._expected = expected
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(_SECONDS)

    def goes_on(self, calls: int) -> None:
        """Return after so many more calls."""
        until = self.calls + calls
        self._mesh.wait(lambda: self.calls >= until, f"{calls} more calls were answered")

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE):
            for path, status in self._expected.items():
                got = self._mesh.status(path)
                self.calls += 1
                if got != status:
                    self.failed.append((path, got))
