"""Extensions that reshape a proxy's configuration."""

from collections.abc import Iterator
from typing import Final

from msgspec import field

from xdsmesh.config import rules
from xdsmesh.config.entry import Opaque, Shape
from xdsmesh.model.errors import Problem

NAMES: Final = (
    "builtin/aws/lambda",
    "builtin/ext-authz",
    "builtin/lua",
    "builtin/otel-access-logging",
    "builtin/property-override",
    "builtin/wasm",
)


class EnvoyExtension(Shape, frozen=True):
    """One extension by its name; its arguments are its own."""

    name: str = ""
    required: bool = False
    arguments: Opaque = field(default_factory=dict)
    consul_version: str = ""
    envoy_version: str = ""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the extension by itself."""
        yield from rules.required(f"{path}.Name", self.name)
        if self.name:
            yield from rules.one_of(f"{path}.Name", self.name, NAMES)
