"""`experiment.checkpoint()`: what it saves and what it records."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import keepsake
from tests.api.runs import files_below, only_experiment, run_script, write_files


def test_a_checkpoint_is_in_the_repository_when_the_call_returns() -> None:
    experiment = keepsake.init()
    checkpoint = experiment.checkpoint(step=3, metrics={"loss": 0.5})
    assert isinstance(checkpoint, keepsake.Checkpoint)
    (found,) = only_experiment().checkpoints
    assert found == checkpoint
    assert (found.step, found.metrics) == (3, {"loss": 0.5})


def test_the_example_of_checkpoint_records_all_that_it_gives(project: Path, tmp_path: Path) -> None:
    write_files(project, {"weights/model.pt": "weights", "train.py": "code"})
    experiment = keepsake.init()
    experiment.checkpoint(
        path="weights/",
        step=5,
        metrics={"train_loss": 0.425, "train_accuracy": 0.749},
        primary_metric=("train_accuracy", "maximize"),
    )
    (found,) = only_experiment().checkpoints
    assert (found.path, found.step) == ("weights", 5)
    assert found.metrics == {"train_loss": 0.425, "train_accuracy": 0.749}
    assert found.primary_metric == ("train_accuracy", "maximize")
    found.checkout(tmp_path / "out", quiet=True)
    assert files_below(tmp_path / "out") == {"weights/model.pt": "weights"}


def test_a_checkpoint_saves_the_single_file_that_path_names(project: Path) -> None:
    write_files(project, {"model.pt": "weights", "other.pt": "no"})
    assert keepsake.init().checkpoint(path="model.pt").files() == {"model.pt": 7}


def test_a_checkpoint_without_path_saves_no_files(project: Path) -> None:
    write_files(project, {"model.pt": "weights"})
    checkpoint = keepsake.init().checkpoint(metrics={"loss": 1})
    assert checkpoint.path is None
    assert checkpoint.files() == {}
    assert not (project / ".keepsake" / "chunks").exists()


def test_the_path_is_relative_to_the_directory_of_keepsake_yaml(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(project, {"keepsake.yaml": "repository: kept\n", "w/model.pt": "1", "sub/w/model.pt": "22"})
    monkeypatch.chdir(project / "sub")
    assert keepsake.init().checkpoint(path="w").files() == {"w/model.pt": 1}


def test_a_file_may_be_overwritten_after_the_call(project: Path) -> None:
    write_files(project, {"model.pt": "first"})
    experiment = keepsake.init()
    first = experiment.checkpoint(path="model.pt")
    write_files(project, {"model.pt": "second"})
    second = experiment.checkpoint(path="model.pt")
    with first.open("model.pt") as one, second.open("model.pt") as other:
        assert (one.read(), other.read()) == (b"first", b"second")


def test_keyword_arguments_are_recorded_as_metrics() -> None:
    keepsake.init().checkpoint(step=1, metrics={"loss": 0.5}, accuracy=0.9, phase="train")
    assert only_experiment().checkpoints[0].metrics == {"loss": 0.5, "accuracy": 0.9, "phase": "train"}


def test_quiet_is_not_recorded() -> None:
    keepsake.init().checkpoint(quiet=True, accuracy=0.9)
    assert only_experiment().checkpoints[0].metrics == {"accuracy": 0.9}


def test_the_arguments_may_be_given_by_position(project: Path) -> None:
    write_files(project, {"w": "1"})
    found = keepsake.init().checkpoint("w", 4, {"loss": 1.0}, ("loss", "minimize"), True)
    assert (found.path, found.step, found.metrics) == ("w", 4, {"loss": 1.0})
    assert found.primary_metric == ("loss", "minimize")


def test_steps_that_are_not_given_count_on() -> None:
    experiment = keepsake.init()
    for step in (None, None, 10, None):
        experiment.checkpoint(step=step)
    assert experiment.checkpoints.step == [0, 1, 10, 11]
    assert only_experiment().checkpoints.step == [0, 1, 10, 11]


def test_steps_count_on_in_an_experiment_that_was_fetched() -> None:
    keepsake.init().checkpoint(step=7)
    fetched = only_experiment()
    fetched.checkpoint()
    fetched.stop()
    assert only_experiment().checkpoints.step == [7, 8]


def test_a_step_may_be_a_numpy_integer() -> None:
    import numpy as np

    experiment = keepsake.init()
    experiment.checkpoint(step=np.int64(6))
    assert experiment.checkpoints.step == [6]
    assert type(experiment.checkpoints.step[0]) is int


def test_metrics_may_be_scalars_of_numpy_and_torch_and_not_finite() -> None:
    import numpy as np
    import torch

    keepsake.init().checkpoint(
        metrics={"a": np.float32(0.5), "b": torch.tensor(0.25), "c": float("inf"), "d": None, "e": {"f": [1]}}
    )
    assert only_experiment().checkpoints[0].metrics == {
        "a": 0.5, "b": 0.25, "c": float("inf"), "d": None, "e": {"f": [1]},
    }  # fmt: skip


def test_metrics_are_those_of_the_moment_of_the_call() -> None:
    metrics = {"losses": [1.0]}
    checkpoint = keepsake.init().checkpoint(metrics=metrics)
    metrics["losses"].append(2.0)
    assert checkpoint.metrics == {"losses": [1.0]}
    assert only_experiment().checkpoints[0].metrics == {"losses": [1.0]}


def test_the_primary_metric_need_not_be_among_the_metrics() -> None:
    keepsake.init().checkpoint(metrics={"loss": 1.0}, primary_metric=("accuracy", "maximize"))
    assert only_experiment().checkpoints[0].primary_metric == ("accuracy", "maximize")


def test_the_primary_metric_may_be_given_as_it_was_read() -> None:
    experiment = keepsake.init()
    first = experiment.checkpoint(metrics={"a": 1}, primary_metric=("a", "minimize"))
    experiment.checkpoint(metrics={"a": 2}, primary_metric=first.primary_metric)
    assert [one.primary_metric for one in only_experiment().checkpoints] == [("a", "minimize")] * 2


def test_a_link_that_leads_nowhere_is_kept_as_a_link(project: Path, tmp_path: Path) -> None:
    write_files(project, {"w/good": "g"})
    (project / "w" / "dangling").symlink_to("nowhere")
    checkpoint = keepsake.init().checkpoint(path="w")
    assert checkpoint.files() == {"w/good": 1}
    checkpoint.checkout(tmp_path / "out", quiet=True)
    assert (tmp_path / "out" / "w" / "dangling").readlink() == Path("nowhere")


def test_checkpoints_survive_the_sudden_death_of_the_process(project: Path) -> None:
    write_files(project, {"w/model.pt": "weights"})
    result = run_script(
        """
        import os, signal
        import keepsake
        experiment = keepsake.init(path=".")
        experiment.checkpoint(path="w", step=1, loss=0.5)
        experiment.checkpoint(path="w", step=2, loss=0.25)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    assert result.returncode == -9
    experiment = only_experiment()
    assert experiment.checkpoints.step == [1, 2]
    with experiment.checkpoints[1].open("w/model.pt") as file:
        assert file.read() == b"weights"
    assert experiment.status == "lost"


def test_the_step_is_shown_where_checkpoints_are_listed() -> None:
    from click.testing import CliRunner

    from keepsake.cli.main import cli

    experiment = keepsake.init()
    checkpoint = experiment.checkpoint(step=4321)
    assert " 4321" in CliRunner().invoke(cli, ["ls"]).output
    assert "step 4321" in repr(checkpoint)
    for thing in (checkpoint, experiment, experiment.checkpoints, keepsake.experiments):
        assert "4321" in thing._repr_html_()


def test_threads_may_save_checkpoints_side_by_side(project: Path) -> None:
    write_files(project, {"w": "weights"})
    experiment = keepsake.init()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: experiment.checkpoint("w", number=number), range(40)))
    for one in (experiment, only_experiment()):
        assert {checkpoint.metrics["number"] for checkpoint in one.checkpoints} == set(range(40))
        assert set(one.checkpoints.step) == set(range(40))
