"""A store that fails after `init()`: training goes on and nothing is lost, or the error is raised if so wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

import keepsake
from keepsake.errors import StoreError
from tests.api.runs import only_experiment, run_script, write_files


@pytest.fixture
def chunks(project: Path) -> Path:
    write_files(project, {"w": "weights"})
    return project / ".keepsake" / "chunks"


def break_store(chunks: Path) -> None:
    """Make it impossible to store a chunk, for root as well: a file is where the directory belongs."""
    chunks.write_text("in the way")


def stop_with_a_checkpoint_aside(chunks: Path) -> keepsake.Experiment:
    experiment = keepsake.init(quiet=True)
    break_store(chunks)
    experiment.checkpoint("w", step=1)
    experiment.stop()
    return experiment


def test_a_failure_warns_once_and_the_data_is_delivered_when_the_store_works_again(
    chunks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = keepsake.init(quiet=True)
    break_store(chunks)
    checkpoints = [experiment.checkpoint("w", step=step) for step in range(3)]
    assert capsys.readouterr().err.count("warning") == 1
    chunks.unlink()
    experiment.stop()
    assert only_experiment().checkpoints == checkpoints
    with only_experiment().checkpoints[2].open("w") as file:
        assert file.read() == b"weights"
    assert keepsake.Project().check().is_clean


def test_who_looks_is_told_that_more_waits_until_it_is_delivered(
    chunks: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = stop_with_a_checkpoint_aside(chunks)
    capsys.readouterr()
    for look in (keepsake.experiments.list, lambda: keepsake.experiments.get(experiment.id)):
        monkeypatch.setattr("keepsake.notices._said", set())
        look()
        said = capsys.readouterr().err
        assert f"of {experiment.short_id()}, more waits in" in said
        assert "keepsake push" in said
    chunks.unlink()
    keepsake.Project().deliver()
    monkeypatch.setattr("keepsake.notices._said", set())
    capsys.readouterr()
    assert [one.step for one in only_experiment().checkpoints] == [1]
    assert "waits" not in capsys.readouterr().err


def test_stop_says_what_is_still_missing_and_the_next_experiment_delivers_it(
    chunks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = stop_with_a_checkpoint_aside(chunks)
    said = capsys.readouterr().err
    assert f"experiment {experiment.short_id()} is not complete" in said
    chunks.unlink()
    keepsake.init(quiet=True)
    found = keepsake.experiments.get(experiment.id)
    assert found.checkpoints.step == [1]
    with found.checkpoints[0].open("w") as file:
        assert file.read() == b"weights"


def test_the_checkpoint_can_be_read_while_the_store_fails(chunks: Path) -> None:
    experiment = keepsake.init(quiet=True)
    break_store(chunks)
    checkpoint = experiment.checkpoint("w", step=1, metrics={"loss": 1.0})
    assert experiment.checkpoints == [checkpoint]
    assert checkpoint.metrics == {"loss": 1.0}


def test_checkpoints_that_wait_to_be_delivered_are_still_those_of_the_experiment(chunks: Path) -> None:
    experiment = keepsake.init(quiet=True)
    experiment.checkpoint(step=0, loss=2.0, primary_metric=("loss", "minimize"))
    break_store(chunks)
    experiment.checkpoint("w", step=1, loss=1.0, primary_metric=("loss", "minimize"))
    for end in (experiment.refresh, experiment.stop):
        end()
        best = experiment.best()
        assert best is not None
        assert best.step == 1
    assert experiment.checkpoints.step == [0, 1]
    assert "2 checkpoints" in repr(experiment)


def test_on_error_raise_raises(chunks: Path) -> None:
    experiment = keepsake.init(quiet=True, on_error="raise")
    break_store(chunks)
    with pytest.raises(StoreError):
        experiment.checkpoint("w", step=1)
    assert only_experiment().checkpoints == []
    chunks.unlink()
    experiment.checkpoint("w", step=2)
    experiment.stop()
    assert only_experiment().checkpoints.step == [2]


def test_a_failing_store_does_not_change_how_a_script_ends(project: Path) -> None:
    result = run_script(
        """
        from pathlib import Path
        import keepsake
        Path("w").write_text("weights")
        experiment = keepsake.init()
        Path(".keepsake/chunks").write_text("in the way")
        for step in range(3):
            experiment.checkpoint("w", step=step)
        print("trained")
        """
    )
    assert (result.returncode, result.stdout) == (0, "trained\n")
    assert result.stderr.count("training goes on") == 1


def test_init_raises_when_the_repository_cannot_be_made(project: Path) -> None:
    (project / ".keepsake").write_text("in the way")
    with pytest.raises(StoreError):
        keepsake.init()
    assert (project / ".keepsake").read_text() == "in the way"


def test_an_init_whose_files_cannot_be_saved_leaves_no_experiment(project: Path) -> None:
    keepsake.init().delete()
    write_files(project, {"w": "weights"})
    break_store(project / ".keepsake" / "chunks")
    with pytest.raises(StoreError):
        keepsake.init(path=".")
    assert keepsake.experiments.list() == []
