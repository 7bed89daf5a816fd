"""What is wrong with a text that is no HCL, and what would be right, in a person's words."""

import re
from typing import Final

from xdsmesh.config.syntax.hcl_tokens import END, HEREDOC, STRAY, TEXT, Token
from xdsmesh.config.wording import shortened
from xdsmesh.model.codes import Code

_MAX_WORD: Final = 24
"""What is longer may be a line of a key that has lost its quotes; it must not end in a log."""
_NOT_EVALUATED: Final = "expressions are not evaluated"

_STRAY: Final[tuple[tuple[str, Code, str, str], ...]] = (
    (
        r'"',
        Code.SYNTAX,
        "this text is not closed on its line",
        'close it with ", or write several lines as a heredoc (<<EOF)',
    ),
    (
        r"<<-?[^\W\d]",
        Code.SYNTAX,
        "this heredoc is never closed",
        "put its word on a line of its own after the text",
    ),
    (r"/\*", Code.SYNTAX, "this comment is never closed", "close it with */"),
    (r"'", Code.SYNTAX, "text stands in double quotes", "write \" in place of '"),
    (r":", Code.SYNTAX, 'a key and its value are joined by "="', 'write "=" in place of ":"'),
    (r"\(", Code.EXPRESSION, "functions are not evaluated", "write the value itself"),
    (r";", Code.SYNTAX, "members are separated by new lines or commas", 'remove the ";"'),
    (
        r"[-+*/%?!&|<>=]+",
        Code.EXPRESSION,
        f"{{found}} is an operator, and {_NOT_EVALUATED}",
        "write the value itself",
    ),
    (r".", Code.SYNTAX, 'there is an unexpected "{found}" here', "text stands in double quotes"),
)
"""What stands where no token begins, what is wrong about it, and the remedy; the first match counts."""


def unexpected(token: Token, expected: str) -> tuple[str, str, Code]:
    """What is wrong with a token that stands in the wrong place, what to do, and its code."""
    if token.kind == STRAY:
        return _stray(token.text)
    found = {END: "the end of the file", HEREDOC: "a heredoc", TEXT: "a text", token.text: f'"{token.text}"'}
    word = token.text if len(token.text) <= _MAX_WORD else "a long word"
    return f"expected {expected}, found {found.get(token.kind, word)}", "", Code.SYNTAX


def _stray(text: str) -> tuple[str, str, Code]:
    for pattern, code, what, remedy in _STRAY:
        if match := re.match(pattern, text):
            return what.replace("{found}", shortened(match.group())), remedy, code
    return "the text can't be read from here on", "", Code.SYNTAX
