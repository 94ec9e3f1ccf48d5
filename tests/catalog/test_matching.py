"""What matches what: by type, and never an exception."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._catalog.fields import Kind
from keepsake._catalog.literals import Literal, expected_literal, read_period
from keepsake._catalog.matching import make_test, sort_key
from keepsake._model.values import Value
from keepsake.testing import strategies
from tests.catalog.filters import NOW, literals

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "condition", "expected"),
    [
        (1, "= 1.0", True),
        (1.0, "= 1", True),
        (1, "<= 1.0", True),
        (0.1, "= 0.10", True),
        (10**400, "> 1.5", True),
        (True, "= 1", False),
        (True, "= true", True),
        (True, "> 0", False),
        (1, "= true", False),
        ("adam", "= adam", True),
        ("adam", '= "adam"', True),
        ("adam", "= Adam", False),
        ("42", "= 42", True),
        ("42", '= "42"', True),
        (42, '= "42"', False),
        ("42", "> 41", False),
        ("b", "> a", True),
        ("true", "= true", True),
        ("adam", "< 0.1", False),
        ("adam", "!= 0.1", True),
        (None, "= 0", False),
        (None, "!= 0", True),
        (None, "< 0", False),
        (None, ">= 0", False),
        (None, "= null", True),
        (None, "!= null", False),
        (0, "= null", False),
        (0, "!= None", True),
        (0, "< null", False),
        (NAN, "< 1", False),
        (NAN, ">= 1", False),
        (NAN, "= 1", False),
        (NAN, "!= 1", True),
        (NAN, "= nan", True),
        (float("inf"), "> 1e300", True),
        (float("inf"), "= inf", True),
        ([64, 32], "= [64, 32]", True),
        ([64, 32], "= [64.0, 32]", True),
        ([64, 32], "= [32, 64]", False),
        ([64, 32], "= 32", True),
        ([64, 32], "< 100", False),
        ({"a": 1}, '= {"a": 1}', True),
        (["x", "y"], "~ ^y", True),
        ("resnet50", r"~ net\d+$", True),
        (50, "~ 5", False),
        ([], "= null", True),
    ],
)
def test_values_compare_by_their_type(value: Value, condition: str, expected: bool) -> None:
    symbol, _, text = condition.partition(" ")
    literal = Literal(text.strip('"'), is_quoted=text.startswith('"'))
    assert make_test("value", symbol, literal, NOW)(value) is expected


@pytest.mark.parametrize(
    ("kind", "value", "condition", "expected"),
    [
        ("version", "2.10.0+cpu", ">= 2.9", True),
        ("version", "2.9.1", ">= 2.10", False),
        ("version", "2.10.0", "= 2.10", True),
        ("version", "2.10.0+cpu", "= 2.10.0+cpu", True),
        ("version", "2.10.0", "= 2.10.0+cpu", False),
        ("version", None, ">= 1", False),
        ("id", "abc123", "= abc", True),
        ("id", "1234567", "= 1234", True),
        ("id", "abc123", "= ABC", True),
        ("id", "abc123", "= bc", False),
        ("status", "finished", "= stopped", True),
        ("status", "lost", "= stopped", True),
        ("status", "running", "= stopped", False),
        ("status", "running", "!= stopped", True),
        ("status", "failed", "= failed", True),
        ("duration", 5400.0, ">= 1h30m", True),
        ("duration", 5399.0, ">= 1h 30m", False),
        ("duration", 90, "= 90", True),
        ("duration", None, "< 90s", False),
    ],
)
def test_some_names_compare_in_their_own_way(kind: Kind, value: Value, condition: str, expected: bool) -> None:
    symbol, _, text = condition.partition(" ")
    assert expected_literal(kind, Literal(text), NOW) is None
    assert make_test(kind, symbol, Literal(text), NOW)(value) is expected


@pytest.mark.parametrize(
    ("moment", "condition", "expected"),
    [
        ("2026-02-01T10:00:00.000000Z", "> 2026-02-01T00:00Z", True),
        ("2026-02-01T10:00:00.500000Z", "= 2026-02-01 10:00:00Z", True),
        ("2026-02-01T10:00:59.999999Z", "= 2026-02-01 10:00Z", True),
        ("2026-02-01T10:01:00.000000Z", "= 2026-02-01 10:00Z", False),
        ("2026-02-01T10:01:00.000000Z", "<= 2026-02-01 10:00Z", False),
        ("2026-02-01T10:00:30.000000Z", "<= 2026-02-01 10:00Z", True),
        ("2026-02-01T10:00:30.000000Z", "< 2026-02-01 10:00Z", False),
        ("2026-02-01T10:00:00.000000Z", "= 2026-02-01T12:00+02:00", True),
        ("2026-02-27T12:00:00.000000Z", "> 3d ago", True),
        ("2026-02-26T11:59:00.000000Z", "> 3d ago", False),
        ("2026-03-01T11:00:00.000000Z", ">= 1h ago", True),
        ("2026-03-01T10:29:00.000000Z", "< 1h30m ago", True),
        ("2026-03-01T10:29:00.000000Z", "> 999999999w ago", True),
        ("2026-03-01T10:29:00.000000Z", "= null", False),
    ],
)
def test_times_are_compared_with_moments_and_with_how_long_ago(moment: str, condition: str, expected: bool) -> None:
    symbol, _, text = condition.partition(" ")
    assert expected_literal("time", Literal(text), NOW) is None
    assert make_test("time", symbol, Literal(text), NOW)(moment) is expected


def test_a_date_alone_is_that_day_in_local_time() -> None:
    day = read_period("2026-02-01", NOW)
    assert day is not None
    midnight = datetime(2026, 2, 1).astimezone(timezone.utc)
    assert day.start == midnight.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    for symbol, inside in (("=", True), ("<=", True), (">=", True), ("!=", False), ("<", False)):
        assert make_test("time", symbol, Literal("2026-02-01"), NOW)(day.start) is inside
        assert make_test("time", "=", Literal("2026-02-01"), NOW)(day.stop) is False


@given(strategies.values(), literals(), st.sampled_from(("=", "!=", "<", "<=", ">", ">=")))
def test_any_value_is_compared_with_any_literal(value: Value, literal: Literal, symbol: str) -> None:
    result = make_test("value", symbol, literal, NOW)(value)
    assert isinstance(result, bool)
    if symbol == "!=":
        assert result is not make_test("value", "=", literal, NOW)(value)


@given(st.lists(strategies.values(max_leaves=3)))
def test_values_of_mixed_types_have_one_order(values: list[Value]) -> None:
    keys = [key for key in (sort_key("value", value) for value in values) if key is not None]
    keys.sort()
    assert all(first <= second for first, second in pairwise(keys))
    assert len(keys) == sum(not (value is None or value == [] or value != value) for value in values)
