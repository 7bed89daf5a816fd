"""The syntaxes of config files, one module each: text in, a located tree out.

What is no text, or too much of it, is refused before any parser sees it.
"""

from collections.abc import Callable
from typing import Final

from xdsmesh.config.syntax import hcl, json, yaml
from xdsmesh.config.tree import Parsed
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem

MAX_BYTES: Final = 1 << 20
"""The size of the largest file or body that is read: 1 MiB."""

PARSERS: Final[dict[str, Callable[[str, str], Parsed]]] = {
    "hcl": hcl.parse,
    "json": json.parse,
    "yaml": yaml.parse,
    "yml": yaml.parse,
}
"""The parsers by the ending of a file's name; each takes the text and the name for its problems."""


def parse(source: str, data: bytes, ending: str) -> Parsed:
    """Parse bytes in the syntax of one of the endings in ``PARSERS``."""
    if len(data) > MAX_BYTES:
        what = f"this is {len(data):,} bytes long; at most {MAX_BYTES:,} are read"
        return _refused(Place(source), what, "divide it", Code.FILE_TOO_LARGE)
    if (nul := data.find(b"\0")) >= 0:
        what = "there is a NUL byte here: this is no text file"
        return _refused(_place(source, data, nul), what, "remove it", Code.UNWRITABLE_TEXT)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        what = f"byte 0x{data[error.start]:02x} is not valid UTF-8"
        return _refused(_place(source, data, error.start), what, "save the file as UTF-8", Code.NOT_UTF8)
    return PARSERS[ending](text.removeprefix("\ufeff"), source)


def _refused(place: Place, what: str, remedy: str, code: Code) -> Parsed:
    return Parsed(problems=(Problem(place, what, remedy, code=code),))


def _place(source: str, data: bytes, offset: int) -> Place:
    before = data[:offset].decode(errors="replace")
    return Place(source, before.count("\n") + 1, len(before) - before.rfind("\n"))
