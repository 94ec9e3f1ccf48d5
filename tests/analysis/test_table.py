"""The table of experiments: a line an experiment at every width, and word of what it leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

import keepsake
from keepsake._analysis.table import experiments_table

WIDTHS = [60, 80, 100, 120, 200]


@pytest.fixture(scope="module")
def experiments(tmp_path_factory: pytest.TempPathFactory) -> keepsake.ExperimentList:
    """Three of 60 params each."""
    project = keepsake.Project(directory=tmp_path_factory.mktemp("project"))
    for number in range(3):
        params = {f"param_{place}": number + place / 7 for place in range(60)} | {"same": 1}
        with project.experiments.create(params=params, quiet=True, name=f"größe {number}") as experiment:
            experiment.checkpoint(loss=1 / (number + 3), other=2, primary_metric=("loss", "minimize"))
            experiment.checkpoint(loss=1.0, other=3, primary_metric=("loss", "minimize"))
    return project.experiments.list()


@pytest.fixture(scope="module")
def few_params(tmp_path_factory: pytest.TempPathFactory) -> keepsake.ExperimentList:
    """Two of 3 params each, of which two differ."""
    project = keepsake.Project(directory=tmp_path_factory.mktemp("project"))
    for rate, optimizer in ((0.01, "adam"), (0.001, "sgd")):
        params = {"learning_rate": rate, "optimizer": optimizer, "layers": [64, 32]}
        with project.experiments.create(params=params, quiet=True) as experiment:
            experiment.checkpoint(metrics={"val/loss": rate * 3, "acc": 1}, primary_metric=("val/loss", "minimize"))
    return project.experiments.list()


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_terminal_and_every_experiment_has_one(
    experiments: keepsake.ExperimentList, width: int
) -> None:
    header, *rows, left_out = experiments_table(experiments, width).splitlines()
    assert len(left_out) <= 80
    assert all(len(line) <= width for line in (header, *rows))
    assert [row.split()[0] for row in rows] == [one.short_id() for one in experiments]
    shown = sum(heading.startswith("param_") for heading in header.split())
    assert left_out.startswith("not shown: ")
    assert (f"{60 - shown} of 60 params" if shown else " params") in left_out


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_a_few_params_are_shown_at_every_width_beside_the_best_checkpoint(
    few_params: keepsake.ExperimentList, width: int
) -> None:
    header, first, *_ = experiments_table(few_params, width).splitlines()
    best = few_params[0].best()
    assert best is not None
    assert {"learning_rate", "optimizer", "BEST", "val/loss"} <= set(header.split())
    assert {"0.01", "adam", best.short_id(), "0.03"} <= set(first.split())
    assert "layers" not in header


def test_a_wide_terminal_shows_all_of_the_best_and_of_the_latest_checkpoint(
    few_params: keepsake.ExperimentList,
) -> None:
    header, *rows = experiments_table(few_params, 200).splitlines()
    assert header.split()[3:] == [
        "learning_rate",
        "optimizer",
        *["BEST", "STEP", "val/loss", "LATEST", "STEP", "val/loss"],
    ]
    assert len(rows) == 2


@pytest.mark.parametrize("width", [120, 200])
def test_where_many_params_differ_the_checkpoints_stay(experiments: keepsake.ExperimentList, width: int) -> None:
    header, first, *_ = experiments_table(experiments, width).splitlines()
    best, latest = experiments[0].best(), experiments[0].latest()
    assert best is not None
    assert latest is not None
    assert best.short_id() in first
    assert latest.short_id() in first
    assert header.split().count("loss") == 2


def test_without_a_width_nothing_is_left_out(experiments: keepsake.ExperimentList) -> None:
    text = experiments_table(experiments)
    header = text.splitlines()[0].split()
    assert {f"param_{place}" for place in range(60)} <= set(header)
    assert "same" not in header
    assert "not shown" not in text
    assert "größe 2" in text


def test_all_shows_what_does_not_differ_and_every_metric(few_params: keepsake.ExperimentList) -> None:
    header = experiments_table(few_params, show_all=True).splitlines()[0].split()
    assert "layers" in header
    assert header.count("acc") == 2


def test_columns_begin_below_their_headings(experiments: keepsake.ExperimentList) -> None:
    header, *rows = experiments_table(experiments, 200).splitlines()[:-1]
    for heading in ("STATUS", "param_0", "param_1", "BEST", "LATEST"):
        place = header.index(heading)
        assert all(row[place - 1] == " " and row[place] != " " for row in rows), heading


def test_experiments_without_params_or_checkpoints_have_fewer_columns(tmp_path: Path) -> None:
    project = keepsake.Project(directory=tmp_path)
    project.experiments.create(quiet=True).stop()
    header = experiments_table(project.experiments.list(), 80).splitlines()[0]
    assert header.split() == ["EXPERIMENT", "STARTED", "STATUS", "LATEST", "STEP"]


def test_params_that_most_experiments_have_come_first(tmp_path: Path) -> None:
    project = keepsake.Project(directory=tmp_path)
    for number in range(3):
        project.experiments.create(params={f"a{number}": number, "z": number}, quiet=True).stop()
    header = experiments_table(project.experiments.list()).splitlines()[0].split()
    assert header[3:7] == ["z", "a0", "a1", "a2"]


def test_of_many_primary_metrics_each_stands_beside_its_value(tmp_path: Path) -> None:
    project = keepsake.Project(directory=tmp_path)
    for number in range(5):
        with project.experiments.create(quiet=True) as experiment:
            experiment.checkpoint(metrics={f"loss/{number}": 0.5}, primary_metric=(f"loss/{number}", "minimize"))
    lines = experiments_table(project.experiments.list()).splitlines()
    assert "METRIC" in lines[0]
    assert all(f"loss/{number}=0.5" in line for number, line in enumerate(lines[1:]))


def test_names_cannot_move_the_cursor_and_long_ones_are_cut_from_their_beginning(tmp_path: Path) -> None:
    project = keepsake.Project(directory=tmp_path)
    for number in range(2):
        params = {"\x1b[2J\nevil": number, "optimizer.param_groups.weight_decay": number}
        project.experiments.create(params=params, quiet=True).stop()
    text = experiments_table(project.experiments.list(), 120)
    assert "\x1b" not in text
    assert len(text.splitlines()) == 3
    assert "…ram_groups.weight_decay" in text
    assert "optimizer.param_groups.weight_decay" in experiments_table(project.experiments.list())
