"""How what people wrote appears in problems: not too much of it, and on one line."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_MAX_SHOWN: Final = 40
_MAX_LIKE_A_NAME: Final = 80


def shortened(text: str) -> str:
    """The beginning of a text."""
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def quoted(text: str) -> str:
    """The beginning of a text in quotes, with escapes."""
    return json.dumps(shortened(text), ensure_ascii=False)


def key(text: str) -> str:
    """A key: as it is if it is a plain word, else in quotes."""
    return shortened(text) if text.isidentifier() else quoted(text)


def nearest(text: str, names: Iterable[str], likeness: float = 0.6) -> str | None:
    """The name that was probably meant, if one is near: 1 is the same, 0 has nothing in common."""
    if len(text) > _MAX_LIKE_A_NAME:
        return None
    near = get_close_matches(text, list(names), n=1, cutoff=likeness)
    return near[0] if near else None
