"""What holds for all syntaxes: the same content is the same tree, and any text is a tree or refused."""

import re
from collections.abc import Callable, Iterator
from json import dumps
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from xdsmesh.config.files import parse_file
from xdsmesh.config.problems import MAX_PROBLEMS
from xdsmesh.config.syntax import PARSERS, parse
from xdsmesh.config.tree import Node, Object, Position, Scalar, Unread

keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,5}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=8).filter(
    lambda text: not re.fullmatch("[-+.0-9eE]+", text)  # to PyYAML some of these are no numbers
)
numbers = st.integers(-(2**63), 2**63) | st.floats(-1e9, 1e9).map(lambda number: round(number, 3))
values = st.recursive(
    numbers | st.booleans() | st.none() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)
contents = st.dictionaries(keys, values, max_size=4)


def hcl(value: Any, *, blocks: bool) -> str:
    """A value in HCL, its objects as attributes or, where that is possible, as blocks."""
    if isinstance(value, dict):
        return "{\n" + members(value, blocks=blocks) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(hcl(item, blocks=blocks) for item in value) + "]"
    return dumps(value, ensure_ascii=False)


def members(value: dict[str, Any], *, blocks: bool) -> str:
    joints = {key: " " if blocks and isinstance(inner, dict) else " = " for key, inner in value.items()}
    return "".join(f"{key}{joints[key]}{hcl(inner, blocks=blocks)}\n" for key, inner in value.items())


WRITERS: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "HCL attributes": ("hcl", lambda value: members(value, blocks=False)),
    "HCL blocks": ("hcl", lambda value: members(value, blocks=True)),
    "JSON": ("json", dumps),
    "JSON over lines": ("json", lambda value: dumps(value, indent=2, ensure_ascii=False)),
    "YAML blocks": ("yaml", lambda value: yaml.safe_dump(value, allow_unicode=True)),
    "YAML flow": ("yaml", lambda value: yaml.safe_dump(value, default_flow_style=True, width=20)),
    "JSON as YAML": ("yaml", lambda value: dumps(value, ensure_ascii=False)),
}


def plain(node: Node) -> Any:
    if isinstance(node, Object):
        return {member.key: plain(member.value) for member in node.members}
    if isinstance(node, Scalar):
        return node.value
    return [] if isinstance(node, Unread) else [plain(item) for item in node.items]


def scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif not isinstance(node, Unread):
        children = [each.value for each in node.members] if isinstance(node, Object) else node.items
        for child in children:
            yield from scalars(child)


def rest(text: str, at: Position) -> str:
    """The text from a position on, to the end of its line."""
    return text.split("\n")[at.line - 1][at.column - 1 :]


@pytest.mark.parametrize("style", WRITERS)
@settings(max_examples=40, deadline=None)
@given(value=contents)
def test_the_same_content_is_the_same_tree_and_knows_where_it_stands(
    style: str, value: dict[str, Any]
) -> None:
    ending, write = WRITERS[style]
    text = write(value)

    parsed = parse("f", text.encode(), ending)

    assert parsed.problems == ()
    assert [plain(root) for root in parsed.roots] == [value]
    for scalar in scalars(parsed.roots[0]):
        start = rest(text, scalar.at)
        assert start.startswith(("'", '"', "|", ">", scalar.text)) or (ending == "yaml" and scalar.text == "")


SIGNS = [*"{}[]=:,;\"'\\#/*<>-|&!%@`$?~.\t\r\n 0a", "é", "😀", "\u2028"]
WORDS = [
    "<<E\n",
    "E\n",
    "\n  ",
    "- ",
    ": ",
    "${",
    "//",
    "/*",
    "*/",
    "0x",
    "1e9",
    "true",
    "null",
    "<<",
    "&a ",
    "*a",
]
LINES = [
    "---\n",
    "Kind",
    '\\u00"',
    'Kind = "service-defaults"\n',
    '"Kind": "mesh",',
    "Kind: service-router\n",
]
pieces = st.lists(st.sampled_from([*SIGNS, *WORDS, *LINES]), max_size=25).map("".join)

ENTRIES = {
    "hcl": 'Kind = "service-router"\nName = "web"\nRoutes = [\n { Match { HTTP { PathExact = "/" } } },\n]\n',
    "json": '{"Kind": "service-splitter",\n "Name": "web",\n "Splits": [{"Weight": 1e2, "Service": "a"}]}\n',
    "yaml": 'Kind: service-resolver\nName: "web"\nSubsets:\n  v1: {OnlyPassing: true}\nConnectTimeout: 1s\n',
}
ENDS = {"yaml": re.compile("\r\n|[\n\r\x85\u2028\u2029]")}
"""What ends a line, where it is not just a new line: YAML 1.1 section 4.2."""


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, str]:
    """An entry in one of the syntaxes, a part of which is replaced by something else."""
    ending = draw(st.sampled_from(sorted(ENTRIES)))
    text = ENTRIES[ending]
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 8)))
    return ending, text[:start] + draw(pieces) + text[end:]


def assert_is_read_or_refused(ending: str, text: str) -> None:
    parsed = parse_file(f"f.{ending}", text.encode())

    lines = ENDS.get(ending.replace("yml", "yaml"), re.compile("\n")).split(text)
    assert len(parsed.problems) <= MAX_PROBLEMS + 1
    assert all(problem.code for problem in parsed.problems)
    for problem in parsed.problems[:MAX_PROBLEMS]:
        line, column = problem.place.line, problem.place.column
        assert line <= len(lines) + 1
        assert line > len(lines) or 1 <= column <= len(lines[line - 1]) + 2


@settings(max_examples=200, deadline=None)
@given(ending=st.sampled_from(sorted(PARSERS)), text=pieces)
def test_any_text_is_read_or_refused_at_a_place_in_it(ending: str, text: str) -> None:
    assert_is_read_or_refused(ending, text)


@settings(max_examples=200, deadline=None)
@given(mutations())
def test_a_damaged_entry_is_read_or_refused_at_a_place_in_it(mutation: tuple[str, str]) -> None:
    ending, text = mutation

    assert_is_read_or_refused(ending, text)


@given(ending=st.sampled_from(sorted(PARSERS)), data=st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(ending: str, data: bytes) -> None:
    parsed = parse_file(f"f.{ending}", data)

    assert all(problem.code for problem in parsed.problems)
