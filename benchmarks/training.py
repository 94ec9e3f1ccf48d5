"""Stored bytes of training runs: ten checkpoints of a model that is trained between them.

Dense runs train everything, from the beginning. Those with a frozen backbone, or with adapters, go on from what the
dense run of the same type has learnt. All save the whole model each time. Where the file name changes it tells the step
and the loss, and the pickle grows with the losses so far, as scripts do it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
from safetensors.torch import save_file

from benchmarks.projects import begin, stored_bytes
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.transformer import Training, Transformer, add_adapters, freeze_backbone, new_model

CHECKPOINTS = 10
DENSE_LIMITS = {torch.float32: 85.0, torch.bfloat16: 68.0}
FROZEN_LIMIT = 11.5
ADAPTERS_LIMIT = 14.0
NAMES = {torch.float32: "fp32", torch.bfloat16: "bf16"}

Write: TypeAlias = Callable[[Training, Path], None]


def write_torch(training: Training, path: Path) -> None:
    """Save the model as `torch.save` does, with the losses so far."""
    state = {"step": training.step, "losses": training.losses, "model": training.model.state_dict()}
    torch.save(state, path.with_suffix(".pt"))


def write_torch_with_adam(training: Training, path: Path) -> None:
    """Save the model and the optimizer as `torch.save` does."""
    state = {"model": training.model.state_dict(), "optimizer": training.optimizer.state_dict()}
    torch.save({"step": training.step, "losses": training.losses, **state}, path.with_suffix(".pt"))


def write_safetensors(training: Training, path: Path) -> None:
    """Save the model in safetensors format, with the step and the loss as its metadata."""
    metadata = {"step": str(training.step), "loss": str(training.losses[-1])}
    save_file(training.model.state_dict(), path.with_suffix(".safetensors"), metadata=metadata)


def write_safetensors_with_adam(training: Training, path: Path) -> None:
    """Save the model and the optimizer in safetensors format."""
    tensors = training.model.state_dict() | training.optimizer_tensors()
    save_file(tensors, path.with_suffix(".safetensors"), metadata={"step": str(training.step)})


PLAIN: dict[str, Write] = {"torch.save": write_torch, "safetensors": write_safetensors}
WITH_ADAM: dict[str, Write] = {
    "torch.save, with Adam": write_torch_with_adam,
    "safetensors, with Adam": write_safetensors_with_adam,
}


@dataclass(frozen=True)
class Kind:
    """One way to train."""

    name: str
    limit: float
    writers: dict[str, Write]
    changes_name: bool


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Train in every way, save every checkpoint in every format, and weigh the repositories."""
    rows: list[Row] = []
    for dtype, name in NAMES.items():
        model = new_model(scale.model_width, scale.model_layers, dtype)
        dense = Kind(f"dense {name}", DENSE_LIMITS[dtype], PLAIN | WITH_ADAM, changes_name=False)
        frozen = Kind(f"frozen backbone, {name}", FROZEN_LIMIT, PLAIN, changes_name=True)
        adapters = Kind(f"adapters, {name}", ADAPTERS_LIMIT, PLAIN, changes_name=True)
        rows += run(dense, model, scale, directory)
        rows += run(frozen, freeze_backbone(copy.deepcopy(model)), scale, directory)
        rows += run(adapters, add_adapters(copy.deepcopy(model)), scale, directory)
    return rows


def run(kind: Kind, model: Transformer, scale: Scale, directory: Path) -> list[Row]:
    """Train a model, save it in each of the kind's formats into a project of its own, and return a row for each."""
    training = Training(model, scale.training_batch)
    places = {name: directory / f"{kind.name}, {name}" for name in kind.writers}
    experiments = {name: begin(place) for name, place in places.items()}
    raw_bytes = dict.fromkeys(kind.writers, 0)
    for _ in range(CHECKPOINTS):
        training.run(scale.steps_between_checkpoints)
        for name, write in kind.writers.items():
            weights = _empty(places[name] / "weights")
            write(training, weights / (file_name(training) if kind.changes_name else "model"))
            raw_bytes[name] += sum(path.stat().st_size for path in weights.iterdir())
            experiments[name].checkpoint(path="weights", step=training.step, loss=training.losses[-1])
    rows = []
    for name, experiment in experiments.items():
        experiment.stop()
        stored = stored_bytes(places[name])
        details = {
            "raw_bytes": raw_bytes[name],
            "stored_bytes": stored,
            "losses": training.losses[:: -(-training.step // 10)],
        }
        remark = f"{raw_bytes[name] / 1e6:.0f} MB in {CHECKPOINTS} files"
        rows.append(Row(f"{kind.name}, {name}", 100 * stored / raw_bytes[name], "%", kind.limit, remark, details))
    return rows


def file_name(training: Training) -> str:
    """Return a name that tells the step and the loss, without a suffix."""
    return f"step-{training.step}-loss-{training.losses[-1]:.4g}".replace(".", "_")


def _empty(directory: Path) -> Path:
    """Make the directory, or remove the files in it."""
    directory.mkdir(exist_ok=True)
    for path in directory.iterdir():
        path.unlink()
    return directory
