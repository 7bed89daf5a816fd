"""What holds for all kinds, shown with the examples of the reference, which give every field."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from xdsmesh.catalog.codec import decode_entry as from_store
from xdsmesh.catalog.codec import encode_entry as to_store
from xdsmesh.config.codec import encode
from xdsmesh.config.entry import Entry, Shape
from xdsmesh.config.files import decode_entry, parse_file
from xdsmesh.config.kinds import ENTERPRISE_KINDS, INTERNAL_KINDS, KINDS
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

Pair = Callable[[], tuple[str, str]]

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
EXAMPLES = sorted((REFERENCE / "examples").glob("*.hcl"))

EMPTY = {
    ("SourceIntention", "legacy_meta"),  # must be
    ("SourceIntention", "legacy_id"),  # only the older calls give it, and the times
    ("SourceIntention", "legacy_create_time"),
    ("SourceIntention", "legacy_update_time"),
    ("ServiceConsumer", "peer_name"),  # moves to peer
    ("HTTPMatch", "prefix_rewrite"),  # moves to the destination
}
"""Fields that no right entry has."""


def problems_of(text: str) -> tuple[Problem, ...]:
    return parse_file("case.hcl", text.encode()).problems


def read(text: str) -> list[Entry]:
    parsed = parse_file("case.hcl", text.encode())
    assert not parsed.problems
    return [located.value for located in parsed.entries]


@pytest.fixture(params=EXAMPLES, ids=lambda file: file.stem)
def text(request: pytest.FixtureRequest, pair: Pair) -> str:
    return complete(request.param, pair)


def complete(example: Path, pair: Pair) -> str:
    """An example with a certificate and a key, where it leaves them out."""
    text = example.read_text()
    for pem in pair():
        begin, *_, end = pem.splitlines(keepends=True)
        text = text.replace(f"{begin}...\n{end}", pem)
    return text


def shapes(value: Any) -> Iterator[Shape]:
    """All objects of our own within a value."""
    if isinstance(value, Shape):
        yield value
        for item in structs.fields(value):
            yield from shapes(getattr(value, item.name))
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from shapes(item)


def test_the_examples_of_each_kind_give_all_of_its_fields(pair: Pair) -> None:
    given: dict[str, set[str]] = {}
    known: dict[str, set[str]] = {}
    kinds = set()
    for file in EXAMPLES:
        entries = read(complete(file, pair))
        kinds |= {entry.KIND for entry in entries}
        for shape in shapes(entries):
            fields = structs.fields(shape)
            name = type(shape).__name__
            known[name] = {item.name for item in fields}
            given.setdefault(name, set()).update(item.name for item in fields if getattr(shape, item.name))

    missing = {(name, field) for name, fields in known.items() for field in fields - given[name]}
    assert kinds == set(KINDS)
    assert missing == EMPTY


def test_an_entry_survives_the_way_to_a_reader_and_back(text: str) -> None:
    for entry in read(text):
        assert decode_entry(json.dumps({"Kind": entry.KIND, **encode(entry)}).encode()) == entry


def test_an_entry_survives_the_store(text: str) -> None:
    for entry in read(text):
        assert from_store(entry.KIND, to_store(entry)) == entry


def test_keys_may_be_in_snake_case(text: str) -> None:
    def snake(match: re.Match[str]) -> str:
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", match.group()).lower()

    lines = text.split("\n")
    own = [
        line if "Arguments" in line else re.sub(r"\b[A-Z]\w*(?=\s+(=\s|\{))", snake, line) for line in lines
    ]

    assert own != lines
    assert read("\n".join(own)) == read(text)


@pytest.mark.parametrize("kind", KINDS)
def test_a_misspelled_key_is_refused_with_the_right_one(kind: str) -> None:
    (problem,) = (
        found for found in problems_of(f'Kind = "{kind}"\nMtea = {{}}') if found.code == Code.KEY_UNKNOWN
    )

    assert (problem.place.line, problem.place.path) == (2, "Mtea")
    assert problem.remedy == "did you mean Meta?"


@pytest.mark.parametrize("key", ["Namespace", "Partition", "partition"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_of_the_enterprise_edition_is_refused_and_says_so(kind: str, key: str) -> None:
    found = [
        problem for problem in problems_of(f'Kind = "{kind}"\n{key} = "a"') if problem.code == Code.ENTERPRISE
    ]

    assert [str(problem.place) for problem in found] == ["case.hcl:2:1"]
    assert "Consul Enterprise" in found[0].what


@pytest.mark.parametrize("kind", sorted({*ENTERPRISE_KINDS, *INTERNAL_KINDS}))
def test_kinds_that_nobody_can_write_are_refused(kind: str) -> None:
    (problem,) = problems_of(f'Kind = "{kind}"\nName = "default"')

    assert problem.place.path == "Kind"
    assert ("Enterprise" in problem.what) == (kind in ENTERPRISE_KINDS)


@pytest.mark.parametrize("key", ["CreateIndex", "ModifyIndex", "Hash"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_reader_was_told_besides_is_ignored(kind: str, key: str) -> None:
    assert not [found for found in problems_of(f'Kind = "{kind}"\n{key} = 7') if found.place.path == key]


def test_the_reference_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, REFERENCE / "generate.py", "--check"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
