"""How what people wrote appears in problems: not too much of it, and on one line."""

import json
from typing import Final

_MAX_SHOWN: Final = 40


def shortened(text: str) -> str:
    """The beginning of a text."""
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def quoted(text: str) -> str:
    """The beginning of a text in quotes, with escapes."""
    return json.dumps(shortened(text), ensure_ascii=False)


def key(text: str) -> str:
    """A key: as it is if it is a plain word, else in quotes."""
    return shortened(text) if text.isidentifier() else quoted(text)
