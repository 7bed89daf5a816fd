"""What is refused whatever the syntax, and mostly before it is parsed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from xdsmesh.config.files import parse_file
from xdsmesh.config.problems import MAX_PROBLEMS
from xdsmesh.config.syntax import MAX_BYTES, PARSERS, parse

ENDINGS = sorted(PARSERS)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_text_of_more_than_a_mebibyte_is_refused(ending: str) -> None:
    (problem,) = parse("f", b" " * (MAX_BYTES + 1), ending).problems

    assert str(problem) == "f: XM0101 this is 1,048,577 bytes long; at most 1,048,576 are read (divide it)"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_text_that_is_no_utf8_is_refused(ending: str) -> None:
    (problem,) = parse("f", "a\né".encode() + b"\xff", ending).problems

    assert str(problem) == "f:2:2: XM0103 byte 0xff is not valid UTF-8 (save the file as UTF-8)"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_nul_byte_is_refused(ending: str) -> None:
    (problem,) = parse("f", b'a\nb = "\0"', ending).problems

    assert str(problem) == "f:2:6: XM0104 there is a NUL byte here: this is no text file (remove it)"


NESTED: dict[str, tuple[str, Callable[[int], str]]] = {
    "HCL lists": ("hcl", lambda depth: "a = " + "[" * (depth - 1) + "]" * (depth - 1)),
    "HCL blocks": ("hcl", lambda depth: "a {" * (depth - 1) + "}" * (depth - 1)),
    "HCL labels": ("hcl", lambda depth: "a " + "l " * (depth - 2) + "{}"),
    "JSON lists": ("json", lambda depth: "[" * depth + "]" * depth),
    "JSON objects": ("json", lambda depth: '{"a":' * (depth - 1) + "{}" + "}" * (depth - 1)),
    "YAML objects": ("yaml", lambda depth: "{a: " * depth + "}" * depth),
}


@pytest.mark.parametrize("kind", NESTED)
def test_objects_and_lists_nest_64_deep_and_no_deeper(kind: str) -> None:
    ending, nested = NESTED[kind]

    assert parse("f", nested(64).encode(), ending).problems == ()
    assert [problem.what for problem in parse("f", nested(65).encode(), ending).problems] == [
        "objects and lists are nested more than 64 deep here"
    ]


def filled(part: str, before: str = "", after: str = "") -> str:
    """As much of something as a file may hold."""
    return before + part * ((MAX_BYTES - len(before) - len(after)) // len(part)) + after


HUGE: dict[str, tuple[str, Callable[[], str]]] = {
    "commas": ("hcl", lambda: filled(",")),
    "objects": ("hcl", lambda: filled("{},", "a = [", "]")),
    "texts that are not closed": ("hcl", lambda: filled('a="\n')),
    "heredocs that are not closed": ("hcl", lambda: filled("a=<<E\n")),
    "a heredoc": ("hcl", lambda: filled("\n", "a=<<E\n", "E\n")),
    "escaped quotes": ("json", lambda: filled('\\"', '["')),
    "JSON lists": ("json", lambda: filled("[")),
    "numbers": ("json", lambda: filled("1,", "[", "1]")),
    "aliases": ("yaml", lambda: filled("b: &b [*a,*a]\n", "a: &a [x]\n")),
    "documents": ("yaml", lambda: filled("--- a\n")),
    "items": ("yaml", lambda: filled("- \n")),
}


@pytest.mark.timeout(60)  # a second or so, on a machine of our own
@pytest.mark.parametrize("kind", HUGE)
def test_the_largest_hostile_files_are_refused_soon(kind: str) -> None:
    ending, text = HUGE[kind]

    problems = parse_file(f"f.{ending}", text().encode()).problems

    assert 1 <= len(problems) <= MAX_PROBLEMS + 1
    assert all(len(str(problem)) < 1000 for problem in problems)


LONG_VALUES: dict[str, Callable[[], dict[str, Any]]] = {
    "addresses": lambda: {
        "Kind": "service-defaults",
        "Destination": {"Port": 443, "Addresses": [f"h{number}" for number in range(10_000)]},
    },
    "overrides": lambda: {
        "Kind": "service-defaults",
        "UpstreamConfig": {"Overrides": [{"Name": f"s{number}"} for number in range(10_000)]},
    },
    "a version": lambda: {
        "Kind": "service-defaults",
        "EnvoyExtensions": [{"Name": "builtin/lua", "EnvoyVersion": " " * 900_000}],
    },
    "a duration": lambda: {"Kind": "service-resolver", "ConnectTimeout": "1" * 900_000},
    "regular expressions": lambda: {
        "Kind": "service-router",
        "Routes": [{"Match": {"HTTP": {"PathRegex": rf"/{number}\pL{{1,900}}"}}} for number in range(2_000)],
    },
    "a foreign key": lambda: {"Kind": "proxy-defaults", "Config": {"a" * 900_000: {"x": float("inf")}}},
    "a subset": lambda: {
        "Kind": "service-resolver",
        "DefaultSubset": "v1",
        "Subsets": {f"v{number}" * 9: {} for number in range(2, 9_000)},
    },
    "foreign keys": lambda: {
        "Kind": "proxy-defaults",
        "Config": {f"envoy_{number}": 1 for number in range(10_000)},
    },
}


@pytest.mark.timeout(20)  # each takes a second or two; what takes squared time takes minutes
@pytest.mark.parametrize("kind", LONG_VALUES)
def test_an_entry_of_absurd_length_is_judged_soon(kind: str) -> None:
    entry = {"Name": "global", **LONG_VALUES[kind]()}

    parsed = parse_file("f.json", json.dumps(entry).replace("Infinity", "1e999").encode())

    for located in parsed.entries:
        assert len(list(located.value.warnings())) <= 10_000
    assert all(len(str(problem)) < 1000 for problem in parsed.problems)


def test_of_very_many_problems_the_first_are_told() -> None:
    text = "\n".join(f'{{ kind = "wonder-{number}" }},' for number in range(500))

    problems = parse_file("f.hcl", f"config_entries {{ bootstrap = [{text}] }}".encode()).problems

    assert [problem.place.line for problem in problems] == [*range(1, MAX_PROBLEMS + 1), 0]
    assert str(problems[-1]) == (
        f"f.hcl: XM0112 there may be more problems: only {MAX_PROBLEMS} are told (mend these first)"
    )


@pytest.mark.timeout(60)
def test_hundreds_of_entries_are_read_soon() -> None:
    entry = """
  {
    kind = "service-router"
    name = "web-%d"
    routes = [
      {
        match { http { path_prefix = "/admin", header = [{ name = "x-debug", exact = "1" }] } }
        destination { service = "admin", request_timeout = "10s", num_retries = 3 }
      },
    ]
  },"""
    entries = "".join(entry % number for number in range(500))

    parsed = parse_file("f.hcl", f"config_entries {{ bootstrap = [{entries}] }}".encode())

    assert parsed.problems == ()
    assert len(parsed.entries) == 500


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
