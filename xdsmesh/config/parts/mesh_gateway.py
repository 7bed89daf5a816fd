"""Whether calls to another datacenter go through mesh gateways."""

from collections.abc import Iterator
from typing import Final

from xdsmesh.config import rules
from xdsmesh.config.entry import Shape
from xdsmesh.model.errors import Problem

MODES: Final = ("", "none", "local", "remote")


class MeshGateway(Shape, frozen=True):
    """``local`` is by the caller's gateways, ``remote`` by the callee's; empty is unsaid."""

    mode: str = ""
    """`none`, `local` or `remote`."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the mode."""
        yield from rules.one_of(f"{path}.Mode", self.mode, MODES)
