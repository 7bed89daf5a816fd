from typing import Any

import pytest

from xdsmesh.config.tree import Array, Object, Position, Scalar


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        ("# nothing\n---\n---\n", []),
        ("a: 1\nb:\n  - x\n  - {c: [true, ~]}\n", [{"a": 1, "b": ["x", {"c": [True, None]}]}]),
        ("a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("- 1\n- -2.5\n- 1e3\n- 0x1f\n", [[1, -2.5, 1000.0, 31]]),
        ("[yes, no, on, off, y, n]", [["yes", "no", "on", "off", "y", "n"]]),
        ("[010, 1:30, 2020-01-01, 1_000, .inf]", [["010", "1:30", "2020-01-01", "1_000", ".inf"]]),
        ("['1', \"true\", 'null', '']", [["1", "true", "null", ""]]),
        ("a: |\n  x\n  y\nb: >\n  x\n  y\n", [{"a": "x\ny\n", "b": "x y\n"}]),
        ("1: a\ntrue: b\n'': c", [{"1": "a", "true": "b", "": "c"}]),
        ('{"a": ["json"]}', [{"a": ["json"]}]),
    ],
)
def test_a_text_is_its_documents(yaml: Any, text: str, values: list[Any]) -> None:
    assert yaml.values(text) == values


def test_positions_are_those_of_keys_and_values(yaml: Any) -> None:
    first, second = yaml.roots("é: ü\n---\n# x\nb:\n  - 1.10\n")

    assert isinstance(first, Object)
    assert isinstance(second, Object)
    assert (first.members[0].at, first.members[0].value.at) == ((1, 1), (1, 4))
    assert (second.at, second.members[0].at) == ((4, 1), (4, 1))
    items = second.members[0].value
    assert isinstance(items, Array)
    assert items.items[0] == Scalar(at=Position(5, 5), value=1.1, text="1.10")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &x 1", "1:4: XM0106 anchors such as &x are not read (remove it)"),
        ("a: *x", "1:4: XM0106 aliases such as *x are not read (write the value out)"),
        ("- &x [1]", "1:3: XM0106 anchors such as &x are not read (remove it)"),
        ("<<: {a: 1}", "1:1: XM0106 merge keys (<<) are not read (write the members out)"),
        ("&x a: 1", "1:1: XM0106 anchors such as &x are not read (remove it)"),
        ("a: !!str 1", "1:4: XM0106 tags such as tag:yaml.org,2002:str are not read (remove it)"),
        (
            "a: !!python/object:os.system {}",
            "1:4: XM0106 tags such as tag:yaml.org,2002:python/object:os.syste... are not read (remove it)",
        ),
        ("? [a]\n: 1", "1:3: XM0105 a key must be a single word or text"),
        ("a: 1\nb: 2\na: 3", '3:1: XM0204 "a" is given twice, first at line 1 (keep one of them)'),
        (
            "a: [1",
            (
                "2:1: XM0105 this is not valid YAML: while parsing a flow sequence "
                "did not find expected ',' or ']'"
            ),
        ),
        ("a: b: c", "1:5: XM0105 this is not valid YAML: mapping values are not allowed in this context"),
        (
            "a:\n\t- 1",
            (
                "2:1: XM0105 this is not valid YAML: while scanning for the next token "
                "found character that cannot start any token"
            ),
        ),
        ("a: \x01", "1:4: XM0104 the character U+0001 may not stand in YAML (remove it)"),
    ],
)
def test_a_mistake_is_located_and_explained(yaml: Any, text: str, problem: str) -> None:
    assert yaml.problems(text) == [problem]
