"""The pages about the codes: one each, and what they show is really refused with that code."""

import re
from pathlib import Path

import pytest

from xdsmesh.catalog.check import check_entries
from xdsmesh.config.files import parse_file
from xdsmesh.model.codes import Code

PAGES = Path(__file__).parents[3] / "docs" / "errors"
FENCED = re.compile(r"^```\w+ (?P<name>\S+)\n(?P<text>.*?)\n```$", re.MULTILINE | re.DOTALL)

SHOWS_NO_FILE = {
    Code.FILE_TOO_LARGE,
    Code.NOT_UTF8,
    Code.UNREADABLE,
    Code.TOO_MANY_VALUES,
    Code.MORE_PROBLEMS,
    Code.CHAIN_TOO_LARGE,
    Code.OWNED_BY_ANOTHER,
    Code.STORE,
    Code.PORTS,
    Code.SETTING,
    Code.STORE_UNUSABLE,
    Code.TRUST,
    Code.SEALED,
    Code.JOINING,
}
"""What is too large for a page, or is not in a file at all."""


def page(code: Code) -> str:
    return (PAGES / f"{code}.md").read_text()


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {"README", *Code}


@pytest.mark.parametrize("code", Code)
def test_the_index_says_of_a_code_what_its_page_says(code: Code) -> None:
    title = page(code).splitlines()[0].removeprefix(f"# {code}: ")

    assert f"- [{code}]({code}.md): {title}\n" in (PAGES / "README.md").read_text()


@pytest.mark.parametrize("code", [code for code in Code if code not in SHOWS_NO_FILE])
def test_the_example_of_a_page_is_refused_with_its_code(code: Code) -> None:
    examples = list(FENCED.finditer(page(code)))
    files = [parse_file(match["name"], match["text"].encode()) for match in examples]

    problems = [problem for file in files for problem in file.problems]
    problems += check_entries(entry for file in files for entry in file.entries) if not problems else ()
    assert examples
    assert {problem.code for problem in problems} == {code}, [str(problem) for problem in problems]


@pytest.mark.parametrize("code", sorted(SHOWS_NO_FILE))
def test_a_page_without_a_file_shows_none(code: Code) -> None:
    assert not FENCED.search(page(code))


def test_the_index_shows_a_problem_as_it_is_told() -> None:
    example = FENCED.search(page(Code.KEY_UNKNOWN))
    assert example

    (problem,) = parse_file(example["name"], example["text"].encode()).problems
    assert f"```text\n{problem}\n```" in (PAGES / "README.md").read_text()
