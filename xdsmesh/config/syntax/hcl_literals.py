"""The values of an HCL text that have no parts."""

import re
import textwrap
from typing import Final

from xdsmesh.config.syntax.hcl_tokens import HEREDOC, NUMBER, TEXT, WORD, Token
from xdsmesh.config.syntax.reading import Reading
from xdsmesh.config.tree import Position, Scalar, Unread, number
from xdsmesh.config.wording import shortened
from xdsmesh.model.codes import Code

_NUMBER: Final = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
_WORDS: Final = {"true": True, "false": False, "null": None}
_ESCAPE: Final = re.compile(
    r'\\(?:(?P<short>[abfnrtv"\\])|(?P<octal>[0-7]{3})|x(?P<x>[\da-fA-F]{2})|u(?P<u>[\da-fA-F]{4})'
    r"|U(?P<U>00(?:0[\da-fA-F]|10)[\da-fA-F]{4})|.)",
    re.ASCII,
)
_SHORT: Final = dict(zip('abfnrtv"\\', '\a\b\f\n\r\t\v"\\', strict=True))

LITERALS: Final = frozenset({WORD, TEXT, NUMBER, HEREDOC})


def literal(token: Token, at: Position, reading: Reading) -> Scalar | Unread:
    """The value that a token stands for."""
    if token.kind == TEXT:
        return quoted(token.text, at, reading)
    if token.kind == HEREDOC:
        text = _heredoc(token.text)
        return Scalar(at, text, text)
    if token.kind == NUMBER and _NUMBER.fullmatch(token.text):
        return Scalar(at, number(token.text), token.text)
    if token.text in _WORDS:
        return Scalar(at, _WORDS[token.text], token.text)
    written = shortened(token.text)
    what, code = (
        (f"{written} is not a number", Code.SYNTAX)
        if token.kind == NUMBER
        else (f"{written} is not in quotes, and references and expressions are not evaluated", Code.UNQUOTED)
    )
    reading.problems.add(at, what, f'for the text write "{written}"', code=code)
    return Unread(at, token.text)


def quoted(text: str, at: Position, reading: Reading) -> Scalar | Unread:
    """The text that stands in quotes."""
    inner = text[1:-1]
    if "\\" not in inner:
        return Scalar(at, inner, inner)
    wrong = next((match for match in _ESCAPE.finditer(inner) if match.lastgroup is None), None)
    if wrong is None:
        return reading.unescaped(at, _ESCAPE.sub(_unescaped, inner))
    there = Position(at.line, at.column + 1 + wrong.start())
    what = f"{wrong.group()} is not an escape"
    reading.problems.add(there, what, r"write \\ for a backslash", code=Code.SYNTAX)
    return Unread(at, inner)


def _unescaped(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    digits = match[kind]
    return _SHORT[digits] if kind == "short" else chr(int(digits, 8 if kind == "octal" else 16))


def _heredoc(written: str) -> str:
    """The lines between the marks, each with its end; ``<<-`` takes away the indentation they share."""
    opening, _, rest = written.replace("\r\n", "\n").partition("\n")
    text = rest[: rest.rfind("\n") + 1]
    return textwrap.dedent(text) if opening.startswith("<<-") else text
