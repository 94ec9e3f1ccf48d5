"""What git says of a directory, with real repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from keepsake._tracking import git
from keepsake._tracking.git import read_git, why_unknown

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def run(directory: Path, *arguments: str) -> str:
    env = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=directory, env=env, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    directory = tmp_path / "repository"
    directory.mkdir()
    run(directory, "init")
    (directory / "train.py").write_text("one")
    run(directory, "add", ".")
    run(directory, "commit", "-m", "first")
    return directory


def test_outside_of_a_repository_there_is_nothing(tmp_path: Path) -> None:
    assert read_git(tmp_path) is None


def test_commit_and_branch_of_a_clean_directory(repository: Path) -> None:
    commit = run(repository, "rev-parse", "HEAD")

    assert read_git(repository) == {"commit": commit, "branch": "main", "remote": None, "dirty": False}


def test_a_subdirectory_belongs_to_the_repository_above_it(repository: Path) -> None:
    (repository / "sub" / "deep").mkdir(parents=True)

    assert read_git(repository / "sub" / "deep") == read_git(repository)


@pytest.mark.parametrize("staged", [False, True])
def test_changed_files_make_it_dirty(repository: Path, staged: bool) -> None:
    (repository / "train.py").write_text("two, and longer")
    if staged:
        run(repository, "add", ".")

    found = read_git(repository)
    assert found is not None
    assert found["dirty"] is True


def test_files_that_git_does_not_follow_do_not_make_it_dirty(repository: Path) -> None:
    (repository / "data.bin").write_text("x")

    found = read_git(repository)
    assert found is not None
    assert found["dirty"] is False


def test_without_a_commit_there_is_still_a_branch(tmp_path: Path) -> None:
    run(tmp_path, "init")

    assert read_git(tmp_path) == {"commit": None, "branch": "main", "remote": None, "dirty": False}


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    run(repository, "checkout", "--detach")

    found = read_git(repository)
    assert found is not None
    assert found["branch"] is None
    assert found["commit"] == run(repository, "rev-parse", "HEAD")


def test_the_remote_of_the_branch_else_origin_without_credentials(repository: Path) -> None:
    run(repository, "remote", "add", "aaa", "https://a/aaa.git")
    run(repository, "remote", "add", "origin", "https://user:secret@host/a.git")

    found = read_git(repository)
    assert found is not None
    assert found["remote"] == "https://user:***@host/a.git"

    run(repository, "update-ref", "refs/remotes/aaa/main", "HEAD")
    run(repository, "branch", "--set-upstream-to=aaa/main")
    found = read_git(repository)
    assert found is not None
    assert found["remote"] == "https://a/aaa.git"


def test_a_worktree_is_a_repository_too(repository: Path) -> None:
    run(repository, "worktree", "add", "../other", "-b", "side")

    found = read_git(repository.parent / "other")
    assert found is not None
    assert found["branch"] == "side"


def test_variables_of_git_do_not_lead_to_another_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, "init", "elsewhere")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere" / ".git"))

    found = read_git(repository)
    assert found is not None
    assert found["commit"] == run(repository, "--git-dir", ".git", "rev-parse", "HEAD")


def test_configuration_in_variables_counts(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As containers allow a directory of another user, by `safe.directory`.
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "remote.origin.url")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://host/a.git")

    found = read_git(repository)
    assert found is not None
    assert found["remote"] == "https://host/a.git"


def test_when_looking_at_the_files_takes_too_long_the_commit_is_still_known(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A git whose `status` hangs, as it does in a huge tree on a slow network disk.
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\ncase "$*" in *status*) exec sleep 60;; esac\nexec {shutil.which("git")} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(wrapper.parent), prepend=os.pathsep)
    monkeypatch.setattr(git, "TIMEOUT_S", 0.3)

    found = read_git(repository)
    assert found is not None
    assert found["dirty"] is None
    assert found["branch"] == "main"
    assert found["commit"]


def test_without_git_nothing_is_known(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_unknown(repository) is None
    monkeypatch.setenv("PATH", str(tmp_path))

    assert read_git(repository) is None
    assert why_unknown(repository) == "git cannot be started: No such file or directory"


def test_a_broken_repository_is_none(tmp_path: Path) -> None:
    assert why_unknown(tmp_path) is None
    (tmp_path / ".git").write_text("gitdir: /nowhere")

    assert read_git(tmp_path) is None
    assert why_unknown(tmp_path) == "git says: fatal: not a git repository: /nowhere"


def test_a_git_that_hangs_is_not_waited_for(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text("#!/bin/sh\nexec sleep 60\n")
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(wrapper.parent), prepend=os.pathsep)
    monkeypatch.setattr(git, "TIMEOUT_S", 0.1)

    assert why_unknown(repository) == "git does not answer"


def test_nothing_is_written(repository: Path) -> None:
    (repository / "train.py").write_text("one")  # the same content with another time: `git status` would note that
    before = {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*")}
    read_git(repository)

    assert {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*")} == before
