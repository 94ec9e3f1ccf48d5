"""`keepsake log`: what an experiment measures, as it comes."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from tests.cli.subjects import RunCli, TwoExperiments


def test_checkpoints_and_logged_metrics_stand_in_the_order_of_time(cli: RunCli, trained: TwoExperiments) -> None:
    lines = cli("log", trained.first.id, at=trained.directory).out.splitlines()
    assert len(lines) == 3
    assert "step 0" in lines[0]
    assert f"checkpoint {trained.first.checkpoints[0].short_id()}" in lines[0]
    assert "step 9" in lines[2]
    assert "checkpoint" not in lines[2]


def test_one_metric_alone(cli: RunCli, trained: TwoExperiments) -> None:
    lines = cli("log", trained.first.id, "-m", "val/acc", at=trained.directory).out.splitlines()
    assert ["loss" in line for line in lines] == [False, False]
    assert all("val/acc=" in line for line in lines)


def test_json_is_an_object_a_line(cli: RunCli, trained: TwoExperiments) -> None:
    entries = [
        json.loads(line) for line in cli("log", "--json", trained.first.id, at=trained.directory).out.splitlines()
    ]
    assert [entry["step"] for entry in entries] == [0, 1, 9]
    assert entries[0]["checkpoint"] == trained.first.checkpoints[0].id
    assert entries[2]["checkpoint"] is None


def test_only_the_last_lines(cli: RunCli, trained: TwoExperiments) -> None:
    assert len(cli("log", "-n", "1", trained.first.id, at=trained.directory).out.splitlines()) == 1


def test_the_last_lines_are_those_that_have_the_metric(cli: RunCli, trained: TwoExperiments) -> None:
    done = cli("log", "-n", "1", "-m", "val/acc", trained.first.id, at=trained.directory)
    assert "step 1" in done.out
    entry = json.loads(cli("log", "-n", "1", "-m", "val/acc", "--json", trained.first.id).out)
    assert entry["metrics"] == {"val/acc": 0.5}


def test_a_metric_that_is_not_there_is_said_with_the_nearest(cli: RunCli, trained: TwoExperiments) -> None:
    done = cli("log", "-m", "val/ac", trained.first.id, at=trained.directory)
    assert (done.code, done.out) == (0, "")
    assert "did you mean val/acc?" in done.err


def test_it_follows_a_running_experiment_to_its_end(trained: TwoExperiments) -> None:
    experiment = trained.project.experiments.create(quiet=True)
    experiment.checkpoint(step=0, loss=1.0)
    command = [sys.executable, "-m", "keepsake", "log", experiment.id]
    with subprocess.Popen(
        command, cwd=trained.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "step 0" in process.stdout.readline()
        experiment.checkpoint(step=1, loss=0.5)
        assert "step 1" in process.stdout.readline()
        experiment.log(loss=0.25)
        experiment.stop()
        assert "loss=0.25" in process.stdout.readline()
        _, talk = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "is finished" in talk


def test_it_does_not_wait_for_one_that_has_ended(cli: RunCli, trained: TwoExperiments) -> None:
    started = time.monotonic()
    assert cli("log", trained.first.id, at=trained.directory).code == 0
    assert time.monotonic() - started < 30
