"""From the tree of a filter to a function of a row: selectors are looked up and values coerced once."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from operator import eq, not_
from typing import Any, Final, NamedTuple

import re2

from xdsmesh.config.filter.expression import And, Expression, Match, Not, Operator, Or
from xdsmesh.config.filter.literals import parse_boolean, parse_float, parse_integer
from xdsmesh.config.filter.shapes import Map, Object, Objects, Primitive, Shape, Value, Values, closest

Test = Callable[[Any], bool]

_OPPOSITES: Final = {
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_MATCHES: Operator.MATCHES,
    Operator.IS_NOT_EMPTY: Operator.IS_EMPTY,
}
_TRUE_OF_MISSING: Final = frozenset(
    {
        Operator.NOT_EQUAL,
        Operator.NOT_IN,
        Operator.MATCHES,
        Operator.NOT_MATCHES,
        Operator.IS_EMPTY,
    }
)
"""What holds where a map lacks the key; that ``matches`` does is Consul's behaviour."""

_COLLECTION: Final = ("in", "contains", "is empty")
_ZEROS: Final = {Primitive.TEXT: "", Primitive.INTEGER: 0, Primitive.FLOAT: 0.0, Primitive.BOOL: False}
_PARSERS: Final[dict[Primitive, Callable[[str], Any]]] = {
    Primitive.TEXT: str,
    Primitive.INTEGER: parse_integer,
    Primitive.FLOAT: parse_float,
    Primitive.BOOL: parse_boolean,
}
_MANY: Final = 8
"""How many names an error lists at most."""


class _Reader(NamedTuple):
    """A question about a value, and its answer where there is none."""

    test: Test
    of_none: bool


def bind(expression: Expression, row: Object, problems: list[str]) -> Test:
    """The function of a row that an expression stands for.

    What doesn't fit a row is added to ``problems``; the function must not be used then.
    """
    match expression:
        case And(operands):
            return partial(_all, tuple(bind(operand, row, problems) for operand in operands))
        case Or(operands):
            return partial(_any, tuple(bind(operand, row, problems) for operand in operands))
        case Not(operand):
            return _negate(bind(operand, row, problems))
        case Match():
            try:
                return _follow(expression, row, expression.selector, row).test
            except ValueError as problem:
                problems.append(str(problem))
                return _unusable


def _follow(match: Match, shape: Shape, path: tuple[str, ...], row: Object) -> _Reader:
    """What a match asks of a value of this shape, along what is left of its selector."""
    if not path:
        return _ask(match, shape)
    match shape:
        case Object(members) if member := members.get(path[0]):
            return _in_member(member.get, _follow(match, member.shape, path[1:], row))
        case Objects(item):
            return _in_any(_follow(match, item, path, row))
        case Map(Value() | Values() | Map() | Object() | Objects() as value):
            missing = match.operator in _TRUE_OF_MISSING
            return _in_entry(path[0], _follow(match, value, path[1:], row), missing=missing)
    raise ValueError(_unknown(match.selector, row))


def _in_member(get: Callable[[Any], Any], inner: _Reader) -> _Reader:
    test, of_none = inner

    def ask(object_: Any) -> bool:
        value = get(object_)
        return of_none if value is None else test(value)

    return _Reader(ask, of_none)


def _in_any(inner: _Reader) -> _Reader:
    return _Reader(lambda items: any(map(inner.test, items)), of_none=False)


def _in_entry(key: str, inner: _Reader, *, missing: bool) -> _Reader:
    test = inner.test

    def ask(entries: Any) -> bool:
        value = entries.get(key)
        return missing if value is None else test(value)

    return _Reader(ask, missing)


def _ask(match: Match, shape: Shape) -> _Reader:
    """What a match asks of what its whole selector yields."""
    positive = _OPPOSITES.get(match.operator, match.operator)
    allowed = _allowed(shape)
    if positive not in allowed:
        raise ValueError(_not_allowed(match, shape, allowed))
    test = _test(positive, match, shape)
    if positive is not match.operator:
        test = _negate(test)
    return _Reader(test, test(_ZEROS[shape.type] if isinstance(shape, Value) else ()))


def _allowed(shape: Shape) -> tuple[str, ...]:
    """What may be asked of a shape; the negated form of each as well."""
    match shape:
        case Value(Primitive.TEXT):
            return ("==", "in", "contains", "matches")
        case Value():
            return ("==",)
        case Values() | Map():
            return _COLLECTION
        case Objects():
            return ("is empty",)
        case Object():
            return ()


def _test(operator: Operator, match: Match, shape: Shape) -> Test:
    match operator:
        case Operator.EQUAL:
            return partial(eq, _coerced(match, shape))
        case Operator.IN:
            return partial(_contains, _coerced(match, shape))
        case Operator.MATCHES:
            return partial(_searches, _pattern(match))
        case _:
            return not_


def _coerced(match: Match, shape: Shape) -> Any:
    type_ = shape.type if isinstance(shape, Value | Values) else Primitive.TEXT
    try:
        return _PARSERS[type_](match.value)
    except ValueError as error:
        raise ValueError(f"{_name(match.selector)} is {shape}, and {error}") from None


def _all(tests: tuple[Test, ...], row: Any) -> bool:
    for test in tests:  # noqa: SIM110 - asked of every instance, and twice as fast as all(...)
        if not test(row):
            return False
    return True


def _any(tests: tuple[Test, ...], row: Any) -> bool:
    for test in tests:  # noqa: SIM110 - as above
        if test(row):
            return True
    return False


def _negate(test: Test) -> Test:
    return lambda value: not test(value)


def _contains(wanted: Any, value: Any) -> bool:
    return wanted in value


def _searches(pattern: Any, value: str) -> bool:
    return pattern.search(value.encode()) is not None


def _unusable(_: Any) -> bool:
    raise AssertionError("a filter with problems was evaluated")


def _pattern(match: Match) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(match.value.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise ValueError(f'"{match.value}" is not a regular expression of RE2: {reason}') from None


def _unknown(selector: tuple[str, ...], row: Object) -> str:
    guess = closest(row, selector)
    advice = f"did you mean {guess}?" if guess else f"selectors begin with {_listed(row.members)}"
    return f"there is no selector {_name(selector)}: {advice}"


def _not_allowed(match: Match, shape: Shape, allowed: tuple[str, ...]) -> str:
    name = _name(match.selector)
    if isinstance(shape, Object):
        fields = _listed(f"{name}.{member}" for member in shape.members)
        return f"{name} is no single value, select one of its fields: {fields}"
    return f"{name} is {shape}, which allows no {match.operator.value!r}, only {', '.join(allowed)}"


def _listed(names: Iterable[str]) -> str:
    first = list(islice(names, _MANY + 1))
    return ", ".join(first[:_MANY]) + (", ..." if len(first) > _MANY else "")


def _name(selector: tuple[str, ...]) -> str:
    return ".".join(selector)
