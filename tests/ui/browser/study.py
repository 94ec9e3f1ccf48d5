"""A project with files of every kind, whose experiments differ in params, code, weights and images."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import keepsake
from tests.ui.browser.conftest import Served
from tests.ui.serving import TOKEN, serving

HOSTILE = "<script>alert(1)</script>"
TURNED = "\u202eabc"
"""Begins with a mark that turns the writing direction."""
TRAIN = "".join(f"def step_{number}(x):\n    return x * {number}\n\n" for number in range(40))


@dataclass
class Study:
    """Three experiments: of 3 checkpoints each, with the second one the best; the last one has failed."""

    repository: Path
    experiments: list[keepsake.Experiment]

    def id(self, number: int) -> str:
        """The beginning of the id of one, as addresses have it."""
        return self.experiments[number].id[:8]


def png(shade: int) -> bytes:
    """Return an image of 6 by 4 pixels, all of one grey."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes([shade]) * 6 for _ in range(4))
    head = struct.pack(">IIBBBBB", 6, 4, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def write_code(directory: Path, number: int) -> None:
    """Write what people write, a little different for each number."""
    (directory / "src").mkdir(parents=True, exist_ok=True)
    (directory / "train.py").write_text(TRAIN.replace("x * 20", f"x * {20 + number}").replace("step_38", f"s{number}"))
    (directory / "src" / "same.py").write_text(f"# {HOSTILE}\n")
    (directory / "config.json").write_text(json.dumps({"lr": 0.1 * number, HOSTILE: [1, None, {"deep": True}]}))
    (directory / "labels.csv").write_text("id,label\n1,<b>one</b>\n2,two\n")
    cells = [{"cell_type": "code", "source": ["import keepsake\n"], "metadata": {}, "outputs": []}]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (directory / "look.ipynb").write_text(json.dumps(notebook))
    (directory / "page.html").write_text(f"<html><body onload='alert(1)'>{HOSTILE}</body></html>")


def write_weights(directory: Path, number: int) -> None:
    """Write what a checkpoint saves."""
    directory.mkdir(parents=True, exist_ok=True)
    values = np.linspace(-1, 1, 60).reshape(6, 10).astype("float32")
    np.savez(directory / "model.npz", weight=values * (number + 1), bias=np.zeros(3))
    (directory / "sample.png").write_bytes(png(40 * (number + 1)))
    (directory / "raw.bin").write_bytes(bytes(range(200)) * 3)


def make_study(root: Path) -> Study:
    """Make the project and train three times."""
    directory = root / "project"
    directory.mkdir(parents=True)
    project = keepsake.Project(str(directory / "repository"), directory)
    made = []
    for number, rate in enumerate((0.1, 0.01, 0.3)):
        write_code(directory / "code", number)
        params = {"lr": rate, "model": "net", "optim": {"name": "adam"}, HOSTILE: HOSTILE}
        name = ["baseline", None, f"{HOSTILE} {TURNED}"][number]
        experiment = project.experiments.create(path="code", params=params, name=name, tags=["sweep"], quiet=True)
        for step, loss in enumerate((0.5, 0.2, 0.3)):
            write_weights(directory / "weights", number)
            experiment.log(step=step, train_loss=loss * rate)
            metrics = {"loss": loss * rate, "accuracy": 1 - loss}
            experiment.checkpoint(path="weights", step=step, metrics=metrics, primary_metric=("loss", "minimize"))
        made.append(experiment)
    for experiment in made[:2]:
        experiment.stop()
    try:
        with made[2]:
            raise ValueError(f"no luck {HOSTILE}")
    except ValueError:
        pass
    return Study(directory / "repository", made)


def make_project(root: Path) -> keepsake.Project:
    """Make a project with a repository that nothing is in yet."""
    directory = root / "project"
    directory.mkdir()
    return keepsake.Project(str(directory / "repository"), directory)


@contextmanager
def serving_made(
    root: Path, make: Callable[[keepsake.Project], list[keepsake.Experiment]]
) -> Iterator[tuple[Served, list[keepsake.Experiment]]]:
    """Make experiments and serve them: once for all tests of a module, none of which changes them."""
    with making(root):
        made = make(make_project(root))
        with serving_kept(root / "project" / "repository") as served:
            yield served, made


@contextmanager
def serving_study(root: Path) -> Iterator[tuple[Served, Study]]:
    """Make the study and serve it: once for all tests, none of which changes it."""
    with making(root):
        study = make_study(root)
        with serving_kept(study.repository) as served:
            yield served, study


@contextmanager
def making(root: Path) -> Iterator[None]:
    """Be a user who never used Keepsake, as in a test, for longer than a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        patch.setenv("KEEPSAKE_COURIER", "off")
        yield


@contextmanager
def serving_kept(repository: Path) -> Iterator[Served]:
    """Serve a repository from this process."""
    with serving(repository) as asker:
        asker.json("/experiments")  # it opens its catalog now, in a directory that stays
        yield Served(f"{asker.origin}/?token={TOKEN}")
