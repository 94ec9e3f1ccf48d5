"""`keepsake migrate`, and `keepsake du` on a repository of Keepsake 0.x."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.subjects import RunCli
from tests.legacy.repositories import EXPERIMENT, experiment, file_member, write_repository, write_tarball


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project directory with a repository of Keepsake 0.x in `old`, whose code held a file of version control."""
    directory = tmp_path / "project"
    directory.mkdir()
    root = write_repository(directory / "old", experiment(path="."))
    names = ("good", *(f"sub{number}/.git" for number in range(12)))
    (root / "experiments").mkdir(exist_ok=True)
    write_tarball(
        root / "experiments" / f"{EXPERIMENT}.tar.gz", [file_member(f"{EXPERIMENT}/{name}") for name in names]
    )
    return directory


def test_paths_start_at_the_project_directory_that_is_given(cli: RunCli, project: Path, tmp_path: Path) -> None:
    done = cli("migrate", "-D", str(project), "old", "new", at=tmp_path)
    assert done.code == 0
    assert "1 experiment and 0 checkpoints copied" in done.err
    assert (project / "new" / "repository.json").exists()
    assert not (tmp_path / "new").exists()


def test_what_is_left_out_is_named_but_not_without_end(cli: RunCli, project: Path) -> None:
    some = cli("migrate", "old", "some", at=project).err
    assert some.count("/.git'") == 10
    assert "left out: 2 more files" in some
    assert cli("migrate", "-v", "old", "all").err.count("/.git'") == 12


def test_du_of_an_old_repository_promises_no_space(cli: RunCli, project: Path) -> None:
    done = cli("du", "-R", "old", at=project)
    assert done.code == 0
    assert EXPERIMENT[:7] in done.out
    assert done.err == ""
