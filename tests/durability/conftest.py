from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from keepsake._tracking.ending import tracked


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty project directory, which is the current one. What a test left running is stopped after it."""
    directory = tmp_path / "project"
    directory.mkdir()
    monkeypatch.chdir(directory)
    yield directory
    for session in tracked():
        session.stop("finished")
