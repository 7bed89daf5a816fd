"""Config entries, for tests of whatever reads them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from xdsmesh.config.entry import Entry
from xdsmesh.config.files import decode_entry


@pytest.fixture
def make() -> Callable[..., Entry]:
    """An entry as somebody would write it, checked by its own rules."""

    def make_entry(kind: str, name: str = "", **fields: Any) -> Entry:
        named = {"Kind": kind, "Name": name} if name else {"Kind": kind}
        return decode_entry(json.dumps({**named, **fields}).encode())

    return make_entry
