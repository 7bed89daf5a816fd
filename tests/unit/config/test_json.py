from json import dumps
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xdsmesh.config.tree import Array, Object, Position, Scalar

KEY_DUE = 'a key in double quotes is due here; no "," follows the last member'
VALUE_DUE = 'a value is due here; text needs double quotes, and no "," follows the last item'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        (' [1, -2.5, 1e3, true, false, null, "x"]\n', [1, -2.5, 1000.0, True, False, None, "x"]),
        (r'{"a": {"b": ["\"\\\u00e9\ud83d\ude00", "{[,:"]}}', {"a": {"b": ['"\\é😀', "{[,:"]}}),
        ('{"": []}', {"": []}),
        ("\ufeff1", 1),
    ],
)
def test_a_text_is_its_value(json: Any, text: str, value: Any) -> None:
    assert json.values(text) == [value]


def test_positions_are_those_of_keys_and_values(json: Any) -> None:
    (root,) = json.roots('{"é": "ü",\n\t"b" : [ 1,\n{}]}')

    assert isinstance(root, Object)
    a, b = root.members
    assert (root.at, a.at, a.value.at, b.at, b.value.at) == ((1, 1), (1, 2), (1, 7), (2, 2), (2, 8))
    assert isinstance(b.value, Array)
    assert [item.at for item in b.value.items] == [(2, 10), (3, 1)]
    assert b.value.items[0] == Scalar(at=Position(2, 10), value=1, text="1")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "",
            f"1:1: XM0105 this is not valid JSON at the end of the text ({VALUE_DUE})",
        ),
        (
            '{"a": 1,\n}',
            f'2:1: XM0105 this is not valid JSON at "}}" ({KEY_DUE})',
        ),
        (
            "{'a': 1}",
            f'1:2: XM0105 this is not valid JSON at "\'" ({KEY_DUE})',
        ),
        ('{"a" 1}', '1:6: XM0105 this is not valid JSON at "1" (put ":" between a key and its value)'),
        (
            '{"a": 1 "b": 2}',
            '1:9: XM0105 this is not valid JSON at "\\"" (put "," between members and between items)',
        ),
        (
            "[1, 2",
            (
                "1:6: XM0105 this is not valid JSON at the end of the text "
                '(put "," between members and between items)'
            ),
        ),
        (
            "{} {}",
            '1:4: XM0105 this is not valid JSON at "{" (a file is one JSON value; put several into a list)',
        ),
        (r'["\q"]', r'1:3: XM0105 this is not valid JSON at "\\" (write \\ for a backslash)'),
        (
            '["a\nb"]',
            r'1:4: XM0105 this is not valid JSON at "\n" (write \n for a new line and \t for a tab)',
        ),
        ('[1, "a', '1:5: XM0105 this is not valid JSON at "\\"" (close it with ")'),
        ('["NaN", NaN]', "1:9: XM0105 NaN is not a number that JSON knows"),
        ("[-Infinity]", "1:2: XM0105 -Infinity is not a number that JSON knows"),
    ],
)
def test_a_mistake_is_located_and_explained(json: Any, text: str, problem: str) -> None:
    assert json.problems(text) == [problem]


def test_repeated_keys_are_found_all_at_once(json: Any) -> None:
    assert json.problems('{"a": 1,\n "a": 2,\n "b": [{"c": 1, "c": 2}]}') == [
        '2:2: XM0204 "a" is given twice, first at line 1 (keep one of them)',
        '3:17: XM0204 "c" is given twice, first at line 3 (keep one of them)',
    ]


def test_the_case_of_keys_is_left_to_whoever_knows_them(json: Any) -> None:
    assert json.values('{"a": 1, "A": 2}') == [{"a": 1, "A": 2}]


scalars = (
    st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none()
)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
trees = st.recursive(
    scalars | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)


@given(value=trees, indent=st.sampled_from([None, 1]), ascii_only=st.sampled_from([True, False]))
def test_what_the_standard_library_writes_reads_back(
    json: Any, value: Any, indent: int | None, *, ascii_only: bool
) -> None:
    text = dumps(value, indent=indent, ensure_ascii=ascii_only)

    assert json.values(text) == [value]
