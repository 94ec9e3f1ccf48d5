"""Running the command line inside the test process, which is thirty times as fast as in one of its own."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

import keepsake
from keepsake.cli.main import main
from tests.cli.subjects import Done, RunCli, TwoExperiments


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> RunCli:
    """Runs `keepsake` with arguments, in a directory, with an answer on standard input."""

    def run(*arguments: str, at: Path | None = None, answer: str = "") -> Done:
        if at is not None:
            monkeypatch.chdir(at)
        monkeypatch.setattr(sys, "argv", ["keepsake", *arguments])
        monkeypatch.setenv("MPLBACKEND", "agg")  # as `keepsake plot` sets it; it is put back after the test
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, out.decode(errors="replace"), err.decode(), out)

    return run


@pytest.fixture
def trained(tmp_path: Path) -> TwoExperiments:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "train.py").write_text("print('training')\n")
    (directory / "data").mkdir()
    (directory / "data" / "a.txt").write_text("a")
    (directory / "data" / "b.txt").write_text("b")
    project = keepsake.Project(directory=directory)
    for rate in (0.1, 0.01):
        experiment = project.experiments.create(path=".", params={"learning_rate": rate, "layers": 2}, quiet=True)
        for step in range(2):
            (directory / "weights.bin").write_bytes(bytes([step]) * 5000)
            experiment.checkpoint(
                path="weights.bin",
                step=step,
                metrics={"loss": rate / (step + 1), "val/acc": step / 2},
                primary_metric=("loss", "minimize"),
            )
        experiment.log(loss=rate / 9, step=9)
        experiment.stop()
    return TwoExperiments(directory, project)
