from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake._analysis.interfaces import flatten_values
from keepsake._analysis.text import (
    checkpoint_summary,
    checkpoint_text,
    experiment_text,
    format_bytes,
    format_duration,
    format_value,
    list_text,
)
from keepsake._model.values import Value
from tests.analysis.subjects import Point, Run, hex_id, losses


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (1.0, "1"),
        (12, "12"),
        (True, "True"),
        (None, "None"),
        ("a\nb\x1b[0m", "a b [0m"),
        ([1, {"a": "é"}], '[1, {"a": "é"}]'),
        (float("nan"), "nan"),
        ("x" * 80, "x" * 59 + "…"),
    ],
)
def test_values_are_written_on_one_line(value: Value, text: str) -> None:
    assert format_value(value) == text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_a_written_value_is_printable_and_never_too_long(value: Value) -> None:
    text = format_value(value, longest=40)
    assert text.isprintable()
    assert len(text) <= 40


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0s"), (4.21, "4.2s"), (59.94, "59.9s"), (59.96, "1m 00s"), (187, "3m 07s"), (3599.7, "1h 00m"),
        (7500, "2h 05m"), (97200, "1d 03h"), (-5, "0.0s"),
    ],
)  # fmt: skip
def test_durations_have_their_two_largest_units(seconds: float, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


def test_no_duration_is_no_text() -> None:
    assert format_duration(None) == ""


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (9994, "9.99 kB"), (9996, "10.0 kB"), (99_960, "100 kB"),
        (999_499, "999 kB"), (999_500, "1.00 MB"), (45_600_000_000, "45.6 GB"), (10**19, "10000 PB"),
    ],
)  # fmt: skip
def test_sizes_have_three_digits(size_bytes: int, text: str) -> None:
    assert format_bytes(size_bytes) == text


def test_reprs_are_one_short_line() -> None:
    run = Run("72467c5".ljust(64, "0"), {"lr": 1}, losses(0.94, 0.5, 0.3), status="running")
    point = Point({"loss": 0.94, "acc": 1}, step=2, id="835c46c".ljust(64, "0"), primary_metric=("loss", "minimize"))
    assert experiment_text(run) == "Experiment(72467c5, running, 3 checkpoints)"
    assert experiment_text(Run(run.id, checkpoints=losses(1), name="wide")) == (
        "Experiment(72467c5 'wide', finished, 1 checkpoint)"
    )
    assert checkpoint_text(point) == "Checkpoint(835c46c, step 2, loss=0.94)"
    assert checkpoint_text(Point({"a": 1}, id=point.id)) == "Checkpoint(835c46c)"
    assert checkpoint_summary(point) == "835c46c (step 2, loss 0.94)"
    assert checkpoint_summary(None) == ""


def test_a_list_names_its_first_ids() -> None:
    ids = [hex_id(number) for number in range(9)]
    assert list_text("ExperimentList", "experiment", ids[:1]) == "ExperimentList(1 experiment: 0000000)"
    assert list_text("CheckpointList", "checkpoint", []) == "CheckpointList(0 checkpoints)"
    assert list_text("ExperimentList", "experiment", ids).endswith("0000007, …)")


def test_nested_values_get_dotted_names() -> None:
    assert flatten_values({"a": {"b": 1, "c": {}}, "d": [1]}) == {"a.b": 1, "a.c": {}, "d": [1]}
    assert flatten_values({"a.b": 2, "a": {"b": 1}}) == {"a.b": 2}
    assert flatten_values(None) == {}
