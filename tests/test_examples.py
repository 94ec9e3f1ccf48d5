"""The examples and the demo run as a user runs them: as scripts, in a directory of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(script: Path, cwd: Path, *arguments: str) -> str:
    """Run a script with an environment in which it sees no other project; return what it printed."""
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=cwd,
        env={**os.environ, "XDG_CACHE_HOME": str(cwd / "cache"), "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("plain_files", r"best of 2 experiments: .*\nchecked out: after 30 steps\n"),
        ("sklearn_digits", r"best: 64 hidden units at step \d, accuracy 0\.9\d+\n"),
        ("pytorch_torch_save", r"resumed at step 4: losses \[.*\]\n"),
        ("pytorch_safetensors", r"5 checkpoints of [\d,]+ bytes take [\d,]+ bytes\nrestored 6 tensors of step 4.*\n"),
    ],
)
def test_an_example_runs_in_an_empty_directory(name: str, says: str, tmp_path: Path) -> None:
    assert re.fullmatch(says, run(EXAMPLES / f"{name}.py", tmp_path))


def test_every_example_is_tested() -> None:
    tested = {"plain_files", "sklearn_digits", "pytorch_torch_save", "pytorch_safetensors"}
    assert {path.stem for path in EXAMPLES.glob("*.py")} == tested


def test_every_example_fits_on_a_page() -> None:
    assert [path.name for path in EXAMPLES.glob("*.py") if len(path.read_text().splitlines()) > 70] == []


def test_the_demo_trains_and_shows_what_was_saved(tmp_path: Path) -> None:
    for path in (EXAMPLES / "demo").glob("*.py"):
        shutil.copy(path, tmp_path)
    for rate in ("0.3", "3"):
        assert "model.npz saved 3 times" in run(tmp_path / "train.py", tmp_path, "--learning-rate", rate, "--epochs=3")
    shown = run(tmp_path / "look.py", tmp_path)
    assert "the same as when it was saved" in shown
    assert (tmp_path / "best" / "train.py").read_bytes() == (tmp_path / "train.py").read_bytes()
    for name in ("curves.png", "scatter.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    share = re.search(r"everything that it knows: ([\d.]+)%", shown)
    assert share is not None
    assert float(share.group(1)) < 40, "the frozen layer is in every checkpoint, and must be stored once"
