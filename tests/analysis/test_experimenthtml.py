from __future__ import annotations

import math
from datetime import timedelta

import pytest

from keepsake._analysis.experimenthtml import (
    checkpoint_html,
    checkpoints_html,
    experiment_html,
    experiments_html,
    project_html,
)
from keepsake._analysis.html import MOST_ROWS
from keepsake.experiment import LogEntry
from tests.analysis.page import KEPT_STYLES, KEPT_TAGS, Page, picture
from tests.analysis.subjects import START, Point, Run, hex_id, losses

NASTY = "<script>alert(1)</script>\"'&"


def nasty_run() -> Run:
    point = Point({NASTY: NASTY, "loss": 1.0}, path=NASTY, step=3, primary_metric=("loss", NASTY))
    return Run(
        hex_id(1), {NASTY: NASTY, "b": {NASTY: 1}}, [point, point], best_index=0,
        name=NASTY, user=NASTY, host=NASTY, command=NASTY, path=NASTY, status=NASTY, tags=[NASTY], notes=NASTY,
        error={"type": NASTY, "message": NASTY}, logs=[LogEntry(START, 1, {NASTY: 1.0, "loss": 2.0})],
        environment={"notebook": {"path": NASTY, "cell": 1, "cells": [{"number": 1, "source": NASTY}]}},
    )  # fmt: skip


@pytest.mark.parametrize(
    "html",
    [
        experiments_html([nasty_run(), Run(hex_id(2), {NASTY: 2})], title=NASTY),
        experiment_html(nasty_run()),
        checkpoints_html(nasty_run().checkpoints),
        checkpoint_html(nasty_run().checkpoints[0]),
        project_html(NASTY, NASTY, [nasty_run()]),
    ],
    ids=["experiments", "experiment", "checkpoints", "checkpoint", "project"],
)
def test_nothing_that_a_user_wrote_becomes_html(html: str) -> None:
    page = Page(html)
    assert set(page.tags) <= KEPT_TAGS
    assert "<script" not in html
    assert page.attributes <= {"style", "colspan", "alt", "width", "height", "src"}
    assert page.styles <= KEPT_STYLES


def primary(*values: float, goal: str = "minimize") -> list[Point]:
    points = losses(*values)
    for point in points:
        point.primary_metric = ("loss", goal)
    return points


def test_a_list_of_experiments_shows_only_the_params_that_differ() -> None:
    runs = [Run(hex_id(1), {"lr": 0.1, "seed": 1}, losses(0.5, 0.4)), Run(hex_id(2), {"lr": 0.2, "seed": 1})]
    page = Page(experiments_html(runs))
    assert "|lr|" in page.text
    assert "seed" not in page.text
    assert "2 experiments" in page.text


def test_an_only_experiment_shows_all_its_params() -> None:
    assert "|seed|" in Page(experiments_html([Run(hex_id(1), {"seed": 1})])).text


def test_true_and_1_are_different_params() -> None:
    runs = [Run(hex_id(1), {"p": True}), Run(hex_id(2), {"p": 1})]
    assert "|p|" in Page(experiments_html(runs)).text


@pytest.mark.parametrize(("goal", "winner"), [("minimize", 1), ("maximize", 2)])
def test_the_best_experiment_of_a_list_is_in_bold_and_says_so(goal: str, winner: int) -> None:
    runs = [
        Run(hex_id(n), None, primary(0.5, value, goal=goal), best_index=1) for n, value in enumerate((0.4, 0.2, 0.9))
    ]
    html = experiments_html(runs)
    marked = [row for row in html.split("<tr ") if "(best)" in row]
    assert [f"{runs[winner].id[:7]} (best)" in row for row in marked] == [True]
    assert "font-weight:600" in marked[0]


def test_experiments_that_are_measured_by_different_metrics_have_no_best_among_them() -> None:
    runs = [
        Run(hex_id(1), None, primary(0.5), best_index=0),
        Run(hex_id(2), None, [Point({"f1": 0.9}, step=7, primary_metric=("f1", "maximize"))], best_index=0),
    ]
    page = Page(experiments_html(runs))
    assert "(best)" not in page.text
    assert "|loss 0.5 (step 0)|" in page.text
    assert "|f1 0.9 (step 7)|" in page.text


def test_a_row_of_a_list_has_the_curve_of_the_primary_metric_with_what_was_logged() -> None:
    points = primary(0.5)
    run = Run(hex_id(1), None, points, best_index=0, logs=[LogEntry(START + timedelta(1), 1, {"loss": 0.7})])
    html = experiments_html([run])
    assert "<circle" in picture(html)
    assert Page(html).labels == ["curve of loss"]


def test_of_many_experiments_only_those_that_are_shown_are_read_whole() -> None:
    read: list[str] = []

    class Noted(Run):
        @property
        def status(self) -> str:
            read.append(self.id)
            return "finished"

        @status.setter
        def status(self, status: str) -> None: ...

    html = experiments_html([Noted(hex_id(number), None, losses(0.5)) for number in range(1000)])
    assert "1,000 experiments" in html
    assert "… 940 more rows …" in html
    assert len(read) == MOST_ROWS


def test_the_range_of_a_metric_leaves_nan_out() -> None:
    logs = [LogEntry(START + timedelta(n), n, {"loss": loss}) for n, loss in enumerate([math.nan, 3.0, 2.0, math.nan])]
    assert "|loss|nan|2|3|4" in Page(experiment_html(Run(hex_id(1), logs=logs))).text


def test_long_params_are_cut() -> None:
    path = "/data/" + "x" * 1000
    for html in (experiments_html([Run(hex_id(1), {"path": path})]), experiment_html(Run(hex_id(1), {"path": path}))):
        assert "/data/xxx" in html
        assert "x" * 100 not in html


def test_long_names_are_cut_and_none_turns_the_direction_of_writing() -> None:
    name = "\u202e" + "x" * 100_000
    run = Run(hex_id(1), {name: 1}, [Point({name: 1.0}, path=name), Point({name: 2.0})], name=name)
    run.logs = [LogEntry(START, 1, {name: 1.0})]
    for html in (
        experiments_html([run]), experiment_html(run),
        checkpoints_html(run.checkpoints), checkpoint_html(run.checkpoints[0]),
    ):  # fmt: skip
        assert "\u202e" not in html
        assert len(html) < 10_000


def test_an_experiment_marks_its_best_checkpoint() -> None:
    points = losses(0.5, 0.25, 0.4)
    html = experiment_html(Run(hex_id(1), {"lr": 0.1}, points, best_index=1))
    assert f"{points[1].id[:7]} (best)" in html
    assert html.count("(best)") == 1
    row = next(row for row in html.split("<tr ") if "(best)" in row)
    assert "font-weight:600" in row
    assert "0.25" in row


def test_an_experiment_with_many_checkpoints_shows_the_first_the_last_and_the_best() -> None:
    points = losses(*(1 / (n + 1) for n in range(1000)))
    rows = [row[0] for row in Page(experiment_html(Run(hex_id(1), None, points, best_index=500))).rows]
    assert f"{points[500].id[:7]} (best)" in rows
    assert "… 490 more rows …" in rows
    assert len(rows) < 50


def test_an_experiment_says_how_it_failed() -> None:
    run = Run(hex_id(1), status="failed", error={"type": "ValueError", "message": "no such\nlayer"})
    assert "failed: ValueError: no such layer" in Page(experiment_html(run)).text


def test_an_experiment_that_only_logged_shows_its_curves() -> None:
    logs = [LogEntry(START + timedelta(seconds=n), n, {"loss": 1 / (n + 1)}) for n in range(5)]
    page = Page(experiment_html(Run(hex_id(1), logs=logs)))
    assert ["loss", "", "0.2", "0.2", "1", "5"] in page.rows
    assert page.labels == ["curve of loss"]
    assert "checkpoint" not in page.text


def test_metrics_have_a_curve_each_and_empty_columns_are_left_out() -> None:
    page = Page(checkpoints_html([Point({"a": 1, "b": 5}, step=None), Point({"a": 2, "b": 4}, step=None)]))
    assert page.labels == ["curve of a", "curve of b"]
    assert "|step|" not in page.text
    assert "|path|" not in page.text


def test_checkpoints_without_curves_have_no_row_for_them() -> None:
    assert [row[0] for row in Page(checkpoints_html(losses(0.5))).rows] == ["id", losses(0.5)[0].id[:7]]


def test_empty_lists_say_so() -> None:
    assert "no experiments" in Page(experiments_html([])).text
    assert "no checkpoints" in Page(checkpoints_html([])).text


def test_a_project_says_where_it_is() -> None:
    page = Page(project_html("/work", "file:///work/.keepsake", [Run(hex_id(1))]))
    assert ["repository", "file:///work/.keepsake"] in page.rows
    assert "1 experiment" in page.text


def test_an_experiment_of_a_notebook_shows_its_cells() -> None:
    cells = [
        {"number": 1, "source": "import keepsake"},
        {"number": 3, "source": "for x in y:\n    keepsake.init()\x1b"},
    ]
    environment = {"notebook": {"path": "train.ipynb", "cell": 3, "cells": cells, "left_out": 0}}
    page = Page(experiment_html(Run(hex_id(1), environment=environment)))
    assert "|Notebook: train.ipynb, began in cell 3, 2 cells|" in page.text
    assert "|import keepsake|" in page.text
    assert "|for x in y:\n    keepsake.init()\u241b" in page.text
