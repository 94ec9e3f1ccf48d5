"""What the tests of durability share."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keepsake._tracking.ending import tracked
from tests.cli.conftest import cli
from tests.durability.damage import MAKING, Copy
from tests.durability.scripts import run_script

__all__ = ["cli"]


@pytest.fixture(autouse=True)
def quick(packages_read_once: None) -> None:
    """Create experiments quickly: here there are thousands."""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty project directory, which is the current one. What a test left running is stopped after it."""
    directory = tmp_path / "project"
    directory.mkdir()
    monkeypatch.chdir(directory)
    yield directory
    for session in tracked():
        session.stop("finished")


_made: list[tuple[Path, dict[str, list[Any]]]] = []


@pytest.fixture
def copy(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """A repository of three experiments; the last one was killed, so there are raw chunks and an open journal, too."""
    if not _made:
        directory = tmp_path_factory.mktemp("undamaged")
        with monkeypatch.context() as patch:
            patch.chdir(directory)
            code, words, talk = run_script(MAKING)
        assert (code, talk) == (1, "")
        _made.append((directory / ".keepsake", json.loads("".join(words[0]))))
    undamaged, truth = _made[0]
    shutil.copytree(undamaged, tmp_path / "copy")
    return Copy(tmp_path / "copy", truth)
