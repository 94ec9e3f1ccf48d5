"""The fields of `Checkpoint`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

import keepsake
from keepsake import PrimaryMetric
from tests.api.runs import make_run, only_experiment, write_files


def test_a_checkpoint_that_was_fetched_has_every_field(project: Path) -> None:
    write_files(project, {"weights/model.pt": "w"})
    made = keepsake.init().checkpoint("weights/", 5, {"loss": 0.5}, ("loss", "minimize"))
    (checkpoint,) = only_experiment().checkpoints
    assert checkpoint.id == made.id
    assert len(checkpoint.id) == 64
    assert isinstance(checkpoint.created, datetime)
    assert (checkpoint.path, checkpoint.step, checkpoint.metrics) == ("weights", 5, {"loss": 0.5})
    assert checkpoint.primary_metric == ("loss", "minimize")
    assert checkpoint.experiment_id == only_experiment().id


def test_a_checkpoint_of_nothing_has_empty_fields() -> None:
    keepsake.init().checkpoint()
    (checkpoint,) = only_experiment().checkpoints
    assert (checkpoint.path, checkpoint.step, checkpoint.metrics, checkpoint.primary_metric) == (None, 0, {}, None)


def test_created_is_the_moment_of_the_call() -> None:
    experiment = keepsake.init()
    before = datetime.now().astimezone()
    checkpoint = experiment.checkpoint()
    after = datetime.now().astimezone()
    assert before <= checkpoint.created <= after
    assert before <= only_experiment().checkpoints[0].created <= after


def test_the_short_id_is_the_beginning_of_the_id() -> None:
    checkpoint = make_run().checkpoints[0]
    assert checkpoint.short_id() == checkpoint.id[:7]


def test_the_primary_metric_reads_as_the_tuple_that_it_was_given_as() -> None:
    make_run(primary_metric=("loss", "maximize"))
    primary = only_experiment().checkpoints[0].primary_metric
    assert isinstance(primary, PrimaryMetric)
    assert primary == ("loss", "maximize")
    name, goal = primary
    assert (name, goal, primary[0], primary[1], len(primary)) == ("loss", "maximize", "loss", "maximize", 2)
    assert (primary.name, primary.goal) == ("loss", "maximize")


def test_the_primary_metric_reads_by_the_names_of_its_fields() -> None:
    primary = make_run(primary_metric=("loss", "maximize")).checkpoints[0].primary_metric
    assert primary is not None
    assert primary["name"] == "loss"
    assert primary["goal"] == "maximize"
    assert {"name": primary["name"], "goal": primary["goal"]} == {"name": "loss", "goal": "maximize"}


@pytest.mark.parametrize("key", ["names", "", 2])
def test_the_primary_metric_has_no_other_fields(key: object) -> None:
    primary = make_run().checkpoints[0].primary_metric
    assert primary is not None
    with pytest.raises((KeyError, IndexError)):
        primary[key]


def test_checkpoints_are_equal_when_their_ids_are() -> None:
    made = make_run().checkpoints
    assert made[0] != made[1]
    assert set(made) == set(only_experiment().checkpoints)
