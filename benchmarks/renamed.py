"""What is stored again of a model whose tensors are all small, when only its name and its pickle change.

Tensors under 256 KiB share chunks with their neighbours. `torch.save` repeats the file name in front of each of them
and pads to multiples of 64 bytes, so a longer name or pickle moves every one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors.torch import save_file

import keepsake
from benchmarks.projects import begin, stored_bytes
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.transformer import Training, new_model

LIMIT = 5.0
WIDTH = 96
"""The largest matrices then have 147 KB."""
LAYERS = 12

Write: TypeAlias = Callable[[dict[str, Any], Path, int], Path]


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Save one model twice in each format, and weigh what the second time added."""
    rows = []
    for dtype in (torch.float32, torch.bfloat16):
        training = Training(new_model(WIDTH, LAYERS, dtype), scale.training_batch)
        training.run(scale.steps_between_checkpoints)
        for name, write in (("torch.save", _write_torch), ("safetensors", _write_safetensors)):
            what = f"small tensors, renamed, {'fp32' if dtype == torch.float32 else 'bf16'}, {name}"
            rows.append(_row(what, training.model.state_dict(), write, directory / what))
    return rows


def _row(what: str, state: dict[str, Any], write: Write, directory: Path) -> Row:
    experiment = begin(directory)
    experiment.checkpoint(path=write(state, directory / "model-1", 1).name)
    keepsake.wait()
    before = stored_bytes(directory)
    path = write(state, directory / "model-after-500-more-epochs", 500)
    experiment.checkpoint(path=path.name)
    experiment.stop()
    added = stored_bytes(directory) - before
    size_bytes = path.stat().st_size
    details = {
        "raw_bytes": size_bytes,
        "added_bytes": added,
        "largest_tensor_bytes": max(map(_size_bytes, state.values())),
    }
    return Row(what, 100 * added / size_bytes, "%", LIMIT, f"of {size_bytes / 1e6:.1f} MB stored again", details)


def _size_bytes(tensor: Any) -> int:
    return int(tensor.numel() * tensor.element_size())


def _write_torch(state: dict[str, Any], path: Path, epochs: int) -> Path:
    path = path.with_suffix(".pt")
    torch.save({"losses": [1 / (epoch + 1) for epoch in range(epochs)], "model": state}, path)
    return path


def _write_safetensors(state: dict[str, Any], path: Path, epochs: int) -> Path:
    path = path.with_suffix(".safetensors")
    save_file(state, path, metadata={"losses": " ".join(f"{1 / (epoch + 1):.6f}" for epoch in range(epochs))})
    return path
