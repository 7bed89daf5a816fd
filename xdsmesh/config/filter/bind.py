"""From the tree of a filter to a function of a row: selectors are looked up and values coerced once."""

from collections.abc import Callable
from functools import partial
from operator import eq, not_
from typing import Any, Final

import re2

from xdsmesh.config.filter.expression import And, Expression, Match, Not, Operator, Or
from xdsmesh.config.filter.literals import parse_integer
from xdsmesh.config.filter.row import Field, Type, closest, fields_below, select
from xdsmesh.model.catalog import Instance

Predicate = Callable[[Instance], bool]
Test = Callable[[Any], bool]

_OPPOSITES: Final = {
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_MATCHES: Operator.MATCHES,
    Operator.IS_NOT_EMPTY: Operator.IS_EMPTY,
}
_TRUE_OF_MISSING: Final = frozenset(
    {Operator.NOT_EQUAL, Operator.NOT_IN, Operator.MATCHES, Operator.NOT_MATCHES}
)
"""What holds where a map lacks the key; that ``matches`` does is Consul's behaviour."""

_COLLECTION: Final = ("in", "contains", "is empty")
_OPERATORS: Final = {
    Type.TEXT: ("==", "in", "contains", "matches"),
    Type.NUMBER: ("==",),
    Type.TEXTS: _COLLECTION,
    Type.MAP: _COLLECTION,
    Type.OBJECTS: ("is empty",),
}
"""What may be asked of each type; the negated form of each as well."""


def bind(expression: Expression, problems: list[str]) -> Predicate:
    """The function of a row that an expression stands for.

    What doesn't fit a row is added to ``problems``; the function must not be used then.
    """
    match expression:
        case And(operands):
            return partial(_all, tuple(bind(operand, problems) for operand in operands))
        case Or(operands):
            return partial(_any, tuple(bind(operand, problems) for operand in operands))
        case Not(operand):
            return _negate(bind(operand, problems))
        case Match():
            try:
                return _bind_match(expression)
            except ValueError as problem:
                problems.append(str(problem))
                return _unusable


def _bind_match(match: Match) -> Predicate:
    field = select(match.selector)
    if field is None:
        raise ValueError(_unknown(match.selector))
    positive = _OPPOSITES.get(match.operator, match.operator)
    if positive not in _OPERATORS[field.type]:
        raise ValueError(_not_allowed(match, field.type))
    test = _test(positive, match, field.type)
    if positive is not match.operator:
        test = _negate(test)
    return _reader(field, test, missing=match.operator in _TRUE_OF_MISSING)


def _test(operator: Operator, match: Match, type_: Type) -> Test:
    match operator:
        case Operator.EQUAL:
            return partial(eq, _number(match) if type_ is Type.NUMBER else match.value)
        case Operator.IN:
            return partial(_contains, match.value)
        case Operator.MATCHES:
            return partial(_searches, _pattern(match))
        case _:
            return not_


def _reader(field: Field, test: Test, *, missing: bool) -> Predicate:
    get = field.get
    if field.each:
        return lambda row: any(map(test, get(row)))
    if field.optional:
        return lambda row: missing if (value := get(row)) is None else test(value)
    return lambda row: test(get(row))


def _all(predicates: tuple[Predicate, ...], row: Instance) -> bool:
    return all(predicate(row) for predicate in predicates)


def _any(predicates: tuple[Predicate, ...], row: Instance) -> bool:
    return any(predicate(row) for predicate in predicates)


def _negate(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: not test(value)


def _contains(wanted: str, value: Any) -> bool:
    return wanted in value


def _searches(pattern: Any, value: str) -> bool:
    return pattern.search(value.encode()) is not None


def _unusable(_: Instance) -> bool:
    raise AssertionError("a filter with problems was evaluated")


def _number(match: Match) -> int:
    try:
        return parse_integer(match.value)
    except ValueError as error:
        raise ValueError(f"{_name(match.selector)} is a number, and {error}") from None


def _pattern(match: Match) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(match.value.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise ValueError(f'"{match.value}" is not a regular expression of RE2: {reason}') from None


def _unknown(selector: tuple[str, ...]) -> str:
    name = _name(selector)
    if fields := fields_below(selector):
        return f"{name} is no single value, select one of its fields: {', '.join(fields)}"
    guess = closest(selector)
    advice = f"did you mean {guess}?" if guess else "selectors begin with Node, Service or Checks"
    return f"there is no {name} in an instance: {advice}"


def _not_allowed(match: Match, type_: Type) -> str:
    allowed = ", ".join(_OPERATORS[type_])
    return f"{_name(match.selector)} is {type_}, which allows no {match.operator.value!r}, only {allowed}"


def _name(selector: tuple[str, ...]) -> str:
    return ".".join(selector)
