"""Experiments and checkpoints as pandas DataFrames."""

from __future__ import annotations

import keepsake
from tests.api.runs import make_run, only_experiment


def test_a_dataframe_of_experiments_has_a_row_for_each() -> None:
    made = [make_run((lr, lr / 2, lr), params={"optim": {"lr": lr}}) for lr in (1.0, 2.0)]
    for frame in (keepsake.experiments.to_dataframe(), keepsake.experiments.list().to_dataframe()):
        assert list(frame["id"]) == [one.id for one in made]
        assert list(frame["params.optim.lr"]) == [1.0, 2.0]
        assert list(frame["best.loss"]) == [0.5, 1.0]
        assert list(frame["best.step"]) == [10, 10]
        assert list(frame["latest.loss"]) == [1.0, 2.0]
        assert list(frame["status"]) == ["finished", "finished"]
        assert [time.to_pydatetime() for time in frame["created"]] == [one.created for one in made]


def test_a_dataframe_of_a_filtered_list_has_its_rows_only() -> None:
    make_run(params={"lr": 1})
    make_run(params={"lr": 2})
    frame = keepsake.experiments.list(lambda exp: exp.params["lr"] == 2).to_dataframe()
    assert list(frame["params.lr"]) == [2]


def test_a_dataframe_of_checkpoints_has_a_row_for_each() -> None:
    make_run()
    frame = only_experiment().checkpoints.to_dataframe()
    assert list(frame["step"]) == [0, 10, 20]
    assert list(frame["metrics.loss"]) == [0.99, 0.87, 0.64]


def test_a_dataframe_of_no_experiments_is_empty() -> None:
    make_run().delete()
    assert len(keepsake.experiments.to_dataframe()) == 0
