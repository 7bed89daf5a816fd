"""Paths of an application that are reachable in plain text, such as those of its health checks."""

from collections.abc import Iterator
from typing import Final, Self

from msgspec import field, structs

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Port, Shape
from xdsmesh.model.errors import Problem

PROTOCOLS: Final = ("", "http", "http2")


class ExposedPath(Shape, frozen=True):
    """One path, the port where it is exposed, and the application's port behind it.

    A port of 0 is chosen by the control plane; an empty protocol is ``http``.
    """

    listener_port: Port = 0
    """Where it is exposed."""
    path: str = ""
    """The path; it begins with `/`."""
    local_path_port: Port = 0
    """The port of the application."""
    protocol: str = ""
    """`http` or `http2`; empty is `http`."""
    parsed_from_check: bool = False
    """Set where a check brought it."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the path by itself."""
        yield from rules.required(f"{path}.Path", self.path)
        yield from rules.begins_with_slash(f"{path}.Path", self.path)
        yield from rules.single_line(f"{path}.Path", self.path)
        yield from rules.one_of(f"{path}.Protocol", self.protocol, PROTOCOLS)


class Expose(Shape, frozen=True):
    """All HTTP and gRPC checks, and paths that are named."""

    checks: bool = False
    """The paths of all HTTP and gRPC checks."""
    paths: list[ExposedPath] = field(default_factory=list)
    """Further paths."""

    def normalize(self) -> Self:
        """The same with lower-case protocols."""
        lowered = [structs.replace(item, protocol=item.protocol.lower()) for item in self.paths]
        return structs.replace(self, paths=lowered)

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the paths."""
        for index, exposed in enumerate(self.paths):
            yield from exposed.problems(paths.item(f"{path}.Paths", index))
