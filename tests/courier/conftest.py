from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from keepsake._tracking.ending import tracked


@pytest.fixture(autouse=True)
def project(tmp_path: Path, user_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty project directory, which is the current one, where couriers are allowed."""
    directory = tmp_path / "project"
    directory.mkdir()
    monkeypatch.chdir(directory)
    monkeypatch.setenv("KEEPSAKE_COURIER", "on")
    yield directory
    for session in tracked():
        session.stop("finished")
