"""Columns as a table shows them: flat, cut, in an order, with names that filters know."""

from __future__ import annotations

from keepsake._catalog.columns import BLOCK, Run
from keepsake._catalog.fields import Column
from keepsake._catalog.flat import MAX_LETTERS, column_name, flatten_run, merge_runs, order_columns
from keepsake._model.values import Value


def run_of(*values: Value) -> Run:
    return [*values, *([None] * (BLOCK - len(values)))]


def test_a_column_of_plain_values_stays_the_same_object() -> None:
    run = run_of(1, 2.5, None, True, "text")
    assert flatten_run(Column("params", "x"), run)[Column("params", "x")] is run


def test_what_is_nested_becomes_columns_of_its_own() -> None:
    flat = flatten_run(
        Column("params", "optim"), run_of({"name": "adam", "betas": {"first": 0.9}}, "sgd", {"name": None})
    )
    assert flat == {
        Column("params", "optim"): run_of(None, "sgd"),
        Column("params", "optim.name"): run_of("adam"),
        Column("params", "optim.betas.first"): run_of(0.9),
    }


def test_of_two_that_come_to_one_name_the_value_that_is_there_wins() -> None:
    runs = {Column("params", "a.b"): run_of(1, None)}
    merge_runs(runs, {Column("params", "a.b"): run_of(2, 3), Column("params", "c"): run_of(4)})
    assert runs == {Column("params", "a.b"): run_of(1, 3), Column("params", "c"): run_of(4)}


def test_long_texts_are_cut_and_empty_lists_are_nothing() -> None:
    (run,) = flatten_run(Column("experiment", "tags"), run_of([], ["a"], "x" * (MAX_LETTERS + 1))).values()
    assert run == run_of(None, ["a"], "x" * MAX_LETTERS + "…")


def test_what_no_table_shows_is_left_out() -> None:
    for column in (Column("environment", "python_packages"), Column("checkpoints", "ids"), Column("best", "path")):
        assert flatten_run(column, run_of({"a": 1}, "text")) == {}


def test_columns_stand_in_the_order_of_the_table() -> None:
    columns = [
        Column("experiment", "created"), Column("experiment", "status"), Column("environment", "user"),
        Column("environment", "git.commit"), Column("environment", "cpu.count"), Column("params", "a"),
        Column("params", "b"), Column("best", "id"), Column("best.metrics", "loss"), Column("latest.metrics", "loss"),
        Column("primary", "name"),
    ]  # fmt: skip
    assert order_columns(columns[::-1]) == columns


def test_names_are_those_that_a_filter_knows() -> None:
    known = [Column("params", "name")]
    names = {
        Column("experiment", "created"): "created",
        Column("experiment", "name"): "experiment.name",
        Column("experiment", "notes"): "notes",
        Column("params", "lr"): "params.lr",
        Column("params", "a b"): "params.`a b`",
        Column("params", "in"): "params.`in`",
        Column("best.metrics", "val/loss"): "best.val/loss",
        Column("best.metrics", "step"): "best.metrics.step",
        Column("best", "step"): "best.step",
        Column("environment", "user"): "user",
        Column("environment", "git.commit"): "git.commit",
        Column("environment", "cpu.count"): "environment.cpu.count",
        Column("primary", "goal"): "primary.goal",
    }
    assert {column: column_name(column, known) for column in names} == names
