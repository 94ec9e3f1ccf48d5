"""Writes a small repository with the program that format 1 comes from, and what was given to it.

    python -m venv old
    old/bin/pip install 'setuptools<81' 'protobuf<3.21' 'googleapis-common-protos[grpc]' keepsake==0.4.2
    old/bin/python tests/golden/write_format_1.py tests/golden/format-1

What stands in `format-1` was written by Keepsake 0.4.2 on Linux and is never changed. Each experiment is written by a
process of its own, as that program works. `expected.json` holds what the scripts passed and saved, not what any reader
made of it. This file runs with that program alone and imports nothing of this one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VALUES = {
    "lr": 0.01,
    "whole": 1.0,
    "epochs": 3,
    "large": 1e20,
    "tiny": 1e-7,
    "flag": True,
    "nothing": None,
    "größe": "naïve ✓ <a&b>",
    "word": "null",
    "nan": float("nan"),
    "inf": float("inf"),
    "minus": float("-inf"),
    "layers": [64, 32.5, "x", None],
    "nested": {"a": {"b": [1, 2]}},
    "broken": [0.5, float("nan")],
}


def main() -> None:
    """Write the folder that is named on the command line, or, called by itself, one experiment."""
    if len(sys.argv) == 3:
        write_experiment(sys.argv[1], Path(sys.argv[2]))
        return
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True)
    expected = {}
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "project"
        repository = Path(name) / "repository"
        for scenario in ("plain", "values", "bare", "modes", "removed", "metrics", "beating", "killed"):
            expected[scenario] = run_scenario(scenario, project, repository)
        shutil.copytree(repository, folder / "repository")
    text = json.dumps(expected, indent=1, ensure_ascii=False)
    (folder / "expected.json").write_text(text + "\n", encoding="utf-8")


def run_scenario(scenario: str, project: Path, repository: Path) -> dict[str, object]:
    """Run one training script in a fresh project directory; return what it wrote to `record.json` at its end."""
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir()
    (project / "keepsake.yaml").write_text(f"repository: file://{repository}\n", encoding="ascii")
    home = project.parent / "home"
    home.mkdir(exist_ok=True)
    env = os.environ | {"KEEPSAKE_NO_ANALYTICS": "1", "TZ": "UTC", "HOME": str(home)}
    script = shutil.copy(__file__, home / "train.py")
    subprocess.run([sys.executable, script, scenario, str(project)], env=env, cwd=project, check=False)
    record: dict[str, object] = json.loads((project.parent / "record.json").read_text(encoding="utf-8"))
    if scenario == "removed":
        doomed = record["checkpoints"][1]["id"]  # type: ignore[index]
        program = Path(sys.executable).with_name("keepsake")
        subprocess.run([program, "rm", "-f", doomed], env=env, cwd=project, check=True)
    return record


def write_experiment(scenario: str, project: Path) -> None:
    """Be the training script."""
    import keepsake  # type: ignore[import-untyped, unused-ignore]

    make_files(scenario, project)
    path = None if scenario in ("bare", "beating") else "."
    params = VALUES if scenario == "values" else None if scenario == "bare" else {"scenario": scenario, "lr": 0.1}
    experiment = keepsake.init(path=path, params=params)
    checkpoints: list[dict[str, object]] = []
    record: dict[str, object] = {
        "id": experiment.id,
        "params": params,
        "path": path,
        "files": hashes(project, project) if path else {},
        "checkpoints": checkpoints,
    }
    for step in range({"bare": 0, "values": 2, "killed": 1, "beating": 1}.get(scenario, 3)):
        saved = save_checkpoint(scenario, step, project, experiment)
        checkpoints.append(saved)
        (project.parent / "record.json").write_text(json.dumps(record), encoding="utf-8")
    (project.parent / "record.json").write_text(json.dumps(record), encoding="utf-8")
    if scenario == "beating":
        time.sleep(7)  # the first heartbeat comes after five seconds, and an ordinary end leaves it behind
    elif scenario == "killed":
        upload = project.parent / "repository" / "checkpoints" / f"{checkpoints[0]['id']}.tar.gz"
        while not upload.exists() or upload.stat().st_size < 15_000:
            time.sleep(0.001)
        kill_all()
    else:
        experiment.stop()


def make_files(scenario: str, project: Path) -> None:
    """Write what a project may have."""
    (project / "train.py").write_text("print('hello')\n", encoding="ascii")
    if scenario == "plain":
        (project / ".keepsakeignore").write_text("*.log\ndata/raw\n", encoding="ascii")
        (project / "noise.log").write_text("ignored\n", encoding="ascii")
        (project / "data").mkdir()
        (project / "data" / "größe ✓.txt").write_text("unicode\n", encoding="utf-8")
        deep = project / Path(*["a-rather-long-directory-name"] * 6)
        deep.mkdir(parents=True)
        (deep / "file-with-a-name-that-is-too-long-for-the-first-field-of-ustar-headers.txt").write_text(
            "deep\n", encoding="ascii"
        )
    if scenario == "modes":
        (project / "run.sh").write_text("#!/bin/sh\n", encoding="ascii")
        (project / "run.sh").chmod(0o755)
        (project / "link.py").symlink_to("train.py")
        (project / "empty.txt").write_bytes(b"")


def save_checkpoint(scenario: str, step: int, project: Path, experiment: object) -> dict[str, object]:
    """Save one checkpoint and describe it."""
    weights = project / "weights"
    weights.mkdir(exist_ok=True)
    generator = random.Random(f"{scenario} {step}")
    (weights / "model.bin").write_bytes(generator.getrandbits(8 * 6000).to_bytes(6000, "little"))
    if scenario == "killed":
        # Compresses to little, but takes its time.
        (weights / "zeros.bin").write_bytes(bytes(600_000_000))
    path = {"plain": "weights/", "modes": "weights/model.bin", "removed": "weights", "killed": "weights"}.get(scenario)
    loss = {"values": [float("nan"), 1.0]}.get(scenario, [0.5, 0.25, 0.375])[step]
    metrics = {"loss": loss, "accuracy": 1 - loss, "epoch": step} if scenario != "beating" else None
    names = {"metrics": [None, ("accuracy", "maximize"), ("loss", "minimize")]}.get(scenario)
    primary = names[step] if names else ("loss", "minimize")
    checkpoint = experiment.checkpoint(  # type: ignore[attr-defined]
        path=path, step=step * 10 if scenario == "metrics" else None, metrics=metrics, primary_metric=primary
    )
    return {
        "id": checkpoint.id,
        "step": checkpoint.step,
        "path": path,
        "metrics": metrics,
        "primary_metric": list(primary) if primary else None,
        "files": hashes(project, project / path) if path and scenario != "killed" else {},
    }


def hashes(project: Path, top: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that is saved below `top`, links followed, what is ignored left out."""
    found = [top] if top.is_file() else [one for one in sorted(top.rglob("*")) if one.is_file()]
    return {
        one.relative_to(project).as_posix(): hashlib.sha256(one.read_bytes()).hexdigest()
        for one in found
        if one.suffix != ".log"
    }


def kill_all() -> None:
    """Kill the program's background process and then this one, as a machine that goes down does."""
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = int((process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            if parent == os.getpid():
                os.kill(int(process.name), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
