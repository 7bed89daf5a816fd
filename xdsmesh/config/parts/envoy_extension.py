"""Extensions that reshape a proxy's configuration."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import field

from xdsmesh.config import rules
from xdsmesh.config.entry import Opaque, Shape
from xdsmesh.config.wording import quoted
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

NAMES: Final = (
    "builtin/aws/lambda",
    "builtin/ext-authz",
    "builtin/lua",
    "builtin/otel-access-logging",
    "builtin/property-override",
    "builtin/wasm",
)

_LAMBDA: Final = "builtin/aws/lambda"
_ARN: Final = re.compile(r"arn:[^:\s]+:lambda:[^:\s]+:[^:\s]*:\S+")
_CONSTRAINT: Final = re.compile(
    r"(=|!=|>|<|>=|<=|~>)?\s*v?\d+(\.\d+)*(-[0-9A-Za-z.~-]+)?(\+[0-9A-Za-z.~-]+)?"
)


class EnvoyExtension(Shape, frozen=True):
    """One extension by its name; its arguments are its own."""

    name: str = ""
    """The extension, such as `builtin/lua`."""
    required: bool = False
    """What can't be applied blocks the configuration, instead of being left out."""
    arguments: Opaque = field(default_factory=dict)
    """Its own settings."""
    consul_version: str = ""
    """For which versions of Consul it is meant."""
    envoy_version: str = ""
    """For which versions of Envoy it is meant."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the extension by itself."""
        yield from rules.required(f"{path}.Name", self.name)
        if self.name:
            yield from rules.one_of(f"{path}.Name", self.name, NAMES)
        yield from _version(f"{path}.ConsulVersion", self.consul_version)
        yield from _version(f"{path}.EnvoyVersion", self.envoy_version)
        if self.name == _LAMBDA:
            yield from self._lambda_problems(f"{path}.Arguments")

    def _lambda_problems(self, path: str) -> Iterator[Problem]:
        """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html shows a function's ARN."""
        arn = self.arguments.get("ARN", self.arguments.get("arn", ""))
        if not _ARN.fullmatch(str(arn)):
            what = f"{_LAMBDA} needs the ARN of a function, and {quoted(str(arn))} is none"
            remedy = 'write ARN = "arn:aws:lambda:REGION:ACCOUNT:function:NAME"'
            yield rules.problem(path, what, remedy, code=Code.NEEDS_ANOTHER)


def _version(path: str, value: str) -> Iterator[Problem]:
    """Constraints such as ``>= 1.15, < 2``, https://developer.hashicorp.com/terraform/language/expressions/version-constraints."""
    if value and not all(_CONSTRAINT.fullmatch(part.strip()) for part in value.split(",")):
        what = f"{quoted(value)} is no constraint of versions"
        yield rules.problem(path, what, 'write one such as ">= 1.2.0, < 2.0.0"', code=Code.NOT_A_CHOICE)
