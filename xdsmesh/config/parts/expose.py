"""Paths of an application that are reachable in plain text, such as those of its health checks."""

from msgspec import field

from xdsmesh.config.entry import Port, Shape


class ExposedPath(Shape, frozen=True):
    """One path, the port where it is exposed, and the application's port behind it."""

    listener_port: Port = 0
    path: str = ""
    local_path_port: Port = 0
    protocol: str = ""
    parsed_from_check: bool = False


class Expose(Shape, frozen=True):
    """All HTTP and gRPC checks, and paths that are named."""

    checks: bool = False
    paths: list[ExposedPath] = field(default_factory=list)
