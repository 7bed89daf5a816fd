"""Where proxies log the requests that they forward, and how."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import field

from xdsmesh.config import rules
from xdsmesh.config.entry import Shape
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

_COMMANDS: Final = re.compile(r"%%|%[A-Z][A-Z0-9_]*(\(.*?\))?(:[0-9]+)?%")
TYPES: Final = ("", "stdout", "stderr", "file")


class AccessLogs(Shape, frozen=True):
    """An empty type is ``stdout``."""

    enabled: bool = False
    """Whether anything is logged."""
    disable_listener_logs: bool = False
    """Connections that no service took are not logged."""
    type: str = ""
    """`stdout`, `stderr` or `file`."""
    path: str = ""
    """The file, for `file`."""
    json_format: str = field(default="", name="JSONFormat")
    """An object of JSON with commands of Envoy such as `%START_TIME%`."""
    text_format: str = ""
    """A line with commands of Envoy; not together with `JSONFormat`."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the settings."""
        yield from rules.one_of(f"{path}.Type", self.type, TYPES)
        yield from self._path_problems(f"{path}.Path")
        yield from rules.single_line(f"{path}.Path", self.path)
        yield from rules.exclusive(path, {"JSONFormat": self.json_format, "TextFormat": self.text_format})
        if self.json_format:
            yield from _json(f"{path}.JSONFormat", self.json_format)
        yield from _commands(f"{path}.JSONFormat", self.json_format)
        yield from _commands(f"{path}.TextFormat", self.text_format)

    def _path_problems(self, path: str) -> Iterator[Problem]:
        if self.type == "file" and not self.path:
            yield rules.problem(
                path, 'Type "file" needs the Path of the file', "add Path", code=Code.REQUIRED
            )
        elif self.path and self.type != "file":
            what, remedy = 'Path is only for Type "file"', 'remove it, or write Type = "file"'
            yield rules.problem(path, what, remedy, code=Code.EXCLUDE_EACH_OTHER)


def _commands(path: str, text: str) -> Iterator[Problem]:
    """Commands begin and end with a percent sign; with another one Envoy refuses every listener."""
    if "%" in _COMMANDS.sub("", text):
        what = f"{path.rpartition('.')[2]} has a % that begins no command such as %START_TIME%"
        yield rules.problem(path, what, "write %% for a percent sign", code=Code.NOT_A_CHOICE)


def _json(path: str, text: str) -> Iterator[Problem]:
    try:
        msgspec.json.decode(text, type=dict)
    except (msgspec.DecodeError, RecursionError) as error:
        yield rules.problem(path, f"JSONFormat is not an object of JSON: {error}", code=Code.JSON_TEXT)
