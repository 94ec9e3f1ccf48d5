"""`best()`: the best checkpoint by the primary metric."""

from __future__ import annotations

import math
from typing import Any

import pytest

import keepsake
from tests.api.runs import make_run, only_experiment

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(("goal", "step"), [("minimize", 20), ("maximize", 10)])
def test_the_goal_says_what_is_best(goal: str, step: int) -> None:
    make_run((2.0, 3.0, 1.0), primary_metric=("loss", goal))
    best = only_experiment().best()
    assert best is not None
    assert best.step == step


def test_without_a_primary_metric_nothing_is_best() -> None:
    make_run(primary_metric=None)
    assert only_experiment().best() is None


def test_without_checkpoints_nothing_is_best() -> None:
    assert keepsake.init().best() is None


@pytest.mark.parametrize(
    ("goal", "values", "best"),
    [
        ("minimize", (NAN, 3.0, NAN, 2.0), 3),
        ("maximize", (NAN, 2.0, 3.0, NAN), 2),
        ("minimize", (2.0, INF, 1.0), 2),
        ("minimize", (2.0, -INF, 1.0), 1),
        ("maximize", (2.0, -INF, 3.0), 2),
        ("maximize", (2.0, INF, 3.0), 1),
        ("minimize", (None, 2.0, None), 1),
        ("minimize", ("1", [0], 2.0), 2),
        ("maximize", (3, 2.5, 2**2000), 2),
        ("minimize", (1.0, 1.0, 1, 2.0), 0),
        ("maximize", (0.0, 5.0, 5.0), 1),
    ],
)
def test_what_is_no_number_never_wins_and_the_earliest_of_equals_does(
    goal: str, values: tuple[Any, ...], best: int
) -> None:
    make_run(values, primary_metric=("loss", goal))
    for experiment in [only_experiment()]:
        found = experiment.best()
        assert found is not None
        assert found == experiment.checkpoints[best]


@pytest.mark.parametrize("values", [(NAN,), (None, None), ("text",), (INF,)])
def test_nothing_is_best_when_no_value_can_be_compared(values: tuple[Any, ...]) -> None:
    make_run(values, primary_metric=("loss", "minimize"))
    assert only_experiment().best() is None


def test_checkpoints_that_lack_the_metric_are_passed_over() -> None:
    experiment = keepsake.init()
    experiment.checkpoint(other=0.0, primary_metric=("loss", "minimize"))
    wanted = experiment.checkpoint(loss=2.0)
    assert experiment.best() == wanted


def test_the_best_of_a_slice_is_among_the_slice() -> None:
    checkpoints = make_run((1.0, 3.0, 2.0)).checkpoints
    best = checkpoints[1:].best()
    assert best is not None
    assert best.step == 20


def test_a_nested_metric_may_be_the_primary_one() -> None:
    experiment = keepsake.init()
    for loss in (2.0, 1.0, 3.0):
        experiment.checkpoint(metrics={"val": {"loss": loss}}, primary_metric=("val.loss", "minimize"))
    best = only_experiment().best()
    assert best is not None
    assert best.metrics == {"val": {"loss": 1.0}}
