"""Completion of ids, asked for as a shell asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.subjects import TwoExperiments

PROGRAM = (sys.executable, "-c", "from keepsake.cli.main import main; main()")


def complete(words: str, directory: Path) -> list[str]:
    """Return what is offered for the last of the words, as the program prints it for bash."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    env = {**os.environ, "_KEEPSAKE_COMPLETE": "bash_complete", **asked}
    result = subprocess.run(PROGRAM, env=env, cwd=directory, capture_output=True, text=True, check=False)
    assert result.stderr == ""
    return result.stdout.split()


@pytest.mark.parametrize("command", ["show", "diff", "log", "plot", "checkout", "open", "rm", "name", "note", "tag"])
def test_the_id_of_an_experiment_is_completed(command: str, trained: TwoExperiments) -> None:
    experiment = trained.first
    offered = complete(f"keepsake {command} {experiment.id[:2]}", trained.directory)
    assert f"plain,{experiment.short_id()}" in offered
    assert complete(f"keepsake {command} {experiment.id[:9]}", trained.directory) == [f"plain,{experiment.id}"]


def test_checkpoints_are_offered_from_three_digits_on(trained: TwoExperiments) -> None:
    checkpoint = trained.first.checkpoints[0]
    wanted = f"plain,{checkpoint.short_id()}"
    assert wanted in complete(f"keepsake show {checkpoint.id[:3]}", trained.directory)
    assert wanted not in complete(f"keepsake show {checkpoint.id[:2]}", trained.directory)


def test_where_there_is_no_repository_nothing_is_offered_and_nothing_said(tmp_path: Path) -> None:
    assert complete("keepsake show ab", tmp_path) == []


def test_the_project_that_was_named_is_looked_into(trained: TwoExperiments, tmp_path: Path) -> None:
    beginning = trained.first.id[:9]
    assert complete(f"keepsake -D {trained.directory} show {beginning}", tmp_path) == [f"plain,{trained.first.id}"]
