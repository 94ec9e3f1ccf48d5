"""A repository that is unmounted, moved or deleted while a script saves to it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import keepsake
from keepsake.errors import NotFoundError
from tests.api.runs import only_experiment, write_files


@pytest.fixture
def repository(project: Path) -> Path:
    write_files(project, {"w": "weights 0"})
    return project / ".keepsake"


def test_what_was_saved_while_it_was_away_is_there_when_it_is_back(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = keepsake.init(quiet=True)
    checkpoints = [experiment.checkpoint("w", step=0, loss=3)]
    elsewhere = repository.rename(repository.with_name("unmounted"))
    for step in (1, 2):
        write_files(repository.parent, {"w": f"weights {step}"})
        checkpoints.append(experiment.checkpoint("w", step=step, loss=2))
    assert "no repository at" in capsys.readouterr().err
    assert not repository.exists()  # nothing is written where a mount will hide it
    elsewhere.rename(repository)
    experiment.stop()
    assert "works again" in capsys.readouterr().err
    assert only_experiment().checkpoints == checkpoints
    assert [one.open("w").read() for one in only_experiment().checkpoints] == [b"weights 0", b"weights 1", b"weights 2"]
    assert only_experiment().status == "finished"
    assert keepsake.Project().check().is_clean


def test_one_that_was_deleted_is_not_said_to_hold_the_experiment(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = keepsake.init(quiet=True)
    experiment.checkpoint("w", step=0)
    shutil.rmtree(repository)
    experiment.checkpoint(loss=1)
    experiment.stop()
    said = capsys.readouterr().err
    assert "no repository at" in said
    assert f"{experiment.short_id()} is not complete" in said
    assert not repository.exists()


def test_another_one_in_its_place_gets_nothing_of_it(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    experiment = keepsake.init(quiet=True)
    experiment.checkpoint("w", step=0)
    shutil.rmtree(repository)
    other = keepsake.Project().experiments.create(quiet=True)
    experiment.checkpoint("w", step=1)
    experiment.stop()
    assert "is not complete" in capsys.readouterr().err
    other.stop()
    assert only_experiment().id == other.id
    assert keepsake.Project().check().is_clean


def test_it_is_raised_if_so_wanted(repository: Path) -> None:
    experiment = keepsake.init(on_error="raise")
    experiment.checkpoint("w", step=0)
    shutil.rmtree(repository)
    with pytest.raises(NotFoundError, match="no repository at"):
        experiment.checkpoint("w", step=1)
    with pytest.raises(NotFoundError, match="is gone"):
        experiment.stop()


def test_an_experiment_that_was_deleted_and_collected_is_said_to_be_deleted(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = keepsake.init(quiet=True)
    experiment.checkpoint("w", step=0)
    for journal in (repository / "journals").rglob("*.jsonl"):
        journal.unlink()
    experiment.checkpoint("w", step=1)
    experiment.stop()
    assert f"{experiment.short_id()} was deleted" in capsys.readouterr().err
    assert keepsake.experiments.list() == []
