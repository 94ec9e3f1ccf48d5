"""`diff()` of experiments, checkpoints, lists and ids."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import keepsake
from keepsake import Experiment
from keepsake.errors import AmbiguousPrefixError, InvalidInputError, NotFoundError
from tests.api.runs import make_run


def run(code: str, losses: tuple[float, ...] = (0.5, 0.25, 0.75), **params: object) -> Experiment:
    """Make an experiment with some code, and a file of weights in each checkpoint."""
    Path("train.py").write_text(code)
    experiment = keepsake.init(path="train.py", params=params, quiet=True)
    for step, loss in enumerate(losses):
        Path("weights.txt").write_text(f"weights of step {step}\n")
        experiment.checkpoint("weights.txt", step, {"loss": loss}, ("loss", "minimize"))
    experiment.stop()
    return experiment


def test_experiments_are_compared_with_their_best_checkpoints() -> None:
    one, other = run("lr = 1\n", lr=1), run("lr = 2\n", lr=2)
    diff = one.diff(other)
    assert [(side.checkpoint_id, side.chosen) for side in diff.sides] == [
        (one.checkpoints[1].id, "best"), (other.checkpoints[1].id, "best"),
    ]  # fmt: skip
    assert [(row.name, row.values) for row in diff.params] == [("lr", (1, 2))]
    assert [change.path for change in diff.files[0].changes] == ["train.py"]
    assert diff.files[0].unchanged == 1
    assert diff.metrics == ()


def test_experiments_of_a_list_are_compared_by_all_that_is_known_of_them() -> None:
    run("lr = 1\n"), run("lr = 2\n")
    diff = keepsake.diff(*keepsake.experiments.list(), show_all=True)
    assert "pytest" in {row.name for row in diff.packages}
    assert "python_version" in {row.name for row in diff.environment}


def test_checkpoints_of_one_experiment_are_compared_by_their_files_and_metrics() -> None:
    experiment = run("lr = 1\n")
    first, *_, last = experiment.checkpoints
    diff = first.diff(last)
    assert [row.values for row in diff.metrics] == [(0.5, 0.75)]
    assert [change.path for change in diff.files[0].changes] == ["weights.txt"]
    assert first.diff(first).is_empty


def test_an_experiment_without_a_best_checkpoint_counts_with_its_latest_or_none() -> None:
    latest, none = make_run(primary_metric=None), make_run(())
    diff = latest.diff(none)
    assert [side.chosen for side in diff.sides] == ["latest", None]
    assert diff.sides[1].checkpoint_id is None
    assert [row.is_set for row in diff.metrics] == [(True, False)]


def test_ids_prefixes_and_objects_are_compared_alike() -> None:
    one, other = run("1\n"), run("2\n")
    assert keepsake.diff(one.id, other.id[:12]) == keepsake.diff(one, other) == one.diff(other)
    assert keepsake.diff(one.checkpoints[0].id, other).sides[0].chosen is None


def test_a_list_is_compared_with_its_first_experiment() -> None:
    for lr in (1, 2, 3):
        run("same\n", lr=lr)
    diff = keepsake.experiments.list().diff(only="params")
    assert [row.values for row in diff.params] == [(1, 2, 3)]
    assert diff.sections == ("params",)


def test_wrong_arguments_are_refused() -> None:
    one, other = run("1\n"), run("2\n")
    with pytest.raises(NotFoundError):
        keepsake.diff(one, "0123456789abcdef")
    with pytest.raises(InvalidInputError, match="cannot be compared"):
        one.diff()
    with pytest.raises(InvalidInputError, match="int is nothing to compare"):
        one.diff(3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="speed"):
        one.diff(other, only="speed")
    with pytest.raises((AmbiguousPrefixError, InvalidInputError)):
        keepsake.diff("", one)


def test_a_repository_without_manifests_still_tells_params_apart(project: Path) -> None:
    one, other = run("1\n", lr=1), run("2\n", lr=2)
    shutil.rmtree(project / ".keepsake" / "manifests")
    diff = one.diff(other)
    assert [row.name for row in diff.params] == ["lr"]
    assert "manifest " in str(diff.files[0].problem)
    assert "manifest " in str(diff)


def test_it_shows_itself_as_text_and_in_notebooks() -> None:
    one, other = run("lr = 1\n", lr=1), run("lr = 2\n", lr=2)
    diff = one.diff(other)
    assert "-lr = 1\n+lr = 2" in str(diff)
    assert "lr = 2" in diff._repr_html_()
    assert diff.to_json()["files"][0]["changes"][0]["path"] == "train.py"
