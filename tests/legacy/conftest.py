from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.legacy.repositories import GOLDEN


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    """A copy of what the real program wrote, so that no test can change the original."""
    return Path(shutil.copytree(GOLDEN / "repository", tmp_path / "golden"))
