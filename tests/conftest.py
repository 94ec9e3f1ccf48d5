"""Directories of their own for every test: none touches the caches, locks and staging of the user who runs them."""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path

import pytest

_numbers = itertools.count()


@pytest.fixture(scope="session")
def users_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("users")


@pytest.fixture(autouse=True)
def user_directory(users_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pretend to be a user who never used Keepsake; processes that the test starts are that user, too."""
    directory = users_root / str(next(_numbers))
    (directory / "tmp").mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "cache"))
    monkeypatch.setenv("TMPDIR", str(directory / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in list(os.environ):
        if name.startswith("KEEPSAKE_"):
            monkeypatch.delenv(name)
    return directory
