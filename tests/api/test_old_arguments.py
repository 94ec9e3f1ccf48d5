"""What scripts for Keepsake 0.x pass and import goes on working."""

from __future__ import annotations

import inspect
import time
from pathlib import Path

import pytest

import keepsake
from keepsake import exceptions
from tests.api.runs import only_experiment


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    experiment = keepsake.experiments.create(None, {"lr": 1}, True)
    experiment.checkpoint(step=1, quiet=True)
    experiment.stop()
    assert tuple(capsys.readouterr()) == ("", "")


def test_disable_heartbeat_keeps_others_from_seeing_that_it_runs(project: Path) -> None:
    experiment = keepsake.init(None, {"lr": 1}, True)
    experiment.checkpoint(step=1)
    assert not only_experiment().is_running()
    assert experiment.is_running()  # to the process itself
    assert not (project / ".keepsake" / "heartbeats").exists()
    experiment.stop()
    assert only_experiment().status == "finished"


def test_debug_is_accepted_and_not_recorded() -> None:
    keepsake.init(params={"lr": 1}, debug=True).stop()
    keepsake.Project(debug=True).experiments.create(params={"lr": 2}).stop()
    assert [experiment.params for experiment in keepsake.experiments.list()] == [{"lr": 1}, {"lr": 2}]


def test_what_is_not_there_is_the_error_that_python_has_for_it(project: Path) -> None:
    Path("w").write_text("weights")
    experiment = keepsake.init(quiet=True)
    empty = experiment.checkpoint(loss=1)
    checkpoint = experiment.checkpoint("w", loss=1)
    with pytest.raises(KeyError, match="no checkpoint has a metric 'los'\nhint: there are: loss"):
        experiment.checkpoints.metrics["los"]
    for one in (empty, checkpoint):
        with pytest.raises(FileNotFoundError) as caught:
            one.open("v")
        assert isinstance(caught.value, exceptions.DoesNotExist)
        with pytest.raises(FileNotFoundError):
            one.checkout("out", path="v")


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (keepsake.init, ["path", "params", "disable_heartbeat", "debug"]),
        (keepsake.Project.__init__, ["self", "repository", "directory", "debug"]),
        (keepsake.ExperimentCollection.create, ["self", "path", "params", "quiet", "disable_heartbeat"]),
        (keepsake.ExperimentCollection.list, ["self", "filter"]),
        (keepsake.Experiment.checkpoint, ["self", "path", "step", "metrics", "primary_metric", "quiet"]),
        (keepsake.Experiment.plot, ["self", "metric", "logy", "plot_only"]),
        (keepsake.Checkpoint.checkout, ["self", "output_directory", "quiet"]),
        (keepsake.Checkpoint.open, ["self", "path"]),
        (keepsake.CheckpointList.plot, ["self", "metric", "logy", "plot_only"]),
        (keepsake.ExperimentList.plot, ["self", "metric", "logy"]),
        (keepsake.ExperimentList.scatter, ["self", "param", "metric", "logx", "logy"]),
    ],
)
def test_arguments_by_position_stand_in_their_old_order(function: object, names: list[str]) -> None:
    assert callable(function)
    parameters = inspect.signature(function).parameters.values()
    by_position = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert by_position[: len(names)] == names


def test_the_old_names_of_the_errors_are_those_that_are_raised(project: Path) -> None:
    with pytest.raises(exceptions.ConfigNotFound):
        keepsake.experiments.list()
    keepsake.init()
    with pytest.raises(exceptions.DoesNotExist):
        keepsake.experiments.get("f" * 64)
    (project / ".keepsake" / "repository.json").write_text('{"version": 5}')
    with pytest.raises(exceptions.IncompatibleRepositoryVersion):
        keepsake.experiments.list()
    (project / ".keepsake" / "repository.json").write_text("garbage")
    with pytest.raises(exceptions.CorruptedRepositorySpec):
        keepsake.experiments.list()


def test_the_public_names_are_there() -> None:
    assert set(keepsake.__all__) >= {
        "Checkpoint", "Experiment", "Project", "__version__", "default_project", "experiments", "init", "wait",
    }  # fmt: skip
    assert all(hasattr(keepsake, name) for name in keepsake.__all__)
    assert keepsake.__version__.startswith("1.0")


def test_an_experiment_may_end_long_after_its_last_checkpoint() -> None:
    experiment = keepsake.init()
    time.sleep(0.01)
    assert experiment.is_running()
