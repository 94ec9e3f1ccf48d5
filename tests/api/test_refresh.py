"""`experiment.refresh()`: seeing what others wrote meanwhile."""

from __future__ import annotations

import keepsake
from tests.api.runs import make_run, run_script


def test_refresh_reads_what_was_saved_since() -> None:
    running = keepsake.init()
    running.checkpoint(step=1, loss=2.0)
    looked_at = keepsake.experiments.get(running.id)
    running.checkpoint(step=2, loss=1.0, primary_metric=("loss", "minimize"))
    running.name = "renamed"
    assert looked_at.checkpoints.step == [1]
    looked_at.refresh()
    assert looked_at.checkpoints.step == [1, 2]
    assert looked_at.name == "renamed"
    best = looked_at.best()
    assert best is not None
    assert best.step == 2


def test_refresh_reads_what_another_process_wrote() -> None:
    experiment = make_run()
    run_script("import sys, keepsake\nkeepsake.experiments.get(sys.argv[1]).checkpoint(step=99)", experiment.id)
    assert 99 not in experiment.checkpoints.step
    experiment.refresh()
    assert experiment.checkpoints.step[-1] == 99


def test_refresh_of_an_experiment_that_this_process_writes_loses_nothing() -> None:
    experiment = keepsake.init(params={"lr": 1})
    experiment.checkpoint(step=1)
    experiment.log(loss=1.0)
    experiment.refresh()
    experiment.checkpoint(step=2)
    assert experiment.checkpoints.step == [1, 2]
    assert len(experiment.logs) == 1
    assert experiment.is_running()
