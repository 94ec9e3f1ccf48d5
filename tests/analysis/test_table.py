"""The table of experiments: a line an experiment at every width, and word of what it leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

import keepsake
from keepsake._analysis.table import experiments_table


@pytest.fixture(scope="module")
def experiments(tmp_path_factory: pytest.TempPathFactory) -> keepsake.ExperimentList:
    project = keepsake.Project(directory=tmp_path_factory.mktemp("project"))
    for number in range(3):
        params = {f"param_{place}": number + place / 7 for place in range(60)} | {"same": 1}
        with project.experiments.create(params=params, quiet=True, name=f"größe {number}") as experiment:
            experiment.checkpoint(loss=1 / (number + 3), other=2, primary_metric=("loss", "minimize"))
    return project.experiments.list()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_every_experiment_has_one(
    experiments: keepsake.ExperimentList, width: int
) -> None:
    header, *rows, left_out = experiments_table(experiments, width).splitlines()
    assert all(len(line) <= width for line in (header, *rows))
    assert [row.split()[0] for row in rows] == [one.short_id() for one in experiments]
    assert left_out.startswith("not shown: ")
    assert "some params" in left_out or "params" not in header.lower()


def test_a_narrow_terminal_still_shows_the_best_checkpoint(experiments: keepsake.ExperimentList) -> None:
    header, first, *_ = experiments_table(experiments, 80).splitlines()
    best = experiments[0].best()
    assert best is not None
    assert "BEST CHECKPOINT" in header
    assert f"{best.short_id()} step 0 loss=0.3333" in first


def test_without_a_width_nothing_is_left_out(experiments: keepsake.ExperimentList) -> None:
    text = experiments_table(experiments)
    assert all(f"param_{place}=" in text for place in range(60))
    assert "same" not in text
    assert "not shown" not in text
    assert "größe 2" in text


def test_experiments_without_params_or_checkpoints_have_fewer_columns(tmp_path: Path) -> None:
    project = keepsake.Project(directory=tmp_path)
    project.experiments.create(quiet=True).stop()
    header = experiments_table(project.experiments.list(), 80).splitlines()[0]
    assert header.split() == ["EXPERIMENT", "STARTED", "STATUS", "LATEST", "CHECKPOINT"]
