"""Repositories that released versions wrote: every later one must read them as they were meant."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import keepsake
from keepsake._chunks.codec import Codec, codec_of
from tests.golden.write_format_2 import describe

FORMAT_2 = Path(__file__).parent / "format-2"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy, so that no test can change the original."""
    return Path(shutil.copytree(FORMAT_2 / "repository", tmp_path / "repository"))


def test_a_repository_of_format_2_reads_as_it_was_written(repository: Path) -> None:
    expected = json.loads((FORMAT_2 / "expected.json").read_text(encoding="utf-8"))
    # Through JSON once more, where NaN is not equal to itself.
    assert json.dumps(describe(repository)) == json.dumps(expected)


def test_a_repository_of_format_2_checks_clean(repository: Path) -> None:
    report = keepsake.Project(str(repository)).check()
    assert report.problems == []
    assert (report.experiments, report.checkpoints) == (2, 5)


def test_a_process_that_vanished_elsewhere_left_a_lost_experiment(repository: Path) -> None:
    for heartbeat in (repository / "heartbeats").iterdir():
        os.utime(heartbeat, (0, 0))
    statuses = [one.status for one in keepsake.Project(str(repository)).experiments.list()]
    assert statuses == ["finished", "lost"]


def test_a_repository_of_format_2_can_be_written_to(repository: Path, tmp_path: Path) -> None:
    project = keepsake.Project(str(repository), tmp_path)
    project.experiments.create(params={"lr": 3}, quiet=True).stop()
    with project.experiments.list()[0] as experiment:
        experiment.checkpoint(metrics={"loss": 0.125}, primary_metric=("loss", "minimize"))
    assert [len(one.checkpoints) for one in project.experiments.list()] == [5, 1, 0]
    assert project.check().is_clean


def test_the_golden_repository_has_every_codec_and_an_open_segment() -> None:
    chunks = [path for path in (FORMAT_2 / "repository" / "chunks").rglob("*") if path.is_file()]
    assert {codec_of(path.read_bytes()) for path in chunks} == set(Codec)
    assert len(list((FORMAT_2 / "repository" / "journals").rglob("*.open.jsonl"))) == 1
