"""`KEEPSAKE_EXIT_TIMEOUT_S` bounds how long a script waits at its end; the next process does the rest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keepsake
from keepsake._chunks.codec import is_raw

SCRIPT = """
import os, keepsake
experiment = keepsake.init()
for _ in range(5):
    open("weights", "wb").write(os.urandom(8_000_000))
    experiment.checkpoint("weights")
"""


def run(directory: Path, **variables: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=directory, env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return result.stderr


def raw_chunks(directory: Path) -> list[Path]:
    chunks = (path for path in (directory / ".keepsake" / "chunks").rglob("*") if path.is_file())
    return [path for path in chunks if is_raw(path.read_bytes()[:16])]


def test_a_script_whose_time_is_up_ends_and_the_next_one_finishes_its_work(tmp_path: Path) -> None:
    stderr = run(tmp_path, KEEPSAKE_EXIT_TIMEOUT_S="0")
    assert "time is up" in stderr
    assert raw_chunks(tmp_path)
    first = keepsake.Project(directory=tmp_path).experiments.list()[0]
    assert first.status == "finished"

    assert "time is up" not in run(tmp_path)
    assert raw_chunks(tmp_path) == []
    assert [one.status for one in keepsake.Project(directory=tmp_path).experiments.list()] == ["finished", "finished"]
    assert keepsake.Project(directory=tmp_path).check().is_clean
