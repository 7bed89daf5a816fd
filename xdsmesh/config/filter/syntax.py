"""From the text of a filter to its tree."""

import re
from functools import cache
from typing import Final, NamedTuple, cast

from lark import Lark, Token, Transformer, UnexpectedInput, v_args

from xdsmesh.config.filter.errors import FilterSyntaxError
from xdsmesh.config.filter.expression import And, Expression, Match, Not, Operator, Or
from xdsmesh.config.filter.hints import explain, position_of
from xdsmesh.config.filter.literals import unquote

MAX_LENGTH: Final = 8 * 1024
"""How many characters a filter may have."""

MAX_NESTING: Final = 64
"""How deep parentheses and ``not`` may stand in each other."""

_WHITE_SPACE: Final = " \t\r\n"
_PART: Final = re.compile(r"""(?P<name>[A-Za-z][A-Za-z0-9_]*)|(?P<quoted>"[^"]*"|`[^`]*`)""")
_SWAPPED: Final = {"contains": Operator.IN, "not contains": Operator.NOT_IN}


def parse_expression(text: str) -> Expression:
    """Parse the text of a filter.

    Raises:
        FilterSyntaxError: it is none, or too long or nested too deep.
    """
    if len(text) > MAX_LENGTH:
        raise FilterSyntaxError(
            f"a filter has at most {MAX_LENGTH} characters, this one has {len(text)}", MAX_LENGTH
        )
    start = len(text) - len(text.lstrip(_WHITE_SPACE))
    body = text.strip(_WHITE_SPACE)
    try:
        return cast("_Nested", _parser().parse(body)).expression
    except UnexpectedInput as unexpected:
        column = start + position_of(unexpected, body) + 1
        raise FilterSyntaxError(explain(unexpected, body), column) from None
    except FilterSyntaxError as error:
        raise FilterSyntaxError(error.message, start + error.column) from None


@cache
def _parser() -> Lark:
    return Lark.open_from_package(
        __package__, "grammar.lark", start="either", parser="lalr", transformer=_Build()
    )


class _Nested(NamedTuple):
    """An expression, and how deep parentheses and ``not`` stand in each other in it."""

    expression: Expression
    depth: int = 0


@v_args(inline=True)
class _Build(Transformer[Token, _Nested]):
    """Builds the tree while the text is read, from the leaves up, so that depth takes no recursion."""

    def either(self, *operands: _Nested) -> _Nested:
        return _Nested(Or(_expressions(operands)), _depth(operands))

    def both(self, *operands: _Nested) -> _Nested:
        return _Nested(And(_expressions(operands)), _depth(operands))

    def negation(self, operand: _Nested) -> _Nested:
        return _deeper(Not(operand.expression), operand)

    def group(self, operand: _Nested) -> _Nested:
        return _deeper(operand.expression, operand)

    def comparison(self, selector: Token, operator: Token, value: str) -> _Nested:
        return _Nested(Match(_path(selector), _operator(operator), value))

    def emptiness(self, selector: Token, operator: Token) -> _Nested:
        return _Nested(Match(_path(selector), _operator(operator)))

    def membership(self, value: str, operator: Token, selector: Token) -> _Nested:
        return _Nested(Match(_path(selector), _operator(operator), value))

    def word(self, token: Token) -> str:
        return ".".join(_path(token))

    def number(self, token: Token) -> str:
        return str(token)

    def quoted(self, token: Token) -> str:
        return _unquoted(str(token), token)


def _deeper(expression: Expression, inner: _Nested) -> _Nested:
    if inner.depth == MAX_NESTING:
        raise FilterSyntaxError(f"parentheses and not are nested deeper than {MAX_NESTING}", 1)
    return _Nested(expression, inner.depth + 1)


def _expressions(operands: tuple[_Nested, ...]) -> tuple[Expression, ...]:
    return tuple(operand.expression for operand in operands)


def _depth(operands: tuple[_Nested, ...]) -> int:
    return max(operand.depth for operand in operands)


def _operator(token: Token) -> Operator:
    words = " ".join(token.split())
    return _SWAPPED.get(words) or Operator(words)


def _path(selector: Token) -> tuple[str, ...]:
    parts = _PART.finditer(selector)
    return tuple(part["name"] or _unquoted(part["quoted"], selector) for part in parts)


def _unquoted(text: str, token: Token) -> str:
    try:
        return unquote(text)
    except ValueError as error:
        raise FilterSyntaxError(str(error), (token.start_pos or 0) + 1) from None
