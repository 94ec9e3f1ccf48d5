"""Repositories with many experiments, written as the format says but without running any of them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from keepsake._model.keys import SegmentName
from keepsake._model.lines import encode_line
from keepsake._model.times import format_time
from keepsake._repository.journal import SEGMENT_BYTES
from keepsake._repository.repository import Repository
from keepsake.stores.local import LocalStore

CHECKPOINTS = 10
PARAMS = ("lr", "weight_decay", "momentum", "dropout", "width", "depth", "batch_size", "epochs", "seed", "warmup")
METRICS = ("loss", "accuracy", "val_loss", "val_accuracy", "grad_norm", "seconds")
PACKAGES = {f"package-{number}": f"{number}.{number % 7}.{number % 3}" for number in range(24)} | {
    "torch": "2.13.0+cpu"
}
_FIRST_DAY_S = 20_000 * 86_400


def write_histories(root: Path, experiments: int, *, checkpoints: int = CHECKPOINTS, seed: int = 1) -> Repository:
    """Write a repository of finished experiments with 12 params and 6 metrics a checkpoint, and return it.

    The same arguments give the same experiments.
    """
    repository, _ = Repository.open_or_create(LocalStore(root))
    draw = random.Random(seed)
    for number in range(experiments):
        _write(root, *encode_history(draw, number, checkpoints))
    return repository


def encode_history(draw: random.Random, number: int, checkpoints: int) -> tuple[SegmentName, bytes]:
    """Return the one segment of the experiment of this number, and its name."""
    name = SegmentName(draw.randbytes(32).hex(), draw.randbytes(16).hex(), 0, None)
    bodies = [_begin(draw, name.experiment_id, number)]
    bodies += [_checkpoint(draw, step) for step in range(checkpoints)]
    bodies.append({"type": "stop", "status": "failed" if number % 10 == 9 else "finished", "events": checkpoints + 2})
    return _encode_segment(name, bodies, start_s=number * 60.0, interval_s=5.0)


def _encode_segment(
    name: SegmentName, bodies: Iterable[dict[str, Any]], *, start_s: float, interval_s: float
) -> tuple[SegmentName, bytes]:
    times = (_time_text(start_s + interval_s * place) for place in itertools.count())
    data = b"".join(
        encode_line(body | {"time": time}, place=name.place) for body, time in zip(bodies, times, strict=False)
    )
    return SegmentName(name.experiment_id, name.session_id, 0, len(data)), data


def _begin(draw: random.Random, experiment_id: str, number: int) -> dict[str, Any]:
    params: dict[str, Any] = {name: round(draw.random(), 6) for name in PARAMS[:4]}
    params |= {name: draw.randrange(1, 512) for name in PARAMS[4:]}
    params |= {"optimizer": draw.choice(("adam", "sgd", "lion")), "dataset": draw.choice(("cifar10", "imagenet"))}
    return {
        "type": "experiment",
        "id": experiment_id,
        "params": params,
        "path": ".",
        "manifests": [draw.randbytes(32).hex()],
        "project": "many",
        "environment": {
            "user": draw.choice(("ada", "grace")),
            "host": f"node{draw.randrange(8)}",
            "command": f"python train.py --seed {number}",
            "working_directory": ".",
            "python_version": "3.11.7",
            "python_implementation": "CPython",
            "python_packages": PACKAGES,
            "platform": "Linux-6.1-x86_64",
            "cpu": {"name": "AMD EPYC", "count": 64, "usable": 8},
            "memory_bytes": 270_000_000_000,
            "gpu": ["NVIDIA A100-SXM4-80GB"],
            "cuda": {"driver": "550.54", "version": "12.4"},
            "git": {
                "commit": f"{number // 20:040x}",
                "branch": "main",
                "remote": "git@example.com:ada/many.git",
                "dirty": number % 3 == 0,
            },
        },
        "keepsake_version": "1.0.0",
    }


def _checkpoint(draw: random.Random, step: int) -> dict[str, Any]:
    return {
        "type": "checkpoint",
        "id": draw.randbytes(32).hex(),
        "step": step,
        "metrics": {name: draw.random() for name in METRICS},
        "path": "weights",
        "manifests": [draw.randbytes(32).hex()],
        "primary_metric": {"name": "val_loss", "goal": "minimize"},
    }


def _time_text(seconds: float) -> str:
    return format_time(datetime.fromtimestamp(_FIRST_DAY_S + seconds, timezone.utc))


def write_curves(root: Path, experiments: int, points: int, metrics: int, *, seed: int = 1) -> Repository:
    """Write a repository of finished experiments that logged `metrics` metrics at `points` steps each, and return it.

    The curves fall like losses, with noise. The same arguments give the same experiments.
    """
    repository, _ = Repository.open_or_create(LocalStore(root))
    draw = random.Random(seed)
    names = [f"metric_{number}" for number in range(metrics)]
    for number in range(experiments):
        name = SegmentName(draw.randbytes(32).hex(), draw.randbytes(16).hex(), 0, None)
        bodies = [_begin(draw, name.experiment_id, number)]
        floor = draw.random()
        for step in range(points):
            values = {one: floor + 1 / (1 + 10 * step / points) + 0.05 * draw.gauss(0, 1) for one in names}
            bodies.append({"type": "log", "step": step, "metrics": values})
        bodies.append({"type": "stop", "status": "finished", "events": points + 2})
        for segment, data in _encode_journal(name, bodies, start_s=number * 60.0, interval_s=0.5):
            _write(root, segment, data)
    return repository


def _encode_journal(
    name: SegmentName, bodies: Iterable[dict[str, Any]], *, start_s: float, interval_s: float
) -> Iterator[tuple[SegmentName, bytes]]:
    """Yield the segments of a journal, as long as sessions make them."""
    lines: list[bytes] = []
    size_bytes = 0
    for place, body in enumerate(bodies):
        line = encode_line(body | {"time": _time_text(start_s + interval_s * place)}, place=name.place)
        lines.append(line)
        size_bytes += len(line)
        if size_bytes >= SEGMENT_BYTES:
            yield _sealed(name, b"".join(lines))
            name, lines, size_bytes = replace(name, number=name.number + 1), [], 0
    if lines:
        yield _sealed(name, b"".join(lines))


def _sealed(name: SegmentName, data: bytes) -> tuple[SegmentName, bytes]:
    return replace(name, size_bytes=len(data)), data


def _write(root: Path, name: SegmentName, data: bytes) -> None:
    path = root / name.key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
