"""What a person is told whose filter can't be read: what was expected, what was found, what may help."""

import re
from typing import Final

from lark import UnexpectedInput

_EXPECTATIONS: Final = (
    ({"_OPEN"}, "a comparison such as Service.Meta.version == 1"),
    ({"NUMBER"}, 'a value: a word, a number, or a text in "quotes"'),
    ({"EQUAL"}, "an operator: ==, !=, in, contains, matches, is empty"),
    ({"IN"}, '"in" and a selector'),
    ({"SELECTOR"}, "a selector such as Service.Tags"),
    ({"_CLOSE"}, '"and", "or" or a closing parenthesis'),
)
"""What a set of terminals means to a person; the first one whose terminals are all in it."""

_AT_THE_END: Final = '"and", "or" or the end of the filter'

_HINTS: Final = (
    (r"\"[^\"]*\Z|`[^`]*\Z", "the quote is never closed"),
    (r"(?<=\bnot)\(", 'write a space after "not"'),
    (r"=(?!=)", "write == to compare"),
    (r"(?:&&|\|\|)", 'write "and" or "or"'),
    (r"[<>]", "numbers can only be compared with == and !="),
    (r"(?:AND|OR|NOT|IN|IS|CONTAINS|MATCHES)\b", "operators are written in lower case"),
    (r"(?<=\w)[^\s()]|-?\d", "a value that is no plain word or number, such as 1.2.3 or v-1, needs quotes"),
)
_COMPILED_HINTS: Final = tuple((re.compile(pattern), hint) for pattern, hint in _HINTS)


def position_of(unexpected: UnexpectedInput, text: str) -> int:
    """Where in the text it stops making sense."""
    token = getattr(unexpected, "token", None)
    at_end = token is not None and token.type == "$END"
    position = len(text) if at_end else unexpected.pos_in_stream or 0
    return len(text) - len(text[position:].lstrip())


def explain(unexpected: UnexpectedInput, text: str) -> str:
    """What is wrong there, in one line."""
    position = position_of(unexpected, text)
    accepted = unexpected.interactive_parser.accepts()  # type: ignore[no-untyped-call] # by lark
    expected = next((words for needed, words in _EXPECTATIONS if needed <= accepted), _AT_THE_END)
    found = text[position:].split(maxsplit=1)
    message = f"expected {expected}, found {found[0]!r}" if found else f"expected {expected}"
    hint = next((hint for pattern, hint in _COMPILED_HINTS if pattern.match(text, position)), "")
    return f"{message} ({hint})" if hint else message
