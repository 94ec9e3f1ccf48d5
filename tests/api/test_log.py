"""`experiment.log()`: metrics between checkpoints."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import keepsake
from tests.api.runs import only_experiment


def test_logged_metrics_come_back_in_order_with_step_and_time() -> None:
    experiment = keepsake.init()
    experiment.log({"loss": 2.0}, step=1)
    experiment.log(loss=1.0, step=2, lr=0.1)
    experiment.log(loss=0.5)
    for one in (experiment, only_experiment()):
        assert [entry.metrics for entry in one.logs] == [{"loss": 2.0}, {"loss": 1.0, "lr": 0.1}, {"loss": 0.5}]
        assert [entry.step for entry in one.logs] == [1, 2, None]
        assert one.created < one.logs[0].created < one.logs[1].created


def test_logging_makes_no_checkpoint_and_counts_no_step() -> None:
    experiment = keepsake.init()
    experiment.log(loss=1.0, step=50)
    assert experiment.checkpoints == []
    experiment.checkpoint()
    assert only_experiment().checkpoints.step == [0]


def test_one_may_log_to_an_experiment_that_was_fetched() -> None:
    keepsake.init().stop()
    fetched = only_experiment()
    fetched.log(note="late")
    assert fetched.is_running()
    fetched.stop()
    assert [entry.metrics for entry in only_experiment().logs] == [{"note": "late"}]


@pytest.fixture
def few_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keepsake.experiment.KEPT_LOGS", 10)


@pytest.mark.usefixtures("few_kept")
def test_a_run_that_logs_without_end_keeps_the_last_in_memory_and_reads_the_rest_when_asked() -> None:
    experiment = keepsake.init()
    for step in range(55):
        experiment.log(loss=1.0, step=step)
    assert len(experiment._state.logs) <= 20
    assert [entry.step for entry in experiment.logs] == list(range(55))
    for step in range(55, 80):
        experiment.log(loss=1.0, step=step)
    assert len(experiment._state.logs) <= 20
    experiment.stop()
    assert len(experiment._state.logs) <= 20
    assert [entry.step for entry in experiment.logs] == list(range(80))


@pytest.mark.usefixtures("few_kept")
def test_what_was_logged_last_is_shown_when_the_rest_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    experiment = keepsake.init()
    for step in range(25):
        experiment.log(loss=1.0, step=step)
    shutil.rmtree(Path.cwd() / ".keepsake")
    assert [entry.step for entry in experiment.logs][-10:] == list(range(15, 25))
    assert "only the last of what experiment" in capsys.readouterr().err


@pytest.mark.usefixtures("few_kept")
def test_where_nothing_is_saved_the_last_of_what_is_logged_is_at_hand_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEEPSAKE_MODE", "disabled")
    experiment = keepsake.init()
    for step in range(35):
        experiment.log(loss=1.0, step=step)
    experiment.checkpoint(loss=1.0)
    assert [entry.step for entry in experiment.logs][-10:] == list(range(25, 35))
    experiment.stop()
    assert [entry.step for entry in experiment.logs][-10:] == list(range(25, 35))
    assert len(experiment._repository.load_journal(experiment.id).events) == 3
    experiment.log(loss=2.0)
    assert experiment.is_running()
