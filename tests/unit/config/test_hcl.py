from typing import Any

import hcl2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xdsmesh.config.syntax import parse
from xdsmesh.config.tree import Array, Node, Object, Position, Scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("", {}, id="nothing"),
        pytest.param(
            'a = "x"\nb = 1\nc = true\nd = null', {"a": "x", "b": 1, "c": True, "d": None}, id="attributes"
        ),
        pytest.param(
            "a = 1.5, b = -2, c = 0x1F, d = 1e3", {"a": 1.5, "b": -2, "c": 31, "d": 1000.0}, id="numbers"
        ),
        pytest.param("a { b { c = 1 } }", {"a": {"b": {"c": 1}}}, id="blocks"),
        pytest.param("a = { b = { c = 1 } }", {"a": {"b": {"c": 1}}}, id="objects"),
        pytest.param(
            "a = [{ b { c = 1 } }, { b = {} },]", {"a": [{"b": {"c": 1}}, {"b": {}}]}, id="blocks in a list"
        ),
        pytest.param("a { b = 1 }\na { b = 2 }", {"a": [{"b": 1}, {"b": 2}]}, id="repeated blocks"),
        pytest.param('a "x" { b = 1 }', {"a": {"x": {"b": 1}}}, id="a label"),
        pytest.param("a x y { b = 1 }", {"a": {"x": {"y": {"b": 1}}}}, id="labels without quotes"),
        pytest.param('"v1" = 1\n"a.b*" { c = 1 }', {"v1": 1, "a.b*": {"c": 1}}, id="keys in quotes"),
        pytest.param(
            "a-b = 1, a.b = 2, _c = 3, é = 4", {"a-b": 1, "a.b": 2, "_c": 3, "é": 4}, id="bare keys"
        ),
        pytest.param("true = false", {"true": False}, id="a word as key"),
        pytest.param("x = { a = 1, b = 2, }", {"x": {"a": 1, "b": 2}}, id="commas between attributes"),
        pytest.param(
            "x { a = 1 b { c = 2 } d = 3 }", {"x": {"a": 1, "b": {"c": 2}, "d": 3}}, id="only white space"
        ),
        pytest.param("a = [\n1,\n\n2,\n]", {"a": [1, 2]}, id="a list over lines"),
        pytest.param("a = []", {"a": []}, id="an empty list"),
        pytest.param("# x\na = 1 // y\n/* z\n * }\n **/ b = 2 # end", {"a": 1, "b": 2}, id="comments"),
        pytest.param('a = "# // /* */ { }"', {"a": "# // /* */ { }"}, id="no comment in text"),
        pytest.param('a = "${x}%{y}$${z}"', {"a": "${x}%{y}$${z}"}, id="no interpolation"),
        pytest.param(r'a = "\"\\\n\t\u00e9\U0001F600\101"', {"a": '"\\\n\té😀A'}, id="escapes"),
        pytest.param("a = <<EOF\n x\n  y\nEOF\nb = 1", {"a": " x\n  y\n", "b": 1}, id="a heredoc"),
        pytest.param("a = <<-EOF\n    x\n      y\n  EOF\n", {"a": "x\n  y\n"}, id="an indented heredoc"),
        pytest.param("a = <<E\nE\n", {"a": ""}, id="an empty heredoc"),
        pytest.param("a = [<<E\nEE\nE\n, 1]", {"a": ["EE\n", 1]}, id="a heredoc in a list"),
        pytest.param(
            "a {\r\n  b = 1\r\n}\r\nc = <<E\r\nx\r\nE\r\n", {"a": {"b": 1}, "c": "x\n"}, id="Windows"
        ),
        pytest.param("\ufeffa = 1", {"a": 1}, id="a byte order mark"),
        pytest.param(' \n{"a": [1]}', {"a": [1]}, id="JSON"),
    ],
)
def test_a_text_is_its_value(hcl: Any, text: str, value: Any) -> None:
    assert hcl.values(text) == [value]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a =", "1:4: XM0105 expected a value, found the end of the file"),
        ("a = }", '1:5: XM0105 expected a value, found "}"'),
        ("a 1", '1:3: XM0105 expected "=" and a value, or "{", found 1'),
        ("a b = 1", '1:5: XM0105 expected "{", found "="'),
        ("a = [\n  1 2\n]", '2:5: XM0105 expected "," or "]", found 2'),
        ("a = [,]", '1:6: XM0105 expected a value or "]", found ","'),
        ("[1]", '1:1: XM0105 expected a key, found "["'),
        ("a { 1 = 2 }", '1:5: XM0105 expected a key or "}", found 1'),
        ("a = 1,, b = 2", '1:7: XM0105 expected a key, found ","'),
        ("a = 1\n}", '2:1: XM0105 expected a key, found "}"'),
        ("a {\n  b {\n    c = 1\n  }\n", '1:3: XM0105 "{" is never closed (add "}")'),
        ("a = [\n  { b = [1 }\n]", '2:12: XM0105 expected "," or "]", found "}"'),
        ("a = [1", '1:5: XM0105 "[" is never closed (add "]")'),
        (
            'a = "x\nb = 1',
            (
                "1:5: XM0105 this text is not closed on its line "
                '(close it with ", or write several lines as a heredoc (<<EOF))'
            ),
        ),
        (
            "a = <<EOF\nx\n",
            "1:5: XM0105 this heredoc is never closed (put its word on a line of its own after the text)",
        ),
        ("a = 1 /* x", "1:7: XM0105 this comment is never closed (close it with */)"),
        ("a = 'x'", "1:5: XM0105 text stands in double quotes (write \" in place of ')"),
        ("a: 1", '1:2: XM0105 a key and its value are joined by "=" (write "=" in place of ":")'),
        ("a = 1; b = 2", '1:6: XM0105 members are separated by new lines or commas (remove the ";")'),
        ("a = @x", '1:5: XM0105 there is an unexpected "@" here (text stands in double quotes)'),
        ("a = foo(1)", "1:8: XM0111 functions are not evaluated (write the value itself)"),
        (
            "a = 1 + 2",
            "1:7: XM0111 + is an operator, and expressions are not evaluated (write the value itself)",
        ),
        (
            "a = x ? 1 : 2",
            "1:7: XM0111 ? is an operator, and expressions are not evaluated (write the value itself)",
        ),
        (
            "a = !x",
            "1:5: XM0111 ! is an operator, and expressions are not evaluated (write the value itself)",
        ),
        (
            "a = 1 == 1",
            "1:7: XM0111 == is an operator, and expressions are not evaluated (write the value itself)",
        ),
        ('a = [1 "secret"\n]', '1:8: XM0105 expected "," or "]", found a text'),
        (f"a\n{'x' * 25} = 1", '2:1: XM0105 expected "=" and a value, or "{", found a long word'),
        ("a = ${x}", '1:5: XM0105 there is an unexpected "$" here (text stands in double quotes)'),
    ],
)
def test_a_mistake_is_located_and_explained(hcl: Any, text: str, problem: str) -> None:
    assert hcl.problems(text) == [problem]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param(
            "a: 1\nb = 'x'\nc = 1 + 2\nd = f(1, 2)\ne = 5s; g = h",
            [
                '1:2: XM0105 a key and its value are joined by "=" (write "=" in place of ":")',
                "2:5: XM0105 text stands in double quotes (write \" in place of ')",
                "3:7: XM0111 + is an operator, and expressions are not evaluated (write the value itself)",
                "4:6: XM0111 functions are not evaluated (write the value itself)",
                '5:5: XM0105 5s is not a number (for the text write "5s")',
                '5:7: XM0105 members are separated by new lines or commas (remove the ";")',
                (
                    "5:13: XM0110 h is not in quotes, and references and expressions are not evaluated "
                    '(for the text write "h")'
                ),
            ],
            id="on several lines",
        ),
        pytest.param(
            "a {\n  b =\n  c = 1\n  d\n  e { f = , g = @ }\n}",
            [
                "3:3: XM0105 expected a value, found c",
                '5:3: XM0105 expected "=" and a value, or "{", found e',
                '5:11: XM0105 expected a value, found ","',
                '5:17: XM0105 there is an unexpected "@" here (text stands in double quotes)',
            ],
            id="missing values",
        ),
        pytest.param(
            "a = [1 2 3]\nb = [{ x = 1 } { y = }]\nc = [1,, 2, @]",
            [
                '1:8: XM0105 expected "," or "]", found 2',
                '2:16: XM0105 expected "," or "]", found "{"',
                '2:22: XM0105 expected a value, found "}"',
                '3:8: XM0105 expected a value or "]", found ","',
                '3:13: XM0105 there is an unexpected "@" here (text stands in double quotes)',
            ],
            id="in lists",
        ),
        pytest.param(
            "a = [1}\nb = \n}\nc = ]\nd = 'x'\ne {",
            [
                '1:7: XM0105 expected "," or "]", found "}"',
                '3:1: XM0105 expected a value, found "}"',
                '4:5: XM0105 expected a value, found "]"',
                "5:5: XM0105 text stands in double quotes (write \" in place of ')",
            ],
            id="of brackets that do not fit only the first",
        ),
        pytest.param(
            'a = "x\nb = "y\n',
            [
                (
                    f"{line}:5: XM0105 this text is not closed on its line "
                    '(close it with ", or write several lines as a heredoc (<<EOF))'
                )
                for line in (1, 2)
            ],
            id="texts that are not closed",
        ),
    ],
)
def test_after_a_mistake_it_goes_on(hcl: Any, text: str, problems: list[str]) -> None:
    assert hcl.problems(text) == problems


def test_what_is_left_of_a_text_with_mistakes_is_still_there() -> None:
    parsed = parse("f.hcl", b"a: 1\nb {\n  c = 'x'\n  d = 2\n}\ne = 3\n", "hcl")

    (root,) = parsed.roots
    assert len(parsed.problems) == 2
    assert plain_or_none(root) == {"a": 1, "b": {"c": None, "d": 2}, "e": 3}


def test_brackets_that_do_not_fit_leave_nothing() -> None:
    assert parse("f.hcl", b"a { b = [1 }", "hcl").roots == ()


def test_a_file_that_begins_with_a_brace_is_json(hcl: Any) -> None:
    (problem,) = hcl.problems("{ a = 1 }")

    assert problem.startswith('1:3: XM0105 this is not valid JSON at "a"')


def test_mistakes_in_values_are_found_all_at_once(hcl: Any) -> None:
    text = r"""a = web
b = [var.x, "x\.", 10s]
"\q" = 007
a = 1
c { d = 1, d { } }
"""
    unquoted = "is not in quotes, and references and expressions are not evaluated"
    assert sorted(hcl.problems(text)) == [
        f'1:5: XM0110 web {unquoted} (for the text write "web")',
        r"2:15: XM0105 \. is not an escape (write \\ for a backslash)",
        '2:20: XM0105 10s is not a number (for the text write "10s")',
        f'2:6: XM0110 var.x {unquoted} (for the text write "var.x")',
        r"3:2: XM0105 \q is not an escape (write \\ for a backslash)",
        '3:8: XM0105 007 is not a number (for the text write "007")',
        '4:1: XM0204 "a" is given twice, first at line 1 (keep one of them)',
        '5:12: XM0204 "d" is given twice, first at line 5 (keep one of them)',
    ]


def test_positions_are_those_of_keys_and_values(hcl: Any) -> None:
    (root,) = hcl.roots('# x\na = "é", b {\n\tc "l" { d = [ 7 ] }\n}\n')

    assert isinstance(root, Object)
    a, b = root.members
    assert (root.at, a.at, a.value.at) == ((2, 1), (2, 1), (2, 5))
    assert (b.at, b.value.at) == ((2, 10), (2, 10))
    assert isinstance(b.value, Object)
    (c,) = b.value.members
    assert isinstance(c.value, Object)
    (label,) = c.value.members
    assert (c.at, label.at) == ((3, 2), (3, 4))
    assert isinstance(label.value, Object)
    (d,) = label.value.members
    assert isinstance(d.value, Array)
    assert (d.at, d.value.at, d.value.items[0].at) == ((3, 10), (3, 14), (3, 16))


def test_a_number_keeps_how_it_was_written(hcl: Any) -> None:
    (root,) = hcl.roots("a = 1.10")

    assert isinstance(root, Object)
    assert root.members[0].value == Scalar(at=Position(1, 5), value=1.1, text="1.10")


keys = st.from_regex(r"[a-z_][a-z0-9_-]{0,5}", fullmatch=True).filter(
    lambda key: key not in {"null", "true", "false", "in", "for", "if", "else", "endif", "endfor", "for_each"}
)
texts = st.text(
    st.characters(codec="ascii", exclude_categories=["C"], exclude_characters='"\\$%'), max_size=8
)
values = st.recursive(
    st.integers(-(10**9), 10**9) | st.booleans() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


def plain_or_none(node: Node) -> Any:
    """Plain values, and None for what can't be read."""
    if isinstance(node, Object):
        return {member.key: plain_or_none(member.value) for member in node.members}
    return node.value if isinstance(node, Scalar) else None


def written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(inner) for inner in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


@settings(max_examples=40, deadline=None)
@given(value=st.dictionaries(keys, values, max_size=3))
def test_what_hcl2_reads_too_reads_the_same(hcl: Any, value: dict[str, Any]) -> None:
    text = "".join(f"{key} = {written(inner)}\n" for key, inner in value.items())

    options = hcl2.SerializationOptions(strip_string_quotes=True)
    assert hcl.values(text) == [hcl2.loads(text, serialization_options=options)] == [value]
