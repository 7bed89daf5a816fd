r"""HCL as people write it for Consul, with positions.

This is the literal part of HCL 1 (https://github.com/hashicorp/hcl/tree/hcl1#syntax): attributes, blocks at
any depth (repeated ones become a list, labels become further levels), lists, text, heredocs, numbers,
``true``, ``false`` and ``null``. Members are separated by new lines, commas or plain white space. Nothing is
evaluated: ``"${x}"`` is literal text.

The grammar is our own, because HCL 2's refuses blocks inside the objects of a list, commas between attributes
and keys in quotes. A file that begins with ``{`` is JSON, as in HCL 1.
"""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.visitors import Transformer_NonRecursive

from xdsmesh.config.syntax import hcl_errors, json
from xdsmesh.config.tree import (
    Array,
    Member,
    Node,
    Object,
    Parsed,
    Position,
    Scalar,
    depth_problem,
    number,
    readable,
    repeated,
)
from xdsmesh.config.wording import shortened
from xdsmesh.model.errors import Problem

_GRAMMAR: Final = r"""
    start: (_item ","?)*
    _item: attribute | block
    attribute: _key "=" _value
    block: _key+ object
    object: LBRACE (_item ","?)* "}"
    list: LSQB (_value ("," _value)* ","?)? "]"
    _key: WORD | STRING
    _value: WORD | STRING | NUMBER | HEREDOC | object | list

    LBRACE: "{"
    LSQB: "["
    WORD: /[^\W\d][\w.-]*/
    STRING: /"(?:[^"\\\n]|\\.)*"/
    NUMBER: /-?\.?\d(?:[eE][+-](?=\d)|[\w.])*/
    HEREDOC: /<<-?(?P<mark>[^\W\d]\w*)[ \t\r]*\n(?:.*\n)*?[ \t]*(?P=mark)(?=[ \t\r]*(?:\n|\Z))/

    %ignore /[ \t\r\n]+/
    %ignore /(?:#|\/\/).*/
    %ignore /\/\*(?:[^*]|\*(?!\/))*\*\//
"""
_NUMBER: Final = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
_WORDS: Final = {"true": True, "false": False, "null": None}
_ESCAPE: Final = re.compile(
    r'\\(?:(?P<short>[abfnrtv"\\])|(?P<octal>[0-7]{3})|x(?P<x>[\da-fA-F]{2})|u(?P<u>[\da-fA-F]{4})'
    r"|U(?P<U>00(?:0[\da-fA-F]|10)[\da-fA-F]{4})|.)"
)
_SHORT: Final = dict(zip('abfnrtv"\\', '\a\b\f\n\r\t\v"\\', strict=True))


def parse(text: str, source: str) -> Parsed:
    """Parse a file's attributes and blocks into one object."""
    if text.lstrip()[:1] == "{":
        return json.parse(text, source)
    try:
        tree = _parser().parse(text)
    except UnexpectedToken as error:
        return Parsed(problems=(hcl_errors.token_problem(error, source),))
    except UnexpectedCharacters as error:
        return Parsed(problems=(hcl_errors.character_problem(error, text, source),))
    builder = _Builder(source)
    root = builder.transform(tree)
    if (deep := depth_problem(root, source)) is not None:
        return Parsed(problems=(deep,))
    return Parsed((root,), tuple(builder.problems))


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="basic")


@dataclass(frozen=True, slots=True)
class _Item:
    """An attribute or a block, before the repeated blocks of an object are put together."""

    member: Member
    block: bool


class _Builder(Transformer_NonRecursive[Token, Object]):
    """Makes the tree, bottom-up and without recursion, so that any depth is survived and then refused."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self._source = source
        self.problems: list[Problem] = []

    def start(self, items: Sequence[_Item]) -> Object:
        return Object(items[0].member.at if items else Position(1, 1), self._members(items))

    def attribute(self, children: tuple[Token, Token | Node]) -> _Item:
        key, value = children
        return _Item(Member(_position(key), self._key(key), self._value(value)), block=False)

    def block(self, children: Sequence[Any]) -> _Item:
        key, *labels, body = children
        value: Object = body._replace(at=_position(key))
        for label in reversed(labels):
            value = Object(value.at, (Member(_position(label), self._key(label), value),))
        return _Item(Member(value.at, self._key(key), value), block=True)

    def object(self, children: Sequence[Any]) -> Object:
        brace, *items = children
        return Object(_position(brace), self._members(items))

    def list(self, children: Sequence[Any]) -> Array:
        bracket, *items = children
        return Array(_position(bracket), tuple(self._value(item) for item in items))

    def _members(self, items: Sequence[_Item]) -> tuple[Member, ...]:
        """Blocks of one key become a list in the order of the text; any other repetition is a problem."""
        groups: dict[str, list[_Item]] = {}
        for item in items:
            groups.setdefault(item.member.key, []).append(item)
        return tuple(self._member(group) for group in groups.values())

    def _member(self, group: Sequence[_Item]) -> Member:
        first = group[0].member
        if len(group) == 1:
            return first
        if all(item.block for item in group):
            return first._replace(value=Array(first.at, tuple(item.member.value for item in group)))
        self.problems += [repeated(first.key, first.at, item.member.at, self._source) for item in group[1:]]
        return first

    def _key(self, token: Token) -> str:
        return str(token) if token.type == "WORD" else self._text(token)

    def _value(self, value: Token | Node) -> Node:
        if not isinstance(value, Token):
            return value
        at, written = _position(value), str(value)
        if value.type == "NUMBER" and _NUMBER.fullmatch(written):
            return Scalar(at, number(written), written)
        if value.type == "WORD" and written in _WORDS:
            return Scalar(at, _WORDS[written], written)
        text = self._literal(value)
        return Scalar(at, text, text)

    def _literal(self, token: Token) -> str:
        if token.type == "STRING":
            return self._text(token)
        if token.type == "HEREDOC":
            return _heredoc(token)
        written = shortened(token)
        if token.type == "NUMBER":
            what = f"{written} is not a number"
        else:
            what = f"{written} is not in quotes, and references and expressions are not evaluated"
        self.problems.append(
            Problem(_position(token).place(self._source), what, f'for the text write "{written}"')
        )
        return str(token)

    def _text(self, token: Token) -> str:
        if "\\" not in token:
            return str(token[1:-1])
        text = _ESCAPE.sub(lambda match: self._unescape(token, match), token)[1:-1]
        return readable(text, _position(token), self._source, self.problems)

    def _unescape(self, token: Token, match: re.Match[str]) -> str:
        kind = match.lastgroup
        if kind is None:
            at = Position(token.line or 0, (token.column or 0) + match.start())
            what = f"{match.group()} is not an escape"
            self.problems.append(Problem(at.place(self._source), what, r"write \\ for a backslash"))
            return match.group()
        digits = match[kind]
        return _SHORT[digits] if kind == "short" else chr(int(digits, 8 if kind == "octal" else 16))


def _position(token: Token) -> Position:
    return Position(token.line or 0, token.column or 0)


def _heredoc(token: Token) -> str:
    """The lines between the marks, each with its end; ``<<-`` takes away the indentation they share."""
    opening, _, rest = token.replace("\r\n", "\n").partition("\n")
    text = rest[: rest.rfind("\n") + 1]
    return textwrap.dedent(text) if opening.startswith("<<-") else text
