"""What is wrong with a text that is no HCL, and what would be right, in a person's words."""

import re
from collections.abc import Set as AbstractSet
from typing import Final

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from xdsmesh.config.tree import Position
from xdsmesh.config.wording import shortened
from xdsmesh.model.errors import Problem

_CLOSERS: Final = {"LBRACE": "}", "LSQB": "]"}
_SIGNS: Final = {"EQUAL": "=", "LBRACE": "{", "RBRACE": "}", "LSQB": "[", "RSQB": "]", "COMMA": ","}
_NOT_EVALUATED: Final = "expressions are not evaluated"

_STRAY: Final[tuple[tuple[str, str, str], ...]] = (
    (
        r'"',
        "this text is not closed on its line",
        'close it with ", or write several lines as a heredoc (<<EOF)',
    ),
    (r"<<-?[^\W\d]", "this heredoc is never closed", "put its word on a line of its own after the text"),
    (r"/\*", "this comment is never closed", "close it with */"),
    (r"'", "text stands in double quotes", "write \" in place of '"),
    (r":", 'a key and its value are joined by "="', 'write "=" in place of ":"'),
    (r"\(", "functions are not evaluated", "write the value itself"),
    (r";", "members are separated by new lines or commas", 'remove the ";"'),
    (r"[-+*/%?!&|<>]+", f"{{found}} is an operator, and {_NOT_EVALUATED}", "write the value itself"),
    (r".", 'there is an unexpected "{found}" here', "text stands in double quotes"),
)
"""What stands where no token begins, what is wrong about it, and the remedy; the first match counts."""


def character_problem(error: UnexpectedCharacters, text: str, source: str) -> Problem:
    """What is wrong where the text can't be divided into words."""
    rest = text[error.pos_in_stream or 0 :]
    at = Position(error.line, error.column).place(source)
    for pattern, what, remedy in _STRAY:
        if match := re.match(pattern, rest):
            found = shortened(match.group())
            return Problem(at, what.replace("{found}", found), remedy.replace("{found}", found))
    return Problem(at, "the text can't be read from here on")


def token_problem(error: UnexpectedToken, source: str) -> Problem:
    """What is wrong where a word, sign or value stands in the wrong place, or the text ends too early."""
    token: Token = error.token
    at = Position(token.line or 1, token.column or 1)
    expected = _expected(frozenset(error.accepts or error.expected))
    if token.type != "$END":
        return Problem(at.place(source), f"expected {expected}, found {_found(token)}")
    opening = _unclosed(error)
    if opening is None:
        return Problem(at.place(source), f"expected {expected}, found the end of the file")
    at = Position(opening.line or 0, opening.column or 0)
    return Problem(at.place(source), f'"{opening}" is never closed', f'add "{_CLOSERS[opening.type]}"')


def _expected(accepts: AbstractSet[str]) -> str:
    """The tokens that would be right, without the rarely meant ones (labels before a block, a comma)."""
    if "NUMBER" in accepts:
        return "a value" if "RSQB" not in accepts else 'a value or "]"'
    if "EQUAL" in accepts:
        return '"=" and a value, or "{"'
    if "LBRACE" in accepts:
        return '"{"'
    keys = ["a key"] if "WORD" in accepts else []
    signs = [f'"{_SIGNS[sign]}"' for sign in ("COMMA", "RSQB", "RBRACE") if sign in accepts]
    return " or ".join([*keys, *(signs if not keys else [sign for sign in signs if sign != '","'])])


def _found(token: Token) -> str:
    if token.type in _SIGNS:
        return f'"{_SIGNS[token.type]}"'
    return "a heredoc" if token.type == "HEREDOC" else shortened(str(token))


def _unclosed(error: UnexpectedToken) -> Token | None:
    """The innermost bracket that the parser has read and that is still open."""
    stack = error.interactive_parser.parser_state.value_stack
    return next((item for item in reversed(stack) if isinstance(item, Token) and item.type in _CLOSERS), None)
