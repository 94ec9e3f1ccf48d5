"""Series: the checkpoints of real training runs as files, so that several programs can save the very same ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.scale import Scale
from benchmarks.training import CHECKPOINTS, Write, file_name, write_torch, write_torch_with_adam
from benchmarks.transformer import Training, Transformer, freeze_backbone, new_model
from benchmarks.weights import write_gpt2_like

UNCHANGED_SAVES = 3
"""After the first, which is not counted among the calls."""


@dataclass(frozen=True)
class Series:
    """What is saved, one after the other."""

    name: str
    checkpoints: tuple[Path, ...]
    """A directory each; the same one again where nothing has changed."""
    first_call: int = 0
    """From which one on the time in the call counts."""

    @property
    def raw_bytes(self) -> int:
        """Length of the files, counted as often as they are saved."""
        return sum(path.stat().st_size for directory in self.checkpoints for path in directory.iterdir())


def write_series(scale: Scale, directory: Path) -> list[Series]:
    """Train, and write every checkpoint; return the series."""
    model = new_model(scale.model_width, scale.model_layers, torch.float32)
    dense = _train(model, write_torch_with_adam, lambda _: "model", scale, directory / "dense")
    frozen = _train(freeze_backbone(model), write_torch, file_name, scale, directory / "frozen")
    half = new_model(scale.model_width, scale.model_layers, torch.bfloat16)
    dense_half = _train(half, write_torch, lambda _: "model", scale, directory / "dense-bf16")
    unchanged = directory / "unchanged"
    unchanged.mkdir()
    size_bytes = write_gpt2_like(unchanged / "model.safetensors", scale.big_file_bytes)
    size = f"{size_bytes / 1e6:.0f} MB"
    return [
        Series(f"dense fp32 with Adam, {CHECKPOINTS} checkpoints", dense),
        Series(f"dense bf16, {CHECKPOINTS} checkpoints", dense_half),
        Series(f"frozen backbone, fp32, {CHECKPOINTS} checkpoints", frozen),
        Series(f"{size} of fp32, {UNCHANGED_SAVES} times more, unchanged", (unchanged,) * (UNCHANGED_SAVES + 1), 1),
    ]


def _train(
    model: Transformer, write: Write, name_of: Callable[[Training], str], scale: Scale, directory: Path
) -> tuple[Path, ...]:
    training = Training(model, scale.training_batch)
    shutil.rmtree(directory, ignore_errors=True)
    checkpoints = []
    for number in range(CHECKPOINTS):
        training.run(scale.steps_between_checkpoints)
        checkpoints.append(directory / f"{number:02}")
        checkpoints[-1].mkdir(parents=True)
        write(training, checkpoints[-1] / name_of(training))
    return tuple(checkpoints)
