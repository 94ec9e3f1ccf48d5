"""The fields and small methods of `Experiment`."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import keepsake
from keepsake.errors import InvalidInputError
from tests.api.runs import make_run, only_experiment, run_script, write_files


def test_an_experiment_that_was_fetched_has_every_field(project: Path) -> None:
    write_files(project, {"train.py": "code"})
    made = make_run(path=".", params={"lr": 0.1})
    experiment = only_experiment()
    assert experiment.id == made.id
    assert len(experiment.id) == 64
    assert isinstance(experiment.created, datetime)
    assert isinstance(experiment.duration, timedelta)
    assert experiment.user == getpass.getuser()
    assert experiment.path == "."
    assert experiment.params == {"lr": 0.1}
    assert experiment.checkpoints == made.checkpoints
    assert isinstance(experiment.checkpoints, keepsake.CheckpointList)
    assert experiment.keepsake_version == keepsake.__version__
    assert experiment.host


def test_an_experiment_has_the_same_fields_before_and_after_it_is_fetched() -> None:
    made = make_run(params={"lr": 0.1}, name="n", tags=["t"], notes="x")
    assert made.to_json() == only_experiment().to_json()


def test_created_is_the_moment_of_init() -> None:
    before = datetime.now().astimezone()
    experiment = keepsake.init()
    after = datetime.now().astimezone()
    assert before <= experiment.created <= after
    assert before <= only_experiment().created <= after


def test_the_duration_reaches_to_the_latest_checkpoint() -> None:
    experiment = make_run()
    assert experiment.duration == experiment.checkpoints[-1].created - experiment.created
    assert experiment.duration > timedelta(0)


def test_without_a_checkpoint_there_is_no_duration() -> None:
    assert keepsake.init().duration is None


def test_the_command_can_be_run_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--lr", "0.1", "--note", "two words"]
    run_script("import keepsake\nkeepsake.init()", *arguments)
    command = only_experiment().command
    assert command is not None
    assert command.startswith("python ")
    assert command.endswith("train.py --lr 0.1 --note 'two words'")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    subprocess.run(command, shell=True, check=True, capture_output=True, cwd=project)
    assert len(keepsake.experiments.list()) == 2


def test_the_packages_are_those_that_were_imported_under_their_distribution_names() -> None:
    run_script("import dateutil, yaml, keepsake\nkeepsake.init()")
    packages = only_experiment().python_packages
    assert {"keepsake", "python-dateutil", "PyYAML"} <= packages.keys()
    assert "torch" not in packages
    assert packages["keepsake"] == keepsake.__version__
    assert all(isinstance(version, str) for version in packages.values())


def test_python_and_machine_are_recorded() -> None:
    import platform

    keepsake.init()
    experiment = only_experiment()
    assert experiment.python_version == platform.python_version()
    assert experiment.environment["platform"]
    assert {"cpu", "gpu", "cuda"} <= experiment.environment.keys()


def test_the_git_state_is_recorded(project: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "init.defaultBranch=main"]
        done = subprocess.run(["git", *identity, *arguments], cwd=project, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    write_files(project, {"train.py": "code"})
    git("init")
    git("add", "train.py")
    git("commit", "-m", "first")
    git("remote", "add", "origin", "https://someone:hunter2@example.com/repo.git")
    clean = keepsake.init().git
    assert clean == {
        "commit": git("rev-parse", "HEAD"),
        "branch": "main",
        "remote": "https://someone:***@example.com/repo.git",
        "dirty": False,
    }
    write_files(project, {"train.py": "changed"})
    dirty = keepsake.init().git
    assert dirty is not None
    assert dirty["dirty"] is True


def test_outside_of_git_there_is_no_git_state() -> None:
    assert keepsake.init().git is None


def test_when_git_refuses_to_say_the_commit_its_reason_is_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(project, {".git": "gitdir: /nowhere"})
    assert keepsake.init(quiet=True).git is None
    assert capsys.readouterr().err == ""
    assert keepsake.init().git is None
    assert "no commit is recorded" in capsys.readouterr().err


def test_environment_variables_are_not_recorded(project: Path) -> None:
    script = "import os\nos.environ['MY_SETTING'] = 'value-of-it'\nimport keepsake\nkeepsake.init()"
    write_files(project, {"keepsake.yaml": "repository: ../kept"})
    run_script(script)
    stored = [place.read_bytes() for place in (project.parent / "kept").rglob("*") if place.is_file()]
    assert stored
    assert not any(b"value-of-it" in data for data in stored)


def test_the_latest_checkpoint_is_the_one_that_was_saved_last() -> None:
    experiment = keepsake.init()
    assert experiment.latest() is None
    experiment.checkpoint(step=20)
    last = experiment.checkpoint(step=3)
    assert experiment.latest() == last
    assert only_experiment().latest() == last


def test_the_short_id_is_the_beginning_of_the_id() -> None:
    experiment = make_run()
    assert experiment.short_id() == experiment.id[:7]


def test_the_primary_metric_of_an_experiment_is_a_name() -> None:
    assert make_run(primary_metric=("loss", "minimize")).primary_metric() == "loss"


def test_without_a_primary_metric_what_was_only_logged_is_named_too() -> None:
    experiment = keepsake.init()
    experiment.checkpoint(metrics={"val": {"loss": 1.0}})
    experiment.log(speed=2.0)
    for one in (experiment, keepsake.experiments.list()):
        with pytest.raises(InvalidInputError, match=r"say which metric; there are: speed, val\.loss\. Or"):
            one.primary_metric()


def test_experiments_are_equal_when_their_ids_are() -> None:
    first, second = make_run(), make_run()
    assert first != second
    assert {first, second} == set(keepsake.experiments.list())


def test_an_experiment_can_be_written_as_json() -> None:
    make_run((float("nan"), 1.0), params={"a": [1, {"b": None}]})
    document = json.loads(json.dumps(only_experiment().to_json()))
    assert document["params"] == {"a": [1, {"b": None}]}
    assert [checkpoint["step"] for checkpoint in document["checkpoints"]] == [0, 10]
