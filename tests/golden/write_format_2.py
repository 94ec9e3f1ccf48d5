"""Writes a small repository that has everything of format 2, and what a reader must find in it.

    python tests/golden/write_format_2.py tests/golden/format-2

What stands in `format-2` was written by Keepsake 1.0.0 and is never changed: every later version must read it. A new
version of the format gets a folder of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

import keepsake


def write_project(project: Path) -> None:
    """Write files of every kind, and of every codec when they are stored."""
    generator = np.random.default_rng(0)
    (project / "empty").mkdir()
    (project / "run.sh").write_text("#!/bin/sh\necho hello\n", encoding="ascii")
    (project / "run.sh").chmod(0o755)
    (project / "latest").symlink_to("weights.npy")
    (project / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"a name in Latin-1\n")
    (project / "empty.txt").write_bytes(b"")
    (project / "noise.bin").write_bytes(generator.bytes(40_000))
    (project / "log.txt").write_text(
        "".join(f"step {n}: loss {1 / (n + 1):.4f}\n" for n in range(3000)), encoding="ascii"
    )
    save_weights(project, 0)


def save_weights(project: Path, step: int) -> None:
    """Write weights large enough to be cut as a tensor."""
    generator = np.random.default_rng(step)
    np.save(project / "weights.npy", (generator.standard_normal(70_000) * 0.02).astype("<f4"))


def write_experiments(project: Path, repository: Path) -> None:
    """Write a finished experiment and one that its process leaves without a word."""
    experiments = keepsake.Project(str(repository), project).experiments
    params = {
        "lr": 1.0,
        "layers": [64, 32],
        "nested": {"null": None, "text": "null"},
        "nan": float("nan"),
        "$odd": 2**70,
    }
    first = experiments.create(".", params, quiet=True, name="golden", tags=["a", "b"], notes="größe")
    for step in range(3):
        save_weights(project, step)
        losses = {"loss": [0.5, float("nan"), 0.25][step], "best": float("-inf")}
        first.checkpoint("weights.npy", step=step, metrics=losses, primary_metric=("loss", "minimize"))
        first.log(step=step, speed=10 + step)
    first.checkpoint("noise.bin", step=3)
    first.notes = "changed"
    first.stop()
    second = experiments.create("log.txt", {"lr": 0.1}, quiet=True)
    second.checkpoint("noise.bin", metrics={"accuracy": 1})


def describe(repository: Path) -> list[dict[str, object]]:
    """Describe what a reader finds: everything but the status, which depends on where one looks from."""
    described = []
    for experiment in keepsake.Project(str(repository)).experiments.list():
        document = experiment.to_json()
        document.pop("status")
        document["logs"] = [{"step": entry.step, "metrics": entry.metrics} for entry in experiment.logs]
        document["files"] = [
            {path: hashlib.sha256(one.open(path).read()).hexdigest() for path in one.files()}
            for one in experiment.checkpoints
        ]
        described.append(document)
    return described


def main() -> None:
    """Write the folder that is named on the command line."""
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "project"
        project.mkdir()
        write_project(project)
        if os.fork() == 0:
            os.chdir(project)
            write_experiments(project, folder / "repository")
            os._exit(0)
        os.wait()
    expected = json.dumps(describe(folder / "repository"), indent=1)
    (folder / "expected.json").write_text(expected + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
