"""`keepsake export` and `keepsake plot`: experiments for other programs, and for the eye."""

from __future__ import annotations

import csv
import json
import math
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pytest

import keepsake
from tests.cli.subjects import RunCli, TwoExperiments


def test_csv_has_a_row_an_experiment_with_params_and_metrics(cli: RunCli, trained: TwoExperiments) -> None:
    rows = list(csv.DictReader(cli("export", at=trained.directory).out.splitlines()))
    assert [row["id"] for row in rows] == [trained.first.id, trained.second.id]
    assert [row["params.learning_rate"] for row in rows] == ["0.1", "0.01"]
    assert rows[0]["created"] == trained.first.to_json()["created"]
    assert rows[0]["best.loss"] == "0.05"
    assert rows[0]["latest.val/acc"] == "0.5"


def test_a_row_a_checkpoint(cli: RunCli, trained: TwoExperiments) -> None:
    rows = json.loads(cli("export", "--format", "json", "--checkpoints", at=trained.directory).out)
    assert [row["checkpoint"] for row in rows[:2]] == [one.id for one in trained.first.checkpoints]
    assert [row["metrics.loss"] for row in rows] == [0.1, 0.05, 0.01, 0.005]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_the_ending_of_the_file_says_the_format(
    cli: RunCli, trained: TwoExperiments, tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"table.{form}"
    assert cli("export", "-o", str(path), at=trained.directory).code == 0
    read = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}[form]
    frame = read(path)
    assert list(frame["params.learning_rate"]) == [0.1, 0.01]
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_table_of_an_unknown_kind_is_a_usage_error(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    done = cli("export", "-o", str(path), at=trained.directory)
    assert (done.code, "--format" in done.err, path.exists()) == (2, True, False)
    assert cli("export", "-o", str(path), "--format", "csv", "-f", "learning_rate = 0.1").err.startswith(
        "wrote 1 row to"
    )
    assert path.read_text().startswith("id,")


def test_whole_numbers_of_more_than_64_bits_are_text_in_parquet(cli: RunCli, tmp_path: Path) -> None:
    project = keepsake.Project(repository=str(tmp_path / "repository"), directory=str(tmp_path))
    for seed, size in ((2**64 - 1, 1), (-3, 2.5)):
        experiment = project.experiments.create(params={"seed": seed, "size": size}, quiet=True)
        experiment.checkpoint(count=10**30)
        experiment.stop()
    path = tmp_path / "table.parquet"
    for more in ((), ("--checkpoints",)):
        assert cli("-R", str(tmp_path / "repository"), "export", "-o", str(path), *more, at=tmp_path).code == 0
        frame = pd.read_parquet(path)
        assert list(frame["params.seed"]) == ["18446744073709551615", "-3"]
        assert list(frame["params.size"]) == [1, 2.5]


def test_parquet_keeps_types_and_digits_where_values_are_missing(cli: RunCli, tmp_path: Path) -> None:
    project = keepsake.Project(repository=str(tmp_path / "repository"), directory=str(tmp_path))
    many: list[dict[str, Any]] = [{"flag": True, "seed": 2**60 + 1, "mixed": 2**60 + 1, "whole": False}, {"mixed": 0.5}]
    for params in many:
        with project.experiments.create(params={"whole": True} | params, quiet=True) as experiment:
            experiment.checkpoint(loss=math.nan, step=3)
    path = tmp_path / "table.parquet"
    assert cli("-R", str(tmp_path / "repository"), "export", "-o", str(path), at=tmp_path).code == 0
    frame = pd.read_parquet(path)
    assert (frame["params.flag"][0], frame["params.flag"].isna().tolist()) == (True, [False, True])
    assert int(frame["params.seed"][0]) == 2**60 + 1
    assert frame["params.mixed"].tolist() == [str(2**60 + 1), "0.5"]
    assert (frame["params.whole"].dtype, frame["params.whole"].tolist()) == ("bool", [False, True])
    assert (frame["latest.step"].dtype, frame["latest.loss"].dtype) == ("int64", "float64")


CURVES: dict[str, list[Any]] = {
    "large": [1e17] * 4, "diverged": [1.0, 1e308, -1e308, 2.0], "endless": [10**400 + step for step in range(4)],
    "flat": [5] * 4, "below": [-1.0] * 4, "listed": [[1, 2]] * 4, "undefined": [math.nan] * 4,
}  # fmt: skip


@pytest.fixture
def curves(tmp_path: Path) -> str:
    root = str(tmp_path / "repository")
    with keepsake.Project(repository=root, directory=str(tmp_path)).experiments.create(quiet=True) as experiment:
        for step in range(4):
            metrics = {name: values[step] for name, values in CURVES.items()}
            experiment.checkpoint(step=(1 << 62) + step, metrics=metrics)
    return root


@pytest.mark.parametrize("metric", ["large", "diverged", "flat"])
@pytest.mark.parametrize("logy", [(), ("--logy",)])
@pytest.mark.parametrize("where", [(), ("-o", "curve.png")])
def test_numbers_of_any_size_are_drawn(
    cli: RunCli, tmp_path: Path, curves: str, metric: str, logy: tuple[str, ...], where: tuple[str, ...]
) -> None:
    done = cli("-R", curves, "plot", "-m", metric, *logy, *where, at=tmp_path)
    assert (done.code, done.err.count("error")) == (0, 0)


@pytest.mark.parametrize(
    ("metric", "options", "message"),
    [
        ("below", ("--logy",), "the metric 'below' is no finite number above 0 anywhere"),
        ("listed", (), "the metric 'listed' is no number that can be drawn anywhere"),
        ("undefined", (), "the metric 'undefined' is no number that can be drawn anywhere"),
        ("endless", (), "the metric 'endless' is no number that can be drawn anywhere"),
        ("larg", (), "no experiment has the metric 'larg'"),
    ],
)
def test_what_cannot_be_drawn_is_told_and_why(
    cli: RunCli, tmp_path: Path, curves: str, metric: str, options: tuple[str, ...], message: str
) -> None:
    done = cli("-R", curves, "plot", "-m", metric, *options, at=tmp_path)
    assert (done.code, message in done.err) == (2, True)
    assert ("did you mean large?" in done.err) == (metric == "larg")


def test_numbers_too_large_to_be_divided_are_compared(cli: RunCli, tmp_path: Path, curves: str) -> None:
    first, second = keepsake.Project(repository=curves).experiments.list()[0].checkpoints[:2]
    done = cli("-R", curves, "diff", "--only", "metrics", first.id, second.id, at=tmp_path)
    assert done.code == 0
    assert "endless" in done.out


def test_what_is_no_file_is_written_to_and_not_replaced(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    pipe, link, table = tmp_path / "pipe", tmp_path / "link.csv", tmp_path / "table.csv"
    os.mkfifo(pipe)
    table.write_text("before")
    link.symlink_to(table)
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(pipe.read_text)
        assert cli("export", "--format", "csv", "-o", str(pipe), at=trained.directory).code == 0
        assert trained.first.id in read.result()
    assert pipe.is_fifo()
    assert cli("export", "-o", str(link), at=trained.directory).code == 0
    assert link.is_symlink()
    assert trained.first.id in table.read_text()
    device = tmp_path / "device"
    if os.getuid() == 0:
        os.mknod(device, 0o600 | stat.S_IFCHR, os.makedev(1, 7))
        done = cli("export", "--format", "csv", "-o", str(device), at=trained.directory)
        assert (done.code, "cannot be written" in done.err) == (1, True)
        assert stat.S_ISCHR(device.stat().st_mode)


def test_a_file_that_cannot_be_written_is_named(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    done = cli("export", "-o", str(tmp_path / "no" / "table.csv"), at=trained.directory)
    assert done.code == 1
    assert "table.csv cannot be written" in done.err


def test_a_plot_is_a_picture(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    path = tmp_path / "loss.png"
    assert cli("plot", "-o", str(path), at=trained.directory).code == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_picture_needs_no_backend_of_the_user(trained: TwoExperiments, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "keepsake", "plot", "-o", str(tmp_path / "loss.png")]
    subprocess.run(command, cwd=trained.directory, env={**os.environ, "MPLBACKEND": "gone"}, check=True)
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_without_matplotlib_says_what_to_install(trained: TwoExperiments, tmp_path: Path) -> None:
    script = "import sys; sys.modules['matplotlib'] = None; from keepsake.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "plot", "-o", str(tmp_path / "loss.png")],
        cwd=trained.directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: plotting needs matplotlib, which is not installed\nhint: pip install ")


def test_a_plot_in_the_terminal_shows_every_experiment(cli: RunCli, trained: TwoExperiments) -> None:
    done = cli("plot", "-m", "val/acc", at=trained.directory)
    assert done.code == 0
    assert trained.first.short_id() in done.out
    assert trained.second.short_id() in done.out
    assert "\x1b[" not in done.out


def test_a_metric_where_ids_belong_is_told_where_it_belongs(cli: RunCli, trained: TwoExperiments) -> None:
    done = cli("plot", "val/acc", at=trained.directory)
    assert done.code == 3
    assert "'val/acc' is a metric, and no id" in done.err
    assert "`keepsake plot --metric val/acc`" in done.err


def test_a_plot_of_one_experiment(cli: RunCli, trained: TwoExperiments) -> None:
    done = cli("plot", trained.second.short_id(), at=trained.directory)
    assert trained.second.short_id() in done.out
    assert trained.first.short_id() not in done.out


def test_an_unknown_metric_is_a_usage_error(cli: RunCli, trained: TwoExperiments) -> None:
    done = cli("plot", "-m", "nope", at=trained.directory)
    assert done.code == 2
    assert "the metrics are: loss, val/acc" in done.err
    assert "did you mean val/acc?" in cli("plot", "-m", "val/ac").err


def test_a_picture_of_an_unknown_kind_is_a_usage_error(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    done = cli("plot", "-o", str(tmp_path / "curves.xyz"), at=trained.directory)
    assert done.code == 2
    assert ".png" in done.err


def test_a_picture_that_cannot_be_written_is_named(cli: RunCli, trained: TwoExperiments, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "curves.png"
    done = cli("plot", "-o", str(path), at=trained.directory)
    assert (done.code, done.err) == (1, f"error: {path} cannot be written: No such file or directory\n")


def test_a_picture_that_is_broken_off_leaves_what_was_there(
    cli: RunCli, trained: TwoExperiments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "curves.png"
    path.write_bytes(b"an older one")

    def interrupted(file: IO[bytes], **options: object) -> None:
        file.write(b"half of a picture")
        raise KeyboardInterrupt

    monkeypatch.setattr("matplotlib.pyplot.savefig", interrupted)
    done = cli("plot", "-o", str(path), at=trained.directory)
    assert (done.code, done.err.strip()) == (130, "interrupted")
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir() if one.is_file()} == {
        "curves.png": b"an older one"
    }
