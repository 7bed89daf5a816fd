"""Values as Go writes them, since filters take over Go's notation.

Texts: https://pkg.go.dev/strconv#Unquote, integers: https://pkg.go.dev/strconv#ParseInt with base 0, others:
https://pkg.go.dev/strconv#ParseFloat and https://pkg.go.dev/strconv#ParseBool.
"""

import re
import sys
from typing import Final

_SIMPLE: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
}
_ESCAPE: Final = re.compile(
    r"\\(?:(?P<byte>x[0-9a-fA-F]{2}|[0-3][0-7]{2})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|(?P<simple>.?))",
    re.DOTALL,
)
_INTEGER: Final = re.compile(
    r"[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)"
)
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_OCTAL: Final = re.compile(r"^([+-]?)0(?=_?[0-7])")


def unquote(text: str) -> str:
    r"""The text between double quotes, its escapes resolved, or between backquotes, as it is but for ``\r``.

    Raises:
        ValueError: an escape that Go does not know, such as ``\.``, or a line break in double quotes.
    """
    body = text[1:-1]
    if text[0] == "`":
        return body.replace("\r", "")
    if "\n" in body:
        raise ValueError('a text in "double quotes" must not contain a line break, write \\n')
    try:
        return _unescape(body).decode()
    except UnicodeError:
        raise ValueError("the escapes do not spell valid UTF-8") from None


def parse_integer(text: str) -> int:
    """Parse ``8080``, ``0x1f90``, ``0b11``, ``0o17`` or ``017``, of 64 bits.

    Raises:
        ValueError: the text is no such number.
    """
    if not _INTEGER.fullmatch(text):
        raise ValueError(f'"{text}" is not a whole number')
    number = int(_OCTAL.sub(r"\g<1>0o", text), base=0)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f'"{text}" does not fit in 64 bits')
    return number


def parse_float(text: str) -> float:
    """Parse ``1``, ``-1.5`` or ``2e3``.

    Raises:
        ValueError: the text is no such number.
    """
    if not _FLOAT.fullmatch(text):
        raise ValueError(f'"{text}" is not a decimal number')
    return float(text)


def parse_boolean(text: str) -> bool:
    """Parse ``true``, ``T``, ``1`` and the like.

    Raises:
        ValueError: the text is none of the words for true or false.
    """
    if text not in _TRUE | _FALSE:
        raise ValueError(f'"{text}" is neither true nor false')
    return text in _TRUE


def _unescape(body: str) -> bytes:
    resolved = bytearray()
    position = 0
    for escape in _ESCAPE.finditer(body):
        resolved += body[position : escape.start()].encode() + _bytes_of(escape)
        position = escape.end()
    return bytes(resolved + body[position:].encode())


def _bytes_of(escape: re.Match[str]) -> bytes:
    if byte := escape["byte"]:
        return bytes([int(byte[1:], 16) if byte[0] == "x" else int(byte, 8)])
    if code := escape["short"] or escape["long"]:
        number = int(code, 16)
        if number > sys.maxunicode:
            raise ValueError(f"\\U{code} is no character of Unicode")
        return chr(number).encode()
    if escape["simple"] not in _SIMPLE:
        raise ValueError(
            f"there is no escape {escape.group()}: write \\\\ for a backslash, or use `backquotes`"
        )
    return _SIMPLE[escape["simple"]].encode()
