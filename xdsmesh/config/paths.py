"""Field paths such as ``Routes[0].Match.HTTP.PathPrefix`` or ``Subsets["v1"].Filter``."""

import json
import re
from typing import Final

_INDEX: Final = r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]'
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)
_MAX_KEY: Final = 128
_WORD: Final = re.compile(r"[\w-]+")
_LAST: Final = re.compile(rf'(?:{_INDEX}|\.?[^.\[\]"]+)$')
_LAST_FIELD: Final = re.compile(rf'[^.\[\]"]+(?:{_INDEX})*$')


def join(path: str, name: str) -> str:
    """The path of an object's field."""
    return f"{path}.{name}" if path else name


def field(path: str, name: str) -> str:
    """The path of a field whose name somebody else chose; what is no short plain word stands in brackets."""
    return join(path, name) if len(name) <= _MAX_KEY and _WORD.fullmatch(name) else key(path, name)


def item(path: str, index: int) -> str:
    """The path of a list's item, counted from 0."""
    return f"{path}[{index}]"


def key(path: str, name: str) -> str:
    """The path of a map's value; of a key of absurd length only the beginning."""
    shown = name if len(name) <= _MAX_KEY else f"{name[:_MAX_KEY]}..."
    return f"{path}[{_ENCODER.encode(shown)}]"


def owner(path: str) -> str:
    """The path of the object that a field belongs to, or of the list or map that an item belongs to."""
    last = _LAST.search(path)
    return path[: last.start()] if last else ""


def label(path: str) -> str:
    """The last field of a path, with the item of it that is meant."""
    last = _LAST_FIELD.search(path)
    return last.group() if last else path


def within(path: str, outer: str) -> bool:
    """Whether a path is the other one, or of something inside it; the empty path is the whole."""
    return path.startswith(outer) and (not outer or path[len(outer) : len(outer) + 1] in ("", ".", "["))
