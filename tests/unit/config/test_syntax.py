"""What is refused whatever the syntax, and mostly before it is parsed."""

from collections.abc import Callable

import pytest

from xdsmesh.config.files import parse_file
from xdsmesh.config.syntax import MAX_BYTES, PARSERS, parse

ENDINGS = sorted(PARSERS)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_text_of_more_than_a_mebibyte_is_refused(ending: str) -> None:
    (problem,) = parse("f", b" " * (MAX_BYTES + 1), ending).problems

    assert str(problem) == "f: this is 1,048,577 bytes long; at most 1,048,576 are read (divide it)"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_text_that_is_no_utf8_is_refused(ending: str) -> None:
    (problem,) = parse("f", "a\né".encode() + b"\xff", ending).problems

    assert str(problem) == "f:2:2: byte 0xff is not valid UTF-8 (save the file as UTF-8)"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_nul_byte_is_refused(ending: str) -> None:
    (problem,) = parse("f", b'a\nb = "\0"', ending).problems

    assert str(problem) == "f:2:6: there is a NUL byte here: this is no text file"


NESTED: dict[str, tuple[str, Callable[[int], str]]] = {
    "HCL lists": ("hcl", lambda depth: "a = " + "[" * (depth - 1) + "]" * (depth - 1)),
    "HCL blocks": ("hcl", lambda depth: "a {" * (depth - 1) + "}" * (depth - 1)),
    "HCL labels": ("hcl", lambda depth: "a " + "l " * (depth - 2) + "{}"),
    "JSON lists": ("json", lambda depth: "[" * depth + "]" * depth),
    "JSON objects": ("json", lambda depth: '{"a":' * (depth - 1) + "{}" + "}" * (depth - 1)),
    "YAML lists": ("yaml", lambda depth: "[" * depth + "]" * depth),
    "YAML objects": ("yaml", lambda depth: "{a: " * depth + "}" * depth),
}


@pytest.mark.parametrize("kind", NESTED)
def test_objects_and_lists_nest_64_deep_and_no_deeper(kind: str) -> None:
    ending, nested = NESTED[kind]

    assert parse("f", nested(64).encode(), ending).problems == ()
    assert [problem.what for problem in parse("f", nested(65).encode(), ending).problems] == [
        "objects and lists are nested more than 64 deep here"
    ]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("part", ["[", "{", "a{", '{"a":', "a=[", '"', "<", "-", "/*", "\\", "a\n", "'"])
def test_a_hostile_text_ends_in_a_problem(ending: str, part: str) -> None:
    text = part * (20_000 // len(part))

    problems = parse_file(f"f.{ending}", text.encode()).problems

    assert problems
    assert all(len(problem.what) < 500 for problem in problems)


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("hcl", r'a = "\u0000"'),
        ("hcl", r'a = "x\x00"'),
        ("hcl", r'a = "\ud800"'),
        ("json", r' ["\u0000"]'),
        ("json", r' ["\ud800x"]'),
        ("yaml", r' ["\0"]'),
    ],
)
def test_escapes_bring_in_nothing_that_is_no_text(ending: str, text: str) -> None:
    (problem,) = parse("f", text.encode(), ending).problems

    assert problem.what == "this text has an escape for a NUL character or for half of a surrogate pair"
    assert (problem.place.line, problem.place.column) == (1, 5 if ending == "hcl" else 3)


@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 5000, "1e999", "0x" + "f" * 5000])
@pytest.mark.parametrize("field", ["LocalConnectTimeoutMs", "Protocol"])
def test_a_number_of_any_length_is_a_number_that_does_not_fit(number: str, field: str) -> None:
    text = f'Kind = "service-defaults", Name = "web", {field} = {number}'

    (problem,) = parse_file("f.hcl", text.encode()).problems

    assert len(problem.what) < 500
    assert (problem.place.line, problem.place.column) == (1, 45 + len(field))
