"""What is no filter, where it stops making sense, and what a person is told."""

import pytest

from xdsmesh.config.filter import FilterSyntaxError, parse
from xdsmesh.config.filter.literals import parse_boolean, parse_float, parse_integer, unquote
from xdsmesh.config.filter.syntax import MAX_LENGTH, MAX_NESTING


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("Service.Meta.version == ", 24, "expected a value"),
        ("random string", 8, "expected an operator: =="),
        ("Service.Port == 0x1f90", 17, "needs quotes"),
        ("Service.Meta.v == v-1", 20, "needs quotes"),
        ("Service.Meta.v == 1.2.3", 19, "needs quotes"),
        ("Service.Meta.v == 01", 19, "needs quotes"),
        ("Service.Meta.v == 1a", 19, "needs quotes"),
        ("Service.Meta.v == us-east-1", 21, "needs quotes"),
        ('Service.Port in "80"', 17, "expected a selector"),
        ('"80" == Service.Port', 6, 'expected "in" and a selector'),
        ("a == 1 AND b == 2", 8, "lower case"),
        ("a == 1 && b == 2", 8, 'write "and" or "or"'),
        ("not(a == 1)", 4, 'a space after "not"'),
        ("(a == 1", 8, "a closing parenthesis"),
        ("a == 1)", 7, "the end of the filter, found ')'"),
        ("a = 1", 3, "write == to compare"),
        ("a > 1", 3, "only be compared with == and !="),
        ('a == "b', 6, "the quote is never closed"),
        ('a contains"b"', 3, "expected an operator"),
        ("a == 1and b == 2", 6, "needs quotes"),
        ("a is nil", 3, "expected an operator"),
        ("a == 1 or", 8, '"and", "or" or the end'),
        ("  \n", 4, "expected a comparison"),
        ('  a == "1\\.2"', 8, "there is no escape \\.: write \\\\ for a backslash, or use `backquotes`"),
    ],
)
def test_an_error_says_where_and_what_was_expected(text: str, column: int, says: str) -> None:
    with pytest.raises(FilterSyntaxError) as caught:
        parse(text)
    assert caught.value.column == column
    assert says in caught.value.message
    assert str(caught.value) == f"column {column}: {caught.value.message}"


@pytest.mark.parametrize(
    "deep", ["(" * 65 + "a == 1" + ")" * 65, "not " * 65 + "a == 1", "not (" * 33 + "a == 1" + ")" * 33]
)
def test_nesting_has_a_bound(deep: str) -> None:
    with pytest.raises(FilterSyntaxError, match=f"deeper than {MAX_NESTING}"):
        parse(deep)


@pytest.mark.parametrize("text", ["(" * 64 + "a == 1" + ")" * 64, "not (" * 32 + "a == 1" + ")" * 32])
def test_nesting_up_to_the_bound_is_read(text: str) -> None:
    parse(text)


def test_length_has_a_bound() -> None:
    longest = "a == 1" + " " * (MAX_LENGTH - 6)
    parse(longest)
    with pytest.raises(
        FilterSyntaxError, match=f"at most {MAX_LENGTH} characters, this one has {MAX_LENGTH + 1}"
    ):
        parse(longest + " ")


@pytest.mark.parametrize(
    "text", ["(" * MAX_LENGTH, "not " * (MAX_LENGTH // 4), "a == 1 or " * 800, '"' * MAX_LENGTH]
)
def test_the_longest_nonsense_is_refused_without_recursion(text: str) -> None:
    with pytest.raises(FilterSyntaxError):
        parse(text)


@pytest.mark.parametrize(
    ("quoted", "text"),
    [
        ('"1.2.3"', "1.2.3"),
        (r'"\t\n\\"', "\t\n\\"),
        (r'"\u00e4\U0001F600"', "ä😀"),
        (r'"\xc3\xa4\303\244"', "ää"),
        ("`a\\.b`", "a\\.b"),
        ("`a\r\nb`", "a\nb"),
        ('""', ""),
    ],
)
def test_quoted_texts_are_those_of_go(quoted: str, text: str) -> None:
    assert unquote(quoted) == text


@pytest.mark.parametrize(
    "quoted", [r'"\."', r'"\x4"', r'"\xff"', r'"\ud800"', r'"\U00110000"', '"a\nb"', '"\\"']
)
def test_other_escapes_are_refused(quoted: str) -> None:
    with pytest.raises(ValueError, match=r"escape|UTF-8|Unicode|line break"):
        unquote(quoted)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-5", -5),
        ("+5", 5),
        ("0x1F90", 8080),
        ("0b11", 3),
        ("0o17", 15),
        ("017", 15),
        ("1_000", 1000),
    ],
)
def test_integers_are_those_of_go(text: str, number: int) -> None:
    assert parse_integer(text) == number


@pytest.mark.parametrize(
    "text", ["", "high", "08", "1.0", " 1", "1__0", "0x", "9223372036854775808", "\u0661"]
)
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"whole number|64 bits"):
        parse_integer(text)


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1.0), ("-1.5", -1.5), ("+.5", 0.5), ("2e3", 2000.0), ("1.", 1.0)]
)
def test_decimal_numbers_are_read(text: str, number: float) -> None:
    assert parse_float(text) == number


@pytest.mark.parametrize("text", ["", "high", "1_0", " 1", "1,5", "e3", "."])
def test_what_is_no_decimal_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a decimal number"):
        parse_float(text)


@pytest.mark.parametrize("word", ["1", "t", "T", "TRUE", "true", "True"])
def test_the_words_of_go_for_true_and_false(word: str) -> None:
    assert parse_boolean(word) is True
    opposite = {"1": "0", "t": "f", "T": "F", "TRUE": "FALSE", "true": "false", "True": "False"}[word]
    assert parse_boolean(opposite) is False


@pytest.mark.parametrize("word", ["", "yes", "tRUE", "2", "on"])
def test_other_words_are_neither_true_nor_false(word: str) -> None:
    with pytest.raises(ValueError, match="neither true nor false"):
        parse_boolean(word)
