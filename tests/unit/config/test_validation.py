"""Entries of every kind, and whether they are right: what the implementations of this language agree on."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from xdsmesh.config.files import decode_entry
from xdsmesh.model.errors import RefusedError

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("validation.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_an_entry_has_exactly_the_problems_that_all_find(case: dict[str, Any]) -> None:
    try:
        decode_entry(json.dumps(case["entry"]).encode())
    except RefusedError as error:
        found = [f"{problem.place.path} {problem.code}" for problem in error.problems]
    else:
        found = []

    assert found == case.get("problems", [])
