"""What Envoy makes of the path of a request that comes in, before it looks at permissions.

How much that is, the ``mesh`` entry says, or else what the intentions decide on: see ``ir/normalization.py``.
Observed on Envoy 1.40 with every combination of the settings;
https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto
"""

import re
from dataclasses import dataclass
from typing import Final

from xdsmesh.explain.types import Refusal
from xdsmesh.ir.normalization import EscapedSlashes, Normalization

_ESCAPED_SLASH: Final = re.compile(r"%(2f|5c)", re.IGNORECASE)
_DOTS_WITH_PARAMETERS: Final = re.compile(r"(\.\.?);.*")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})|%")
_UNRESERVED: Final = re.compile(r"[0-9A-Za-z._~-]")
"""What need not be escaped, RFC 3986 section 2.3."""
_UNWISE: Final = re.compile(r'["<>^`{|}]')
_NUL: Final = "%00"
_BARE: Final = "\0"
"""Stands for a ``%`` that begins no escape."""
_NESTED: Final = re.compile(r"\0(?=[0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class NormalizedPath:
    """A path as permissions see it, with its query. ``redirects``: Envoy sends the caller there first."""

    path: str
    redirects: bool = False


def normalize_path(path: str, normalization: Normalization) -> NormalizedPath | Refusal:
    """What becomes of a path, in Envoy's order; its query stays as it is.

    Escaped slashes are unescaped, or refused, or kept. Where ``paths`` are normalized backslashes become
    slashes, what need not be escaped is not, what must be is, and dot segments are resolved (also ``..;x``,
    as some applications take it). Then slashes are merged.
    """
    path, question, query = path.partition("?")
    escaped = not normalization.escaped_slashes.kept and _ESCAPED_SLASH.search(path) is not None
    if escaped:
        if normalization.escaped_slashes is EscapedSlashes.REJECT:
            return Refusal(400, "the mesh entry rejects escaped slashes in a path")
        path = _ESCAPED_SLASH.sub(_slash, path)
    if normalization.paths:
        if _NUL in path:
            return Refusal(400, "a path holds no %00")
        path = _canonical(path)
    if normalization.merge_slashes:
        path = _merged(path)
    redirects = escaped and normalization.escaped_slashes is EscapedSlashes.REDIRECT
    return NormalizedPath(path + question + query, redirects)


def _slash(found: re.Match[str]) -> str:
    return "/" if found[1].lower() == "2f" else "\\"


def _canonical(path: str) -> str:
    _, *segments = path.replace("\\", "/").split("/")
    return "/" + "/".join(_resolved([_segment(each) for each in segments]))


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
