"""Writes that are accepted or refused for what there is beside them, through the repository."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from xdsmesh.catalog.repository import Repository
from xdsmesh.config.entry import Entry
from xdsmesh.config.files import decode_entry
from xdsmesh.model.errors import Problem, RefusedError
from xdsmesh.model.origin import Origin, Source

CASES = [
    {"file": file.stem, **case}
    for file in sorted(Path(__file__).with_name("cases").glob("*.yaml"))
    for case in yaml.safe_load(file.read_text())
]
ORIGIN = Origin(Source.API, "a test")


def entry(fields: dict[str, Any]) -> Entry:
    return decode_entry(json.dumps(fields).encode())


async def write(repository: Repository, step: dict[str, Any]) -> tuple[Problem, ...]:
    """Do what a step says; the problems for which it was refused."""
    try:
        if "put" in step:
            assert await repository.put_entry(entry(step["put"]), ORIGIN)
        elif "together" in step:
            await repository.put_entries([entry(fields) for fields in step["together"]], ORIGIN)
        else:
            kind, name = step["delete"].split("/")
            assert await repository.entry(kind, name)
            assert await repository.delete_entry(kind, name, ORIGIN)
    except RefusedError as refused:
        return refused.problems
    return ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['file']}: {case['name']}")
async def test_each_write_is_accepted_or_refused_as_a_whole(
    repository: Repository, case: dict[str, Any]
) -> None:
    for number, step in enumerate(case["steps"]):
        before = await repository.entries()

        problems = await write(repository, step)

        told = sorted(f"{problem.place} {problem.code}" for problem in problems)
        assert told == sorted(step.get("refused", [])), (number, [str(problem) for problem in problems])
        text = "\n".join(str(problem) for problem in problems)
        assert [words for words in step.get("says", []) if words not in text] == [], (number, text)
        assert (await repository.entries() == before) == bool(problems)
