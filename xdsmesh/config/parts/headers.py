"""The header modifier object that routes and splits share."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import field

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Shape
from xdsmesh.config.wording import quoted
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

_FIXED: Final = "host"
_COMMAND: Final = re.compile(r"%[A-Z][A-Z0-9_]*(\([^()]*\))?(:[0-9]+)?%")


class HeaderModifiers(Shape, frozen=True):
    """Headers to add, to set (replacing what was there), and to remove."""

    add: dict[str, str] = field(default_factory=dict)
    """Values that are appended."""
    set: dict[str, str] = field(default_factory=dict)
    """Values that replace what was there."""
    remove: list[str] = field(default_factory=list)
    """Headers that are taken away."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the names and values.

        Envoy changes neither pseudo-headers nor ``Host``:
        https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#custom-request-response-headers
        """
        for verb, headers in (("Add", self.add), ("Set", self.set)):
            for name, value in headers.items():
                at = paths.key(f"{path}.{verb}", name)
                yield from _name(at, name)
                yield from rules.single_line(at, value)
                yield from _value(at, value)
        for index, name in enumerate(self.remove):
            yield from _name(paths.item(f"{path}.Remove", index), name)


def _value(path: str, value: str) -> Iterator[Problem]:
    """Envoy fills in commands such as ``%START_TIME%``; any other percent sign must be doubled.

    https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators
    """
    if "%" in _COMMAND.sub("", value.replace("%%", "")):
        what = f"{quoted(value)} has a percent sign that begins no command"
        yield rules.problem(path, what, "write %%", code=Code.HEADER)


def _name(path: str, name: str) -> Iterator[Problem]:
    if name.startswith(":") or name.lower() == _FIXED:
        remedy = "use PrefixRewrite to change the path" if name == ":path" else "remove it"
        yield rules.problem(path, f"the header {quoted(name)} can't be modified", remedy, code=Code.HEADER)
    else:
        yield from rules.header_name(path, name)
