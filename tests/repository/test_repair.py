"""Repair: what a check found damaged comes back from a copy, or is cleared away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import keepsake

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def project(tmp_path: Path) -> keepsake.Project:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "weights.bin").write_bytes(CONTENT)
    made = keepsake.Project(directory=directory)
    experiment = made.experiments.create(params={"lr": 1}, quiet=True)
    experiment.checkpoint(path="weights.bin", step=1)
    experiment.stop()
    shutil.copytree(directory / ".keepsake", tmp_path / "copy")
    return made


def objects(project: keepsake.Project, kind: str) -> list[Path]:
    root = project.find_place().directory / ".keepsake" / kind
    return [path for path in root.rglob("*") if path.is_file()]


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(data)


def read(project: keepsake.Project) -> bytes:
    with project.experiments.list()[0].checkpoints[0].open("weights.bin") as file:
        return file.read()


@pytest.mark.parametrize("kind", ["chunks", "manifests", "journals"])
@pytest.mark.parametrize("is_missing", [False, True])
def test_what_a_copy_has_comes_back(project: keepsake.Project, tmp_path: Path, kind: str, is_missing: bool) -> None:
    for path in objects(project, kind):
        path.unlink() if is_missing else damage(path)
    report = project.check()
    if kind == "journals" and is_missing:
        assert report.is_clean, "that a whole experiment has gone, nothing in the repository can tell"
        project = keepsake.Project(repository=str(tmp_path / "copy"), directory=project.directory)
    else:
        assert not report.is_clean
        result = project.repair(report, [str(tmp_path / "copy")])
        assert sorted(result.restored) == sorted({problem.key for problem in report.problems})
    assert project.check().is_clean
    assert read(project) == CONTENT


def test_a_damaged_chunk_that_nobody_has_is_cleared_away_and_stored_anew(project: keepsake.Project) -> None:
    for path in objects(project, "chunks"):
        damage(path)
    report = project.check()
    result = project.repair(report)
    assert result.cleared == [problem.key for problem in report.problems]
    assert objects(project, "chunks") == []
    again = project.experiments.create(quiet=True)
    again.checkpoint(path="weights.bin")
    again.stop()
    assert project.check().is_clean
    assert read(project) == CONTENT


def test_a_damaged_journal_that_nobody_has_stays(project: keepsake.Project) -> None:
    (segment,) = objects(project, "journals")
    damage(segment)
    before = segment.read_bytes()
    result = project.repair(project.check())
    assert result.left
    assert not result.restored
    assert segment.read_bytes() == before


def test_a_copy_that_is_damaged_itself_is_of_no_use(project: keepsake.Project, tmp_path: Path) -> None:
    for path in objects(project, "chunks"):
        damage(path)
    for path in (tmp_path / "copy" / "chunks").rglob("*"):
        if path.is_file():
            damage(path)
    result = project.repair(project.check(), [str(tmp_path / "copy")])
    assert result.restored == []
    assert result.cleared


def test_repairing_a_sound_repository_changes_nothing(project: keepsake.Project, tmp_path: Path) -> None:
    result = project.repair(project.check(), [str(tmp_path / "copy")])
    assert (result.restored, result.cleared, result.left) == ([], [], [])
