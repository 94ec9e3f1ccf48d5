"""Experiments to look at, and scripts whose end matters."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import keepsake
from keepsake import Experiment
from keepsake.errors import ConfigNotFoundError, KeepsakeError

LOSSES = (0.99, 0.87, 0.64)
STEPS = (0, 10, 20)


def make_run(
    losses: tuple[Any, ...] = LOSSES,
    *,
    primary_metric: tuple[str, str] | None = ("loss", "minimize"),
    stop: bool = True,
    **arguments: Any,
) -> Experiment:
    """Make an experiment with a checkpoint for each loss, ten steps apart."""
    experiment = keepsake.init(quiet=True, **arguments)
    for number, loss in enumerate(losses):
        experiment.checkpoint(step=10 * number, metrics={"loss": loss}, primary_metric=primary_metric)
    if stop:
        experiment.stop()
    return experiment


def write_files(directory: Path, files: dict[str, str]) -> None:
    """Write files below `directory`, with the directories that they lie in."""
    for name, text in files.items():
        place = directory / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def files_below(directory: Path) -> dict[str, str]:
    """Return the text of every file below `directory` by its path."""
    found = (place for place in directory.rglob("*") if place.is_file())
    return {place.relative_to(directory).as_posix(): place.read_text() for place in sorted(found)}


def run_script(source: str, *arguments: str, directory: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a Python script `train.py` in `directory`, the current one by default, to its end."""
    place = (directory or Path.cwd()) / "train.py"
    place.write_text(textwrap.dedent(source))
    return subprocess.run(
        [sys.executable, str(place), *arguments],
        cwd=place.parent, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def only_experiment() -> Experiment:
    """Return the one experiment that there is."""
    (experiment,) = keepsake.experiments.list()
    return experiment


@contextmanager
def leaves_nothing_behind(
    kind: type[KeepsakeError], match: str | None = None
) -> Iterator[pytest.ExceptionInfo[KeepsakeError]]:
    """Expect exactly this kind of error, no repository where there was none, and no experiment more than before."""
    before = _experiment_ids()
    with pytest.raises(kind, match=match) as caught:
        yield caught
    assert type(caught.value) is kind
    if before is None:
        assert not (Path.cwd() / ".keepsake").exists()
    assert _experiment_ids() == before


def _experiment_ids() -> list[str] | None:
    try:
        return [experiment.id for experiment in keepsake.experiments.list()]
    except ConfigNotFoundError:
        return None
