"""What Envoy makes of the path of a request that comes in, before it looks at permissions.

So on a listener with ``normalize_path``, ``merge_slashes`` and ``UNESCAPE_AND_FORWARD`` for escaped slashes,
as a destination of the mesh has it. Observed on Envoy 1.40;
https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto
"""

import re
from typing import Final

_SLASH: Final = re.compile(r"%2f|%5c|\\", re.IGNORECASE)
_DOTS_WITH_PARAMETERS: Final = re.compile(r"(\.\.?);.*")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})|%")
_UNRESERVED: Final = re.compile(r"[0-9A-Za-z._~-]")
"""What need not be escaped, RFC 3986 section 2.3."""
_UNWISE: Final = re.compile(r'["<>^`{|}]')
_NUL: Final = "%00"
_BARE: Final = "\0"
"""Stands for a ``%`` that begins no escape."""
_NESTED: Final = re.compile(r"\0(?=[0-9A-Fa-f]{2})")


def normalize_path(path: str) -> str | None:
    """The path as permissions see it; its query stays as it is. None: Envoy refuses it with 400.

    Escaped slashes and backslashes become slashes, what need not be escaped is not, what must be is, dot
    segments are resolved (also ``..;x``, as some applications take it), and then slashes are merged.
    """
    path, question, query = path.partition("?")
    if _NUL in path:
        return None
    _, *segments = _SLASH.sub("/", path).split("/")
    resolved = "/" + "/".join(_resolved([_segment(each) for each in segments]))
    return _merged(resolved) + question + query


def _segment(text: str) -> str:
    dots = _DOTS_WITH_PARAMETERS.fullmatch(text)
    if dots:
        return dots[1]
    return _UNWISE.sub(_escaped, _decoded(text))


def _decoded(text: str) -> str:
    """Decoded once: where that would make up a new escape, its ``%`` is escaped."""
    return _NESTED.sub("%25", _ESCAPE.sub(_unescaped, text)).replace(_BARE, "%")


def _escaped(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def _unescaped(found: re.Match[str]) -> str:
    if not found[1]:
        return _BARE
    character = chr(int(found[1], 16))
    return character if _UNRESERVED.fullmatch(character) else found[0]


def _resolved(segments: list[str]) -> list[str]:
    """Without dot segments, RFC 3986 section 5.2.4; one at the end leaves its slash."""
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return [*kept, ""] if segments[-1] in (".", "..") else kept


def _merged(path: str) -> str:
    """Two slashes alone, or more, stay two: that is Envoy's way."""
    if "//" not in path:
        return path
    end = "/" if path.endswith("/") else ""
    return "/" + "/".join(filter(None, path.split("/"))) + end
