"""When a value matches: comparisons that are false for what cannot be compared, and never fail.

- Null and missing are the same. Only `= null` and `is null` are true of them, and what is the opposite of something
  else: `!=` of `=`, and `not` of what follows it.
- A bare literal is compared by its own type, and with a text also as it is written: `= 42` finds the number and the
  text.
- Booleans are no numbers. NaN is neither less nor more than anything; `= nan` finds it.
- A list matches `=`, `in` and `~` when it, or anything in it, does.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from keepsake._catalog.fields import RUNNING, STOPPED, Kind
from keepsake._catalog.literals import Literal, Period, read_period, read_seconds, release_of
from keepsake._model.values import Value

Test: TypeAlias = Callable[[Value], bool]

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_NUMBER_ORDERS: dict[str, Callable[[Iterable[Any], Any], list[bool]]] = {
    "<": lambda values, bound: [value is not None and value < bound for value in values],
    "<=": lambda values, bound: [value is not None and value <= bound for value in values],
    ">": lambda values, bound: [value is not None and value > bound for value in values],
    ">=": lambda values, bound: [value is not None and value >= bound for value in values],
}
"""The same for a whole column of numbers, in little more than half the time of a call for each."""
_NUMBERS_AND_NONE = frozenset((int, float, type(None)))


def is_null(value: Value) -> bool:
    """Say whether there is no value; an empty list is none."""
    return value is None or value == []


def make_test(kind: Kind, symbol: str, literal: Literal, now: datetime) -> Test:
    """Return what says of a value whether it compares so with the literal.

    Args:
        kind: how the values compare.
        symbol: the operator.
        literal: the right side, which `expected_literal` has accepted.
        now: what relative times count from.
    """
    if symbol == "!=":
        equal = make_test(kind, "=", literal, now)
        return lambda value: not equal(value)
    if symbol == "~":
        return _in_lists(_pattern_test(literal.text))
    if literal.value is None:
        return is_null if symbol == "=" else lambda value: False  # noqa: ARG005 (nothing is less or more than null)
    if kind == "time":
        period = read_period(literal.text, now)
        return _time_test(symbol, period) if period is not None else lambda value: False  # noqa: ARG005 (checked before)
    if kind == "duration":
        return _order_test(symbol, read_seconds(literal))
    if kind == "status" and symbol == "=" and literal.text.lower() == STOPPED:
        return lambda value: value is not None and value != RUNNING
    if kind == "id" and symbol == "=":
        beginning = literal.text.lower()
        return lambda value: isinstance(value, str) and value.startswith(beginning)
    if kind == "version":
        return _version_test(symbol, literal.text)
    if symbol != "=":
        return _order_test(symbol, literal.value)
    text = literal.text.lower() if kind == "status" else literal.text
    wanted = literal.value
    return _in_lists(lambda value: same(value, wanted) or (value == text and isinstance(value, str)))


def compare(kind: Kind, symbol: str, literal: Literal, now: datetime, values: Sequence[Value]) -> list[bool]:
    """Say of each value what the test of `make_test` says."""
    bound = literal.value
    is_number = isinstance(bound, (int, float)) and not isinstance(bound, bool)
    if kind == "value" and symbol in _NUMBER_ORDERS and is_number and _NUMBERS_AND_NONE.issuperset(map(type, values)):
        return _NUMBER_ORDERS[symbol](values, bound)
    return list(map(make_test(kind, symbol, literal, now), values))


def make_membership_test(kind: Kind, literals: Iterable[Literal], now: datetime) -> Test:
    """Return what says of a value whether it equals one of the literals."""
    tests = [make_test(kind, "=", literal, now) for literal in literals]
    return lambda value: any(test(value) for test in tests)


def same(value: Value, other: Value) -> bool:
    """Say whether two values are equal: numbers by value, NaN like NaN, everything else only within its type."""
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    if isinstance(value, (int, float)) and isinstance(other, (int, float)):
        return value == other or (value != value and other != other)
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(same, value, other))
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(same(item, other[key]) for key, item in value.items())
    return type(value) is type(other) and value == other


def sort_key(kind: Kind, value: Value) -> tuple[int, Any] | None:
    """Return what orders a value: booleans, then numbers, texts and the rest. None for null and NaN, which are last."""
    if is_null(value) or value != value:
        return None
    if isinstance(value, bool):
        return 0, value
    if isinstance(value, (int, float)):
        return 1, value
    if isinstance(value, str):
        return 2, (release_of(value), value) if kind == "version" else value
    return 3, repr(value)


def _in_lists(test: Test) -> Test:
    return lambda value: test(value) or (isinstance(value, list) and any(map(test, value)))


def _pattern_test(pattern: str) -> Test:
    search = re.compile(pattern).search
    return lambda value: isinstance(value, str) and search(value) is not None


def _order_test(symbol: str, bound: Value) -> Test:
    if isinstance(bound, (int, float)) and not isinstance(bound, bool):
        compare = operator.eq if symbol == "=" else _ORDERS[symbol]
        number: float = bound
        # The values come from JSON: nothing that is derived from a number, but truth values, which are none here.
        return lambda value: (type(value) is float or type(value) is int) and compare(value, number)
    if isinstance(bound, str) and symbol in _ORDERS:
        compare, text = _ORDERS[symbol], bound
        return lambda value: isinstance(value, str) and compare(value, text)
    return lambda value: False  # noqa: ARG005 (nothing is ordered by anything else)


def _time_test(symbol: str, period: Period) -> Test:
    if symbol == "=":
        return lambda value: isinstance(value, str) and period.start <= value < period.stop
    # Up to the end of the period, but after its beginning: `> 2026-01-31` includes that day, as in Keepsake 0.x.
    compare = _ORDERS["<" if symbol == "<=" else symbol]
    bound = period.stop if symbol == "<=" else period.start
    return lambda value: isinstance(value, str) and compare(value, bound)


def _version_test(symbol: str, text: str) -> Test:
    release = release_of(text)
    is_release = re.fullmatch(r"[\d.]+", text, re.ASCII) is not None
    if symbol == "=":
        return lambda value: isinstance(value, str) and (value == text or (is_release and release_of(value) == release))
    compare = _ORDERS[symbol]
    return lambda value: isinstance(value, str) and compare(release_of(value), release)
